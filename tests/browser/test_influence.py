"""From Start to the training examples behind a prediction, and the address that shows them again."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.axe import findings
from tests.browser.serving import settle
from tests.conftest import TinyFiles
from tracin_viz.audit import Workspace
from tracin_viz.config import Home
from tracin_viz.ui.cards import signed

OpenPage = Callable[..., Page]


def cards(page: Page, key: str) -> list[str]:
    """Ids of the cards of a gallery, in order."""
    found = page.locator(f".st-key-{key} .card")
    expect(found.first).to_be_visible()
    return [card.get_attribute("data-id") or "" for card in found.all()]


def test_from_start_to_proponents_in_at_most_three_clicks(open_page: OpenPage, demo_server: str):
    page = open_page(demo_server)
    page.goto("/")
    clicks = 0
    page.locator(".st-key-try_digits button").click()
    clicks += 1
    expect(
        page.get_by_role("heading", name="Which training examples pushed this prediction?")
    ).to_be_visible()
    settle(page)
    assert len(cards(page, "list_proponents")) == 10
    assert len(cards(page, "list_opponents")) == 10
    assert clicks <= 3
    first = page.locator(".st-key-candidates .card").first
    given, predicted = first.locator(".given").inner_text(), first.locator(".other").inner_text()
    assert given != predicted, "a wrong prediction comes first"


def test_pictures_of_proponents_are_loaded_from_our_own_route(open_page: OpenPage, demo_server: str):
    page = open_page(demo_server)
    page.goto("/influence?audit=digits&query=test:3")
    settle(page)
    picture = page.locator(".st-key-list_proponents .card img").first
    expect(picture).to_be_visible()
    page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=picture.element_handle())
    assert "/thumb/digits/train/" in (picture.get_attribute("src") or "")
    assert "label" in (picture.get_attribute("alt") or "")


def test_signs_words_and_numbers_say_the_same(open_page: OpenPage, demo_server: str):
    page = open_page(demo_server)
    page.goto("/influence?audit=digits&query=test:3")
    settle(page)
    cards(page, "list_proponents")
    for key, sign, number in (("proponents", "▲", r"\+"), ("opponents", "▼", "−")):
        scores = page.locator(f".st-key-list_{key} .card .score").all_inner_texts()
        assert all(re.match(rf"{sign}\s*{number}", score) for score in scores), scores


def test_the_address_holds_audit_query_and_ranking(open_page: OpenPage, demo_server: str):
    page = open_page(demo_server)
    page.goto("/influence?audit=digits")
    settle(page)
    chosen = cards(page, "candidates")[2]
    page.locator(f'.st-key-candidates .card[data-id="{chosen}"]').click()
    page.get_by_role("radio", name="Same direction").or_(
        page.get_by_role("button", name="Same direction")
    ).first.click()
    page.wait_for_url(re.compile("ranking=cosine"))
    page.wait_for_url(re.compile(f"query={chosen.replace(':', '(:|%3A)')}"))
    settle(page)
    shown = cards(page, "list_proponents")
    again = open_page(demo_server)
    again.goto(page.url)
    settle(again)
    expect(again.locator(".st-key-candidates .card.selected")).to_have_attribute("data-id", chosen)
    assert cards(again, "list_proponents") == shown


def test_next_and_previous_walk_through_the_examples_in_their_order(open_page: OpenPage, demo_server: str):
    page = open_page(demo_server)
    page.goto("/influence?audit=digits")
    settle(page)
    order = cards(page, "candidates")
    selected = page.locator(".st-key-candidates .card.selected")
    page.locator(".st-key-next button").click()
    expect(selected).to_have_attribute("data-id", order[1])
    settle(page)
    page.locator(".st-key-previous button").click()
    expect(selected).to_have_attribute("data-id", order[0])


def test_a_card_is_chosen_by_keyboard(open_page: OpenPage, demo_server: str):
    page = open_page(demo_server)
    page.goto("/influence?audit=digits")
    settle(page)
    order = cards(page, "candidates")
    page.locator(f'.st-key-candidates .card[data-id="{order[0]}"]').focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator(".st-key-candidates .card.selected")).to_have_attribute("data-id", order[1])


def test_a_click_on_a_training_example_opens_it_large(open_page: OpenPage, demo_server: str, demo_home: Path):
    page = open_page(demo_server)
    page.goto("/influence?audit=digits")
    settle(page)
    first = cards(page, "list_proponents")[0]
    row = Workspace(Home(demo_home)).open("digits").examples("train").set_index("id").loc[first]
    page.locator(".st-key-list_proponents .card").first.click()
    dialog = page.get_by_role("dialog")
    card = dialog.locator(f'.card[data-id="{first}"]')
    expect(card).to_be_visible()
    assert row["label"] in card.locator(".fact").first.inner_text().splitlines()
    card.get_by_role("button", name=re.compile(f"picture {first}")).press("Enter")
    enlarged = page.get_by_role("dialog", name=re.compile(f"picture {first}"))
    expect(enlarged.get_by_text("100 %")).to_be_visible()
    before = enlarged.locator("img").bounding_box()
    page.keyboard.press("+")
    expect(enlarged.get_by_text("150 %")).to_be_visible()
    after = enlarged.locator("img").bounding_box()
    assert before and after and after["width"] == pytest.approx(1.5 * before["width"], abs=1)
    assert not findings(page)
    page.keyboard.press("Escape")
    expect(enlarged).to_have_count(0)
    expect(card.get_by_role("button", name=re.compile(f"picture {first}"))).to_be_focused()
    dialog.get_by_role("link", name="Decide about its label").click()
    expect(page.get_by_role("heading", name="Is this label right?")).to_be_visible()
    heading = page.locator(".st-key-begin_box strong")
    expect(heading).to_be_visible()
    assert heading.inner_text().replace("\u2060", "") == f"Decide about {first}"


def test_the_rendered_lists_are_those_of_the_python_interface(
    open_page: OpenPage, demo_server: str, demo_home: Path
):
    page = open_page(demo_server)
    page.goto("/influence?audit=digits&query=test:11&ranking=relatif&top=5")
    settle(page)
    audit = Workspace(Home(demo_home)).open("digits")
    found = audit.influence(query="test:11", ranking="relatif", top=5)
    for side in ("proponents", "opponents"):
        assert cards(page, f"list_{side}") == [entry["id"] for entry in found[side]]
        shown = page.locator(f".st-key-list_{side} .card .score").all_inner_texts()
        assert [re.sub(r"[▲▼\s]", "", one) for one in shown] == [signed(e["score"]) for e in found[side]]
    expect(page.get_by_text("Exact scores")).to_be_visible()
    heat_map = page.locator(".st-key-origin_map")
    expect(heat_map.locator(".heatmaplayer image").first).to_be_attached()


def point_at(page: Page, label: Locator) -> None:
    """Move the mouse onto a point of a chart until the chart has noticed: it grows while its box opens."""
    hovered = page.locator(".st-key-confusion .hoverlayer .hovertext")
    for _ in range(100):
        expect(label).to_be_visible()
        box = label.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=3)
        page.wait_for_timeout(300)
        if hovered.count() and label.bounding_box() == box:
            return
        page.mouse.move(0, 0)
    raise AssertionError("the chart notices no mouse")


def test_a_click_on_the_confusion_matrix_asks_about_its_cell(
    open_page: OpenPage, demo_server: str, demo_home: Path
):
    page = open_page(demo_server)
    page.goto("/influence?audit=digits")
    settle(page)
    page.get_by_text("Ask about a group").click()
    counts = Workspace(Home(demo_home)).open("digits").confusion()["counts"]
    mistakes = [(given, said) for given in range(10) for said in range(10) if given != said]
    given, said = max(mistakes, key=lambda cell: counts[cell[0]][cell[1]])
    points = [(g, p) for g in range(10) for p in range(10) if counts[g][p]]
    label = page.locator(".st-key-confusion .scatterlayer .textpoint").nth(points.index((given, said)))
    point_at(page, label)
    page.mouse.down()
    page.mouse.up()
    page.wait_for_url(re.compile(rf"group=cell(:|%3A){given}(:|%3A){said}"))
    settle(page)
    number = counts[given][said]
    expect(page.locator(".st-key-query_card").get_by_text(re.compile(f"^{number} example"))).to_be_visible()
    # The count of the cell, read from the page, is that of the façade.
    assert label.text_content() == str(number)


def test_an_uploaded_picture_is_explained(
    open_page: OpenPage, demo_server: str, tmp_path: Path, tiny_files: TinyFiles
):
    page = open_page(demo_server)
    page.goto("/influence?audit=digits")
    settle(page)
    page.get_by_role("button", name="Your own picture").click()
    picture = tiny_files.data / "test" / "bar" / "000.png"
    page.locator(".st-key-own_image input[type=file]").set_input_files(picture)
    expect(page.get_by_text("000.png").first).to_be_visible()
    page.get_by_role("button", name="Explain it").click()
    expect(page.locator(".st-key-query_card img")).to_be_visible()
    expect(page.get_by_text("Its right label is not known").first).to_be_visible()
    page.wait_for_url(re.compile(r"query=own(:|%3A)[0-9a-f]{40}"))
    page.reload()  # as a colleague who got the link
    expect(page.locator(".st-key-query_card img")).to_be_visible()
    expect(page.get_by_text("Its right label is not known").first).to_be_visible()
    answer = page.get_by_role("combobox", name="Explain the answer")
    expect(answer).to_have_value("the prediction")
    answer.click()
    page.get_by_role("option", name="7", exact=True).click()
    expect(page.get_by_text(re.compile("score for “.?7”")).first).to_be_visible()
    expect(page.locator(".st-key-list_proponents .card").first).to_be_visible()
