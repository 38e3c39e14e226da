"""The map in a real browser: what is drawn around is selected, by mouse and keys, with WebGL or not."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, expect

from tests.browser.maps import Map, inside
from tracin_viz.audit import Workspace
from tracin_viz.config import Home

OpenPage = Callable[..., Page]

LASSO = [(0.5, 0.05), (0.9, 0.4), (0.7, 0.9), (0.45, 0.95), (0.55, 0.5), (0.2, 0.6)]


def test_what_is_drawn_around_is_selected_and_a_link_shows_it(
    open_page: OpenPage, demo_server: str, demo_home: Path
):
    audit = Workspace(Home(demo_home)).open("digits")
    places = audit.grouping().coordinates
    page = open_page(demo_server)
    page.goto("/clusters?audit=digits")
    drawn = Map(page)

    drawn.drag(LASSO)
    page.wait_for_url(re.compile("sel="))
    expected = inside(places, drawn.polygon())
    assert 0 < expected.sum() < len(places)
    assert np.array_equal(drawn.selection(audit), expected)
    cards = page.locator(".st-key-selection .card")
    shown = [int((card.get_attribute("data-id") or "").removeprefix("train:")) for card in cards.all()]
    assert len(shown) == len(set(shown)) == 36
    assert expected[shown].all(), "the gallery shows members of the selection"

    drawn.root.get_by_role("button", name="Box: pull up a rectangle").click()
    for keys, (left, right), change in (
        (("Shift",), (0.02, 0.98), lambda before, hit: before | hit),
        (("Control",), (0.02, 0.4), lambda before, hit: before & ~hit),
        (("Shift", "Control"), (0.2, 0.75), lambda before, hit: before & hit),
    ):
        address = page.url
        drawn.drag([(left, 0.02), (right, 0.98)], *keys)
        page.wait_for_url(lambda url, address=address: url != address)
        expected = change(expected, inside(places, drawn.polygon()))
        assert expected.sum() > 0
        assert np.array_equal(drawn.selection(audit), expected), keys

    # Some of them only, by keyboard.
    cards.first.focus()
    for key in ("Space", "ArrowRight", "ArrowRight", "Space"):
        page.keyboard.press(key)
    expect(page.get_by_role("button", name="Relabel the 2 marked")).to_be_visible()
    expect(page.locator(".st-key-selection .mark[aria-checked=true]")).to_have_count(2)

    other = open_page(demo_server)
    other.goto(f"{page.url}&colour=class")
    drawn = Map(other)
    assert np.array_equal(drawn.selection(audit), expected)

    # One class alone: what is hidden is not selected.
    drawn.root.get_by_role("button", name="Show this alone: 7").dispatch_event("click")
    drawn.root.locator(".stage > svg").focus()
    address = other.url
    other.keyboard.press("Control+a")
    other.wait_for_url(lambda url: url != address)
    sevens = drawn.selection(audit)
    assert np.array_equal(sevens, audit.examples("train")["label"].to_numpy() == "7")
    other.get_by_role("button", name="Relabel the").click()
    expect(other.get_by_text(f"{int(sevens.sum())} selected examples")).to_be_visible()


# The tab goes on to other tests with this script in it, so it does nothing at their addresses.
NO_WEBGL = """if (location.hash === "#no-webgl") {
  const real = HTMLCanvasElement.prototype.getContext;
  HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
    return kind.startsWith("webgl") ? null : real.call(this, kind, ...more);
  };
}"""


def test_by_keyboard_without_webgl_on_a_phone(open_page: OpenPage, demo_server: str, demo_home: Path):
    audit = Workspace(Home(demo_home)).open("digits")
    page = open_page(demo_server, width=390, look="dark")
    page.add_init_script(NO_WEBGL)
    page.goto("/clusters?audit=digits&smallest=100#no-webgl")
    drawn = Map(page)
    expect(drawn.root.locator(".note")).to_contain_text("no WebGL")
    painted = drawn.root.evaluate(
        "root => { const c = root.map.canvas; "
        "const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        " let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n; }"
    )
    assert painted > 1_000
    found = audit.grouping(smallest=100)
    assert len(found.summaries) < len(audit.grouping().summaries)
    names = drawn.root.locator(".legend .text").all_inner_texts()
    assert set(names) - {"no cluster"} == {one.name for one in found.summaries}

    drawn.root.locator(".stage > svg").focus()
    for key in (*["ArrowUp"] * 4, "b", *["ArrowDown"] * 9, *["ArrowRight"] * 9, "b"):
        page.keyboard.press(key)
    page.wait_for_url(re.compile("sel="))
    expected = inside(found.coordinates, drawn.polygon())
    assert np.array_equal(drawn.selection(audit), expected)
    page.keyboard.press("Escape")
    expect(page.get_by_text("Nothing is selected.")).to_be_visible()
    assert "sel=" not in page.url

    place = int(found.summaries[0].exemplars[0])
    page.mouse.move(*drawn.point(place))
    expect(drawn.root.locator(".hover")).to_contain_text("train:")
    page.mouse.click(*drawn.point(place))
    expect(page.get_by_role("dialog").get_by_text("Self-influence", exact=True).first).to_be_attached()
