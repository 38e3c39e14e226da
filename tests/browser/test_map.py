"""The map in a real browser: what is drawn around is selected, by mouse and keys, with WebGL or not."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Locator, Page, expect

from tests.browser.serving import ROOT, free_port, settle, wait_until_up
from tests.ui.hostile import HOSTILE
from tracin_viz.audit import Audit, Workspace
from tracin_viz.config import Home

OpenPage = Callable[..., Page]


def inside(places: np.ndarray, polygon: list[list[float]]) -> np.ndarray:
    """(n,) even-odd rule, edge by edge: the slow twin of the browser's."""
    x, y = places.astype(np.float64).T
    hit = np.zeros(len(places), dtype=bool)
    for (x1, y1), (x2, y2) in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
        if y1 != y2:
            hit ^= ((y1 > y) != (y2 > y)) & (x < (x1 - x2) * (y - y2) / (y1 - y2) + x2)
    return hit


class Map:
    """The map of a page, as a visitor uses it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root = page.locator(".st-key-map #scatter")
        expect(self.root).to_have_attribute("data-state", "ready")
        settle(page)

    def drag(self, corners: list[tuple[float, float]], *keys: str) -> None:
        """Draw with the mouse; corners as shares of the map's width and height."""
        stage = self.root.locator(".stage")
        stage.scroll_into_view_if_needed()
        box = stage.bounding_box()
        assert box is not None
        spots = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
        for key in keys:
            self.page.keyboard.down(key)
        self.page.mouse.move(*spots[0])
        self.page.mouse.down()
        for spot in spots[1:]:
            self.page.mouse.move(*spot, steps=4)
        self.page.mouse.up()
        for key in keys:
            self.page.keyboard.up(key)

    def polygon(self) -> list[list[float]]:
        """What was last drawn, in the coordinates of the points."""
        found: list[list[float]] = self.root.evaluate("root => root.map.polygon")
        return found

    def selection(self, audit: Audit) -> np.ndarray:
        """(n,) what page and database agree on: the browser's mask is what the address names."""
        settle(self.page)
        shown = np.array(self.root.evaluate("root => [...root.map.chosen]"), dtype=bool)
        number = f"{int(shown.sum()):,} selected"
        expect(self.root.locator(".status")).to_contain_text(number)
        expect(
            self.page.get_by_role("button", name=f"Relabel the {int(shown.sum()):,} selected")
        ).to_be_visible()
        name = re.search("sel=([0-9a-f]{12})", self.page.url)
        assert name is not None
        assert np.array_equal(audit.selections.get(name[1]), np.flatnonzero(shown))
        return shown

    def point(self, place: int) -> tuple[float, float]:
        """Where a point is in the window."""
        stage = self.root.locator(".stage")
        stage.scroll_into_view_if_needed()
        box = stage.bounding_box()
        assert box is not None
        x, y = self.root.evaluate("(root, n) => root.map.where(n)", place)
        return box["x"] + x, box["y"] + y


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


def test_by_keyboard_without_webgl_on_a_phone(open_page: OpenPage, demo_server: str, demo_home: Path):
    audit = Workspace(Home(demo_home)).open("digits")
    page = open_page(demo_server, width=390, look="dark")
    page.add_init_script(
        "const real = HTMLCanvasElement.prototype.getContext;"
        "HTMLCanvasElement.prototype.getContext = function (kind, ...more) {"
        " return kind.startsWith('webgl') ? null : real.call(this, kind, ...more); }"
    )
    page.goto("/clusters?audit=digits&smallest=100")
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


PAINTED = """root => {
  const { canvas, painter, view, size } = root.map;
  painter.draw(view, size, { size: 6, dim: false, paper: [255, 255, 255], step: 1 });
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
  copy.drawImage(canvas, 0, 0);
  const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
  return data.filter((part, n) => n % 4 === 3 && part).length;
}"""
LOSE = """root => {
  root.lost = root.map.canvas.getContext("webgl2").getExtension("WEBGL_lose_context");
  root.lost.loseContext();
}"""


