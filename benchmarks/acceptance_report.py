"""The report of an audit: made by the command, opened where there is no network, read by axe, printed.

    python -m benchmarks.acceptance_report            (makes the digits demo where there is none)

Prints what was measured beside its limit and ends with 1 where one was missed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.serving import ARGUMENTS, chromium
from tracin_viz.audit import Workspace
from tracin_viz.config import HOME_VARIABLE, Home

#: Bytes of a report with 50 pictures.
LARGEST = 5_000_000
PICTURES = 50
LOOKS = [(390, "light"), (390, "dark"), (1280, "light"), (1280, "dark")]


def main() -> int:
    """Make reports in both languages and look at them; returns the exit status."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--home", help=f"workspace (default ${HOME_VARIABLE} or a fresh one)")
    chosen = options.parse_args().home or os.environ.get(HOME_VARIABLE)
    with tempfile.TemporaryDirectory() as folder:
        home = Home.resolve(chosen or Path(folder) / "home")
        if not Workspace(home).has("digits"):
            _command(home, "demo", "digits")
        missed = []
        for language in ("en", "zh"):
            missed += list(_checked(home, Path(folder) / f"report-{language}.html", language))
    print("missed: " + "; ".join(missed) if missed else "all limits held")
    return 1 if missed else 0


def _command(home: Home, *words: str) -> float:
    """Run a command of the package; returns its seconds."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-m", "tracin_viz", *words, "--home", str(home.root)], check=True)
    return time.monotonic() - began


def _checked(home: Home, file: Path, language: str) -> Iterator[str]:
    asked = ("--output", str(file), "--findings", str(PICTURES), "--large-pictures", "--language", language)
    seconds = _command(home, "report", "digits", *asked)
    size = file.stat().st_size
    print(f"{language}: {size / 1e6:.2f} MB for {PICTURES} large pictures (limit 5), made in {seconds:.0f} s")
    if size > LARGEST:
        yield f"{language}: {size} bytes"
    with _browser() as browser:
        for width, look in LOOKS:
            found = _looked_at(browser, file, width, look)
            print(f"{language}, {width} px, {look}: {found}")
            yield from (f"{language} {width} {look} {name}" for name, count in found.items() if count)


@contextmanager
def _browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield started
        started.close()


def _looked_at(browser: Browser, file: Path, width: int, look: Any) -> dict[str, int]:
    """Count what must not be there: requests, messages, pixels to the side, broken pictures, axe."""
    size: Any = {"width": width, "height": 900}
    context = browser.new_context(viewport=size, color_scheme=look, offline=True)
    page = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on(
        "request", lambda sent: None if sent.url.startswith(("file:", "data:")) else asked.append(sent.url)
    )
    page.goto(file.as_uri())
    found = {
        "requests": len(asked),
        "messages": len(said),
        "sideways": max(0, int(page.evaluate("document.documentElement.scrollWidth")) - width),
        "broken pictures": int(page.evaluate("[...document.images].filter(one => !one.naturalWidth).length")),
        "scripts": page.locator("script").count(),
        "axe": _serious(page),
    }
    if width > 1000 and look == "light":
        page.pdf(path=str(file.with_suffix(".pdf")), format="A4")
        found["empty print"] = int(file.with_suffix(".pdf").stat().st_size < 10_000)
    context.close()
    return found


def _serious(page: Page) -> int:
    found = Axe().run(page).response["violations"]
    return sum(one["impact"] in ("serious", "critical") for one in found)


if __name__ == "__main__":
    sys.exit(main())
