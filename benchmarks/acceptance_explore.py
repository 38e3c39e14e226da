"""The pages at 100,000 examples, and the map at a million, in a real browser: times, memory, server time.

    python -m benchmarks.acceptance_explore [--home build/large] [--repeat 5] [--only map lasso …]

Chromium without a graphics card, on the audits of ``benchmarks.large_audits`` (made first where missing).
The server and its query process have answered each page once before it is measured; every visit of the
browser is a new one with nothing cached. Medians; ends with status 1 when a limit is missed.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, sync_playwright

from benchmarks.watching import THERE, cards, changed, milliseconds, seconds_until
from tests.browser.serving import ARGUMENTS, ROOT, chromium, serve

MISSED: list[str] = []
LASSO = ((0.3, 0.3), (0.7, 0.3), (0.7, 0.7), (0.3, 0.7), (0.3, 0.32))
MAP = ".st-key-map"
LISTS = "[class*=st-key-list_proponents]"  # of estimates, then of exact scores
DRAWN = "one => one.querySelector('#scatter')?.dataset.drawn"

#: Name: (what it is, its limit in seconds, audit).
LIMITS: dict[str, tuple[str, float, str]] = {
    "map": ("map of 100,000 first drawn", 2.5, "pictures"),
    "lasso": ("lasso to gallery", 0.5, "pictures"),
    "threshold": ("threshold of the suspects changed", 0.7, "pictures"),
    "facet": ("facet of the suspects changed", 0.7, "pictures"),
    "flip": ("next page of the gallery", 0.4, "pictures"),
    "query": ("another query to its proponents", 1.0, "pictures"),
    "exact": ("200 candidates ranked exactly", 10.0, "pictures"),
    "million": ("map of 1,000,000 first drawn", 5.0, "rows"),
    "million lasso": ("lasso to gallery of 1,000,000", 1.0, "rows"),
}


def report(what: str, figure: float, limit: float, unit: str) -> None:
    """Print a figure beside its limit and remember a miss."""
    held = figure <= limit
    print(f"{'ok  ' if held else 'MISS'} {what}: {figure:.3g} {unit} (≤ {limit:g})", flush=True)
    if not held:
        MISSED.append(what)


def first_drawn(page: Page, audit: str) -> float:
    """Seconds from opening the address to the first picture of the map."""
    page.goto(f"/clusters?audit={audit}", wait_until="commit")
    seconds_until(page, THERE, MAP + " #scatter[data-drawn]")
    return milliseconds(page) / 1000


def lasso(page: Page, audit: str) -> float:
    """Seconds from letting go of the mouse to the cards of the selection."""
    first_drawn(page, audit)
    page.wait_for_timeout(1500)  # the rest of the page
    stage = page.locator(MAP + " .stage")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    if box is None:
        raise SystemExit("the map is not to be seen")
    spots = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in LASSO]
    page.mouse.move(*spots[0])
    page.mouse.down()
    for spot in spots[1:]:
        page.mouse.move(*spot, steps=10)
    return changed(page, ".st-key-selection", page.mouse.up)


def threshold(page: Page, audit: str) -> float:
    """Seconds from a key on the threshold to another number of examples above it."""
    page.goto(f"/suspects?audit={audit}")
    cards(page, ".st-key-suspects")
    slider = page.locator(".st-key-linked_share input").first
    slider.focus()
    words = page.get_by_text("above the line").first.text_content()
    begun = milliseconds(page)
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "words => ![...document.querySelectorAll('[data-testid=stCaptionContainer]')]"
        ".some(one => one.textContent === words)",
        arg=words,
        polling="raf",
    )
    return (milliseconds(page) - begun) / 1000


def facet(page: Page, audit: str) -> float:
    """Seconds from choosing a class to its suspects."""
    page.goto(f"/suspects?audit={audit}")
    cards(page, ".st-key-suspects")
    facets = page.locator(".st-key-facets_suspects")
    facets.locator("#head-label").click()
    value = facets.locator(".panel .value").filter(has_text="square").locator("input")
    return changed(page, ".st-key-suspects", value.check)


def flip(page: Page, audit: str) -> float:
    """Seconds from "next page" to the other cards."""
    page.goto(f"/suspects?audit={audit}")
    cards(page, ".st-key-suspects")
    page.wait_for_timeout(1000)
    return changed(page, ".st-key-suspects", page.get_by_role("button", name="Page 2", exact=True).click)


def query(page: Page, audit: str) -> float:
    """Seconds from clicking another query to its first proponents, exact or not yet."""
    _answered(page, audit)
    candidate = page.locator(".st-key-candidates .card").nth(2)
    return changed(page, LISTS, candidate.click)


def exact(page: Page, audit: str) -> float:
    """Seconds from clicking another query to the exact scores."""
    said = _answered(page, audit)
    candidate = page.locator(".st-key-candidates .card").nth(2)
    begun = milliseconds(page)
    candidate.click()
    said.filter(has_text="Estimated").first.wait_for()
    said.filter(has_text="Exact").first.wait_for()
    return (milliseconds(page) - begun) / 1000


def _answered(page: Page, audit: str) -> Locator:
    """Open the Influence page and wait for its first exact answer; the words that say how exact it is."""
    # Another query at every visit: an answer given before would come from the cache.
    page.goto(f"/influence?audit={audit}&query=test:{13 * next(_visits)}")
    said = page.locator("[data-testid=stCaptionContainer] strong")
    said.filter(has_text="Exact").first.wait_for()
    cards(page, LISTS)
    return said


_visits = itertools.count(1)


MEASURES: dict[str, Callable[[Page, str], float]] = {
    "map": first_drawn,
    "lasso": lasso,
    "threshold": threshold,
    "facet": facet,
    "flip": flip,
    "query": query,
    "exact": exact,
    "million": first_drawn,
    "million lasso": lasso,
}


def measure(browser: Browser, address: str, name: str, repeat: int) -> None:
    """Report the median of ``repeat`` visits after one that is not counted."""
    what, limit, audit = LIMITS[name]
    times = []
    for _ in range(repeat + 1):
        context = browser.new_context(base_url=address, viewport={"width": 1400, "height": 900})
        context.set_default_timeout(90_000)
        times.append(MEASURES[name](context.new_page(), audit))
        context.close()
    report(what, statistics.median(times[1:]), limit, "s")


def five_tabs(browser: Browser, address: str, pid: int) -> None:
    """Memory of the app with the large audit open in five tabs."""
    context = browser.new_context(base_url=address)
    context.set_default_timeout(60_000)
    for path in ("suspects", "clusters", "influence", "relabel", "clusters"):
        page = context.new_page()
        page.goto(f"/{path}?audit=pictures")
        page.wait_for_timeout(4000)
    text = Path(f"/proc/{pid}/status").read_text()
    resident = int(next(line for line in text.splitlines() if line.startswith("VmRSS")).split()[1]) / 1000
    context.close()
    report("the app with 100,000 examples in five tabs", resident, 400, "MB")


def main() -> int:
    """Measure and print; 1 when a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--home", type=Path, default=ROOT / "build" / "large")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--only", nargs="*", default=["memory", *LIMITS], help=f"some of memory, {LIMITS}")
    options = parser.parse_args()
    home = options.home.resolve()
    subprocess.run(
        [sys.executable, "-m", "benchmarks.large_audits", "--home", str(home)], check=True, cwd=ROOT
    )
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        log = Path(folder) / "server.log"
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        with serve(home, log=log) as address:
            if "memory" in options.only:
                five_tabs(browser, address, int(log.with_suffix(".pid").read_text()))
            for name in LIMITS:
                if name in options.only:
                    measure(browser, address, name, options.repeat)
        browser.close()
    return int(bool(MISSED))


if __name__ == "__main__":
    sys.exit(main())