def test_two_fingers_move_the_map_and_a_lost_graphics_card_leaves_it_drawn(
    open_page: OpenPage, demo_server: str
):
    page = open_page(demo_server)
    page.goto("/clusters?audit=digits")
    drawn = Map(page)
    stage = drawn.root.locator(".stage")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    assert box is not None
    before = drawn.root.evaluate("root => ({ ...root.map.view, scrolled: scrollY })")
    x, y = box["x"] + box["width"] / 2, box["y"] + 200
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *apart: float) -> None:
        points = [
            {"x": x + sign * one, "y": y + 20 * one / 40, "id": n}
            for one in apart
            for n, sign in enumerate((-1, 1))
        ]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", 40)
    for apart in (60, 80, 100, 120):
        touch("touchMove", apart)
    touch("touchEnd")
    session.detach()
    after = drawn.root.evaluate("root => ({ ...root.map.view, scrolled: scrollY })")
    assert after["scale"] > 2.5 * before["scale"]
    assert after["scrolled"] == before["scrolled"]
    expect(drawn.root.locator(".status")).to_contain_text("on the map")

    drawn.root.get_by_role("button", name="Show the whole map").click()
    whole = drawn.root.evaluate(PAINTED)
    assert whole > 1_000
    drawn.root.evaluate(LOSE)
    expect(drawn.root.locator(".note")).to_contain_text("taken away")
    drawn.root.evaluate("root => root.lost.restoreContext()")
    expect(drawn.root.locator(".note")).to_be_hidden()
    assert drawn.root.evaluate(PAINTED) == whole
    drawn.root.evaluate("root => { root.map.patience = 50; }")
    drawn.root.evaluate(LOSE)
    expect(drawn.root.locator(".note")).to_contain_text("did not come back")
    assert drawn.root.evaluate("root => root.map.painter.plain")
    assert drawn.root.evaluate(PAINTED) > 1_000


SCRIPT = """
import sys
sys.path.insert(0, {root!r})
import numpy as np
import streamlit as st
from starlette.responses import JSONResponse
from starlette.routing import Route
from tests.ui.hostile import HOSTILE
from tracin_viz.ui.components.scatter import Category, Colouring, Label, Points, scatter
from tracin_viz.ui.map_routes import bytes_url, map_routes

def draw():
    number = len(HOSTILE)
    places = np.c_[np.arange(number), np.arange(number) % 5] * 1.0
    categories = [Category(words, 1) for words in HOSTILE]
    scatter(
        Points(places), Colouring(HOSTILE[0], np.arange(number), categories), key="map", label=HOSTILE[1],
        bytes_url=bytes_url(), card_url="/words/{{row}}",
        labels=[Label(words, *place) for words, place in zip(HOSTILE, places.tolist())],
    )

def words(request):
    one = HOSTILE[request.path_params["row"]]
    return JSONResponse({{"id": one, "alt": one, "src": "", "text": one, "given": one, "other": one}})

if st.runtime.exists():
    draw()
else:
    app = st.App(__file__, routes=[*map_routes(), Route("/words/{{row:int}}", words)])
"""
MARKUP = "a, img, script, em, code, h1, blockquote, table"


def test_hostile_names_and_texts_are_letters_on_the_map(open_page: OpenPage, tmp_path: Path):
    script = tmp_path / "hostile_map.py"
    script.write_text(SCRIPT.format(root=str(ROOT)), encoding="utf-8")
    port, log = free_port(), tmp_path / "log"
    with log.open("wb") as output:
        command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)]
        server = subprocess.Popen(
            command, cwd=ROOT, stdout=output, stderr=output, stdin=subprocess.DEVNULL, env=dict(os.environ)
        )
    try:
        wait_until_up(server, f"http://127.0.0.1:{port}", log)
        page = open_page(f"http://127.0.0.1:{port}")
        page.goto("/")
        drawn = Map(page)
        assert drawn.root.locator(".legend .text").all_text_contents() == HOSTILE
        assert drawn.root.locator(".names .label").all_text_contents() == HOSTILE
        assert drawn.root.locator(".legend .title").text_content() == HOSTILE[0]
        for place in (0, 1):
            page.mouse.move(*drawn.point(place))
            said(drawn.root, HOSTILE[place])
        assert drawn.root.locator(MARKUP).count() == 0
        assert page.evaluate("window.hit") is None
        assert page.get_by_role("application").get_attribute("aria-label") == HOSTILE[1]
    finally:
        server.terminate()
        server.wait(10)


def said(root: Locator, words: str) -> None:
    expect(root.locator(".hover .excerpt")).to_have_text(words)
    found: dict[str, Any] = root.locator(".hover").evaluate(
        "node => ({strong: node.querySelector('strong').textContent, all: node.textContent})"
    )
    assert found["strong"] == words
    assert found["all"].count(words) >= 4
