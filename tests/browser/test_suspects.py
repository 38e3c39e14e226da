"""Suspects and Clusters in a real browser: they show what the façade returns; filters and ranges work."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, expect

from tests.browser.serving import settle
from tracin_viz.audit import Audit, Workspace
from tracin_viz.config import Home
from tracin_viz.ui.cards import percentile
from tracin_viz.ui.suspects.teachers import labels

OpenPage = Callable[..., Page]
CARDS = (
    "gallery => [...gallery.querySelectorAll('.card')].map((card) => ({"
    " id: card.dataset.id, given: card.querySelector('.given').textContent,"
    " other: card.querySelector('.other').textContent, number: card.querySelector('.number').textContent,"
    " later: [...card.querySelectorAll('.later')].map((line) => line.textContent) }))"
)


def shown(page: Page) -> list[dict[str, Any]]:
    settle(page)
    found: list[dict[str, Any]] = page.locator(".st-key-suspects #gallery").evaluate(CARDS)
    return found


def same(cards: list[dict[str, Any]], entries: list[dict[str, Any]]) -> None:
    assert [card["id"] for card in cards] == [entry["id"] for entry in entries]
    for card, entry in zip(cards, entries, strict=True):
        assert (card["given"], card["other"]) == (entry["label"], entry["suggested"])
        assert card["number"] == percentile(entry["percentile"])


def counted(page: Page, audit: Audit, name: str) -> dict[str, int]:
    """The counts that a filter's open list shows."""
    lines = page.locator(".st-key-facets_suspects .value").all_inner_texts()
    pairs = [line.split("\n") for line in lines]
    return {word.strip(): int(number.replace(",", "")) for word, number in pairs}


def test_order_counts_and_percentiles_are_those_of_the_audit(
    open_page: OpenPage, demo_server: str, demo_home: Path
):
    audit = Workspace(Home(demo_home)).open("digits")
    table = audit.examples("train")
    page = open_page(demo_server)
    page.goto("/suspects?audit=digits&by=agreement&share=20")
    expect(page.locator(".st-key-suspects .card")).to_have_count(48)
    everything = audit.suspects(ranking="agreement", top=800)["suspects"]
    same(shown(page), everything[:48])
    expect(page.get_by_text("800 examples of 4,000 above the line.")).to_be_visible()
    page.get_by_role("button", name="Page 2", exact=True).click()
    page.wait_for_url(re.compile("page=2"))
    expect(page.locator(f".st-key-suspects .card[data-id='{everything[48]['id']}']")).to_be_visible()
    same(shown(page), everything[48:96])

    # Filters by keyboard: counts are those under the other filters.
    page.locator(".st-key-facets_suspects #head-agrees").focus()
    page.keyboard.press("ArrowDown")
    wrong = table["wrong"].to_numpy()
    assert counted(page, audit, "agrees") == {"agrees": int((~wrong).sum()), "disagrees": int(wrong.sum())}
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.wait_for_url(re.compile("f_agrees=no"))
    settle(page)
    assert "page=" not in page.url
    page.locator(".st-key-facets_suspects #head-label").focus()
    page.keyboard.press("Enter")
    given = table["label"].to_numpy()
    expect(page.locator(".st-key-facets_suspects .value")).to_have_count(10)
    assert counted(page, audit, "label") == {
        name: int(((given == name) & wrong).sum()) for name in audit.classes
    }
    page.locator(".st-key-facets_suspects .value input[data-key='7']").click()
    page.wait_for_url(re.compile("f_label=7"))
    among = np.flatnonzero((given == "7") & wrong)
    number = max(1, round(len(among) * 0.2))
    expect(page.get_by_text(f"of {len(among)} above the line.")).to_be_visible()
    same(shown(page), audit.suspects(ranking="agreement", among=among, top=number)["suspects"][:48])

    # A colleague's link; then a range drawn with the mouse; lines about teachers come by themselves.
    other = open_page(demo_server, width=390, look="dark")
    other.goto(page.url)
    expect(other.get_by_text(f"of {len(among)} above the line.")).to_be_visible()
    assert [card["id"] for card in shown(other)] == [card["id"] for card in shown(page)]
    assert other.evaluate("document.documentElement.scrollWidth") <= 390

    page.get_by_role("button", name="Clear filters").click()
    expect(page.get_by_text("800 examples of 4,000 above the line.")).to_be_visible()
    box = page.locator(".st-key-histogram_agreement .nsewdrag").first.bounding_box()
    assert box is not None
    spots = [(box["x"] + share * box["width"], box["y"] + box["height"] / 2) for share in (0.93, 0.97)]
    page.mouse.move(*spots[0])
    page.mouse.down()
    page.mouse.move(*spots[1], steps=5)
    page.mouse.up()
    page.wait_for_url(re.compile("range="))
    drawn = re.search("range=([0-9.]+)~([0-9.]+)", page.url)
    assert drawn is not None
    scores = audit.suspect_scores("agreement")
    rows = np.flatnonzero((scores >= float(drawn[1])) & (scores <= float(drawn[2])))
    assert 20 < len(rows) < 400
    expect(page.get_by_text(f"{len(rows)} examples of 4,000 in the range.")).to_be_visible()
    entries = audit.suspects(ranking="agreement", among=rows, top=48)["suspects"]
    same(shown(page), entries)
    expect(page.locator(".st-key-suspects .later").first).to_be_visible()
    taught = audit.teachers([entry["row"] for entry in entries])
    for card, entry in zip(shown(page), entries, strict=True):
        one = taught[entry["row"]]
        expected = [f"▲ for it: {labels(one.proponents)}", f"▼ against it: {labels(one.opponents)}"]
        assert card["later"] == [line for line in expected if not line.endswith(": ")]
    page.get_by_role("button", name="Forget the range").click()
    expect(page.get_by_text("800 examples of 4,000 above the line.")).to_be_visible()


def test_clusters_shown_are_those_of_the_audit(open_page: OpenPage, demo_server: str, demo_home: Path):
    audit = Workspace(Home(demo_home)).open("digits")
    found = audit.clusters(smallest=25, cautious=5)
    page = open_page(demo_server)
    page.goto("/clusters?audit=digits&smallest=25&cautious=5")
    expect(page.locator(".st-key-map #scatter")).to_have_attribute("data-state", "ready")
    settle(page)
    legend = dict(
        zip(
            page.locator("#scatter .legend .text").all_inner_texts(),
            page.locator("#scatter .legend .count").all_inner_texts(),
            strict=True,
        )
    )
    assert {name: int(count.replace(",", "")) for name, count in legend.items() if name != "no cluster"} == {
        one["name"]: one["size"] for one in found["clusters"]
    }
    outside = found["noise"]
    words = "1 example belongs" if outside == 1 else f"{outside:,} examples belong"
    expect(page.get_by_text(f"{words} to no cluster.")).to_be_visible()
    for one in found["clusters"][:3]:
        row = page.locator(f".st-key-cluster_{one['id']}")
        expect(row).to_contain_text(f"{one['size']:,} example")
        mix = ", ".join(f"{name} ({n:,})" for name, n in list(one["classes"].items())[:4])
        assert mix in row.inner_text().replace("\u2060", "")
        cards = row.locator(".card").evaluate_all("cards => cards.map((card) => card.dataset.id)")
        assert cards == one["exemplars"][:12]
