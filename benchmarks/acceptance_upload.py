"""Memory and patience of the app while data come in: ``python benchmarks/acceptance_upload.py``.

* A 500 MB upload through a real browser: the server's memory may grow by less than 50 MB.
* 100,000 images by path: at most 500 MB in the app's process, and it answers others meanwhile.

Prints one line per figure, with its limit, and ends with status 1 when a limit is missed. ``tests/browser``
runs both in small.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # started as a file, Python looks in benchmarks/ only

from tests.browser.serving import ARGUMENTS, chromium, serve, settle  # noqa: E402

PATIENCE = 1_800_000  # milliseconds: 100,000 files on a slow disk
MEGA = 1_000_000


@dataclass
class Watch:
    """The memory of a process and how long it takes to answer, looked at all the time in between.

    Attributes:
        pid: The server's process.
        address: Where it answers.
        first: Megabytes at the beginning.
        most: Megabytes at most.
        slowest: Seconds of the slowest answer.
    """

    pid: int
    address: str
    first: float = 0.0
    most: float = 0.0
    slowest: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Watch:
        self.first = self.most = resident(self.pid)
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(0.05):
            self.most = max(self.most, resident(self.pid))
            began = time.monotonic()
            with urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=60) as answer:
                answer.read()
            self.slowest = max(self.slowest, time.monotonic() - began)


def resident(pid: int) -> float:
    """Megabytes of memory that the process holds."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1000 if found else 0.0


def send_file(page: Page, pid: int, address: str, file: Path) -> Watch:
    """Upload ``file`` on the page of own data and watch the server meanwhile."""
    page.goto(f"{address}/own")
    settle(page)
    page.get_by_role("radio", name="Upload").or_(page.get_by_role("button", name="Upload")).first.click()
    settle(page)
    with Watch(pid, address) as watch:
        page.locator("input[type=file].file").set_input_files(file)
        expect(page.get_by_text("✓ Uploaded")).to_be_visible(timeout=PATIENCE)
    return watch


def look_at_images(page: Page, pid: int, address: str, folder: Path) -> tuple[Watch, float]:
    """Type the path of ``folder`` and watch until its preview is there; the watch and the seconds it took."""
    page.goto(f"{address}/own")
    settle(page)
    with Watch(pid, address) as watch:
        began = time.monotonic()
        page.get_by_label("Path of the data").fill(str(folder))
        page.get_by_label("Path of the data").press("Enter")
        expect(page.get_by_text("Is this what you expect?")).to_be_visible(timeout=PATIENCE)
        return watch, time.monotonic() - began


def write_images(folder: Path, count: int) -> Path:
    """``count`` different small pictures in two splits and ten classes."""
    for number in range(count):
        split = "test" if number % 5 == 0 else "train"
        place = folder / split / f"class-{number % 10}"
        place.mkdir(parents=True, exist_ok=True)
        picture = Image.new("RGB", (8, 8), (number % 256, number // 256 % 256, number // 65536))
        picture.save(place / f"{number:06d}.bmp")
    return folder


def write_file(path: Path, megabytes: int) -> Path:
    """A file of that many megabytes of noise."""
    with path.open("wb") as target:
        for _ in range(megabytes):
            target.write(os.urandom(MEGA))
    return path


def main() -> int:
    """Measure both; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megabytes", type=int, default=500)
    parser.add_argument("--images", type=int, default=100_000)
    options = parser.parse_args()
    missed = []

    def report(what: str, figure: float, limit: float, unit: str) -> None:
        print(
            f"{'ok  ' if figure <= limit else 'MISS'} {what}: {figure:.3g} {unit} (≤ {limit:g})", flush=True
        )
        if figure > limit:
            missed.append(what)

    with tempfile.TemporaryDirectory(prefix="tracin-viz-upload-") as base, sync_playwright() as playwright:
        place = Path(base)
        file = write_file(place / "large.zip", options.megabytes)
        images = write_images(place / "images", options.images)
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        with serve(place / "home", log=place / "server.log", TRACIN_VIZ_ROOTS=base) as address:
            pid = int((place / "server.pid").read_text())
            page = browser.new_page()
            watch = send_file(page, pid, address, file)
            report(f"upload of {options.megabytes} MB: growth of the app", watch.most - watch.first, 50, "MB")
            report("slowest answer to others meanwhile", watch.slowest, 1, "s")
            watch, seconds = look_at_images(browser.new_page(), pid, address, images)
            report(f"{options.images:,} images by path: memory of the app", watch.most, 500, "MB")
            report("slowest answer to others meanwhile", watch.slowest, 1, "s")
            report("seconds until the preview", seconds, 600, "s")
        browser.close()
    print("all limits held" if not missed else f"missed: {', '.join(missed)}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
