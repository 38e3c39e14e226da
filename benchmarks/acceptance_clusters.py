"""Other clusters on the map of 10,000 examples: from the key on "How cautious" to the new ones drawn.

    python -m benchmarks.acceptance_clusters [--home build/large] [--repeat 5]

The query process is warm and the coordinates are kept; every visit of the browser asks for clusters that
nobody asked for before. Median; ends with status 1 when the limit is missed. Part of ``make acceptance``.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.watching import THERE, milliseconds, seconds_until
from tests.browser.serving import ARGUMENTS, ROOT, chromium, serve, settle
from tracin_viz.config import Home
from tracin_viz.jobs.query_client import QueryClient

LIMIT = 3.0
AUDIT = "groups"
#: Smallest clusters of the address: each is another question, and so is each made as bold as can be.
SMALLEST = (10, 15, 25, 50, 100, 5)
CODES = "root => root.map.codesFrom"
#: Points in the new clusters' colours, their names, and the rows of the clusters: nothing is under way.
NEW = """([root, before]) => {
  const { map } = root;
  const app = document.querySelector("[data-testid=stApp]");
  return map.codesFrom !== before && map.codes === map.newCodes && !map.frame
    && app.dataset.testScriptState === "notRunning";
}"""


def again(page: Page, smallest: int) -> tuple[float, int]:
    """Seconds from the key to the new clusters, and how many there are."""
    page.goto(f"/clusters?audit={AUDIT}&smallest={smallest}", wait_until="commit")
    seconds_until(page, THERE, ".st-key-map #scatter[data-drawn]")
    settle(page)
    root = page.locator(".st-key-map #scatter")
    slider = page.locator(".st-key-linked_cautious input").first
    slider.focus()
    before = root.evaluate(CODES)
    begun = milliseconds(page)
    page.keyboard.press("ArrowRight")
    handle = root.element_handle()
    page.wait_for_function(NEW, arg=[handle, before], polling="raf")
    return (milliseconds(page) - begun) / 1000, root.locator(".legend .text").count()


def visits(browser: Browser, address: str, repeat: int) -> list[float]:
    """Seconds of each visit but the first."""
    found = []
    for smallest in SMALLEST[: repeat + 1]:
        context = browser.new_context(base_url=address, viewport={"width": 1400, "height": 900})
        context.set_default_timeout(60_000)
        seconds, number = again(context.new_page(), smallest)
        context.close()
        print(f"     smallest {smallest}: {seconds:.2f} s, {number} groups", flush=True)
        found.append(seconds)
    return found[1:]


def main() -> int:
    """Measure and print; 1 when the limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--home", type=Path, default=ROOT / "build" / "large")
    parser.add_argument("--repeat", type=int, default=5, choices=range(1, len(SMALLEST)))
    options = parser.parse_args()
    home = options.home.resolve()
    make = [sys.executable, "-m", "benchmarks.large_audits", "--home", str(home), "--only", AUDIT]
    subprocess.run(make, check=True, cwd=ROOT)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        with serve(home, log=Path(folder) / "server.log") as address:
            begun = time.perf_counter()
            QueryClient(Home(home)).ask("warm clusters", {}, session="acceptance")
            print(f"     query process warm after {time.perf_counter() - begun:.1f} s", flush=True)
            times = visits(browser, address, options.repeat)
        browser.close()
    QueryClient(Home(home)).stop()
    seconds = statistics.median(times)
    held = seconds <= LIMIT
    print(f"{'ok  ' if held else 'MISS'} other clusters of 10,000: {seconds:.2f} s (≤ {LIMIT:g})", flush=True)
    return int(not held)


if __name__ == "__main__":
    sys.exit(main())
