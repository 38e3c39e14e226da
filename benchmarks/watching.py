"""Waiting in the browser, frame by frame, for what a visitor would see: for measurements of milliseconds."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page

#: Finds elements below every shadow root, as Playwright's locators do; these waits run inside the browser,
#: because a round trip to Playwright costs more than what is measured.
_DEEP = """
const deep = (root, selector) => {
  const found = [...root.querySelectorAll(selector)];
  for (const one of root.querySelectorAll("*")) {
    if (one.shadowRoot) found.push(...deep(one.shadowRoot, selector));
  }
  return found;
};
const within = (selector) => {
  const [outer, inner] = selector.split(" ");
  return [...document.querySelectorAll(outer)].flatMap((one) => inner ? deep(one, inner) : [one]);
};
"""

#: There is an element that fits the selector ``outer inner``.
THERE = "selector => {" + _DEEP + "return within(selector).length > 0; }"

#: The cards below a selector, by their examples' ids, when the first of them shows its picture.
_IDS = (
    "selector => {"
    + _DEEP
    + """
  const cards = within(selector + " .card[data-id]");
  const picture = cards[0]?.querySelector("img");
  return cards.length && (!picture || picture.complete) ? cards.map((one) => one.dataset.id).join(" ") : "";
}"""
)
_OTHER = "([selector, before]) => { const now = (" + _IDS + ")(selector); return now && now !== before; }"


def milliseconds(page: Page) -> float:
    """Since the page began to load."""
    return float(page.evaluate("() => performance.now()"))


def seconds_until(page: Page, condition: str, argument: str) -> float:
    """Wait for a condition, looked at in every frame; seconds since the page began to load."""
    page.wait_for_function(condition, arg=argument, polling="raf")
    return milliseconds(page) / 1000


def cards(page: Page, selector: str) -> str:
    """Wait for the cards below ``selector``; the ids of their examples."""
    page.wait_for_function(_IDS, arg=selector, polling="raf")
    return str(page.evaluate(_IDS, selector))


def changed(page: Page, selector: str, act: Callable[[], None]) -> float:
    """Seconds from ``act`` until other cards, the first with its picture, are below ``selector``."""
    before = str(page.evaluate(_IDS, selector))
    begun = milliseconds(page)
    act()
    page.wait_for_function(_OTHER, arg=[selector, before], polling="raf")
    return (milliseconds(page) - begun) / 1000
