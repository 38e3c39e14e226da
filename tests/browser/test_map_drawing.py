"""The map's drawing in a real browser: two fingers, a lost graphics card, and names that are only letters."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.browser.maps import Map
from tests.browser.serving import ROOT, serve
from tests.ui.hostile import HOSTILE

OpenPage = Callable[..., Page]

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
    with serve(tmp_path / "home", log=tmp_path / "log", script=str(script)) as address:
        page = open_page(address)
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


def said(root: Locator, words: str) -> None:
    expect(root.locator(".hover .excerpt")).to_have_text(words)
    found: dict[str, Any] = root.locator(".hover").evaluate(
        "node => ({strong: node.querySelector('strong').textContent, all: node.textContent})"
    )
    assert found["strong"] == words
    assert found["all"].count(words) >= 4
