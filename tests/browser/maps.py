"""The map of the Clusters page as a visitor uses it, and the slow twin of what its browser code selects."""

from __future__ import annotations

import re

import numpy as np
from playwright.sync_api import Page, expect

from tests.browser.serving import settle
from tracin_viz.audit import Audit


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
