"""From Start to the training examples behind a prediction, and the address that shows them again."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.serving import settle

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


def test_a_click_on_a_training_example_opens_it_large(open_page: OpenPage, demo_server: str):
    page = open_page(demo_server)
    page.goto("/influence?audit=digits")
    settle(page)
    first = cards(page, "list_proponents")[0]
    page.locator(".st-key-list_proponents .card").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(f'.card[data-id="{first}"]')).to_be_visible()
    dialog.get_by_role("button", name="Decide about its label").click()
    expect(page.get_by_role("heading", name="Is this label right?")).to_be_visible()
    heading = page.locator(".st-key-begin_box strong")
    expect(heading).to_be_visible()
    assert heading.inner_text().replace("\u2060", "") == f"Decide about {first}"
