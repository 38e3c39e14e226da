"""Take the pictures of docs/screenshots: every page and state, light and dark, on a phone, and in Chinese.

Run from the project's folder: ``python -m docs.screenshots --home workspace``, or with the names of some
pages or states (docs/states.py) behind it. The workspace must hold the finished digits demo; its files also
serve as "own data". Each picture is a WebP file below 100 kB. Pictures in Chinese need a font that has its
characters (on Debian: fonts-noto-cjk); without one they are left out.
"""

from __future__ import annotations

import argparse
import functools
import io
import shutil
import subprocess
import tempfile
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from docs.states import STATES, shown
from tests.browser.serving import ARGUMENTS, chromium, serve, settle
from tracin_viz.audit import Draft, Workspace
from tracin_viz.config import Home

FOLDER = Path(__file__).parent / "screenshots"
PAGES = {
    "start": "",
    "compute": "compute?audit=digits",
    "influence": "influence?audit=digits",
    "suspects": "suspects?audit=digits",
    "clusters": "clusters?audit=digits",
    "compare": "compare?audit=digits",
    "relabel": "relabel?audit=digits",
    "evidence": "evidence?audit=digits",
    "report": "report?audit=digits",
    "help": "influence?audit=digits",
    "own-data": "own?draft={draft}",
    "own-model": "own?draft={draft}&step=model",
    "own-check": "own?draft={draft}&step=check",
}
#: The button that each step of own data shows when its looks have ended, by its key.
READY = {
    "own-data": "next_model",
    "own-model": "next_check",
    "own-check": "create",
}
#: Look, width, language.
LOOKS = (
    ("light", 1400, "en"),
    ("dark", 1400, "en"),
    ("light", 390, "en"),
    ("light", 1400, "zh"),
    ("dark", 1400, "zh"),
)
TALLEST = 1800
LARGEST = 100_000


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--home", type=Path, required=True, help="workspace with the finished digits demo")
    names = [*PAGES, *STATES]
    parser.add_argument("pages", nargs="*", help=f"some of {', '.join(names)}; without any, all")
    parser.add_argument("--languages", nargs="+", default=["en", "zh"], choices=["en", "zh"])
    asked = parser.parse_args()
    if unknown := set(asked.pages) - set(names):
        parser.error(f"no page or state is called {', '.join(sorted(unknown))}")
    home = asked.home.resolve()
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        wanted = asked.pages or names
        if pages := [name for name in wanted if name in PAGES]:
            _pages(browser, home, pages, asked.languages)
        for name in wanted:
            if name in STATES:
                _state(browser, home, name, asked.languages)
        browser.close()


def _pages(browser: Browser, home: Path, pages: Collection[str], languages: Collection[str]) -> None:
    """Pictures of the pages of the finished demo."""
    with (
        tempfile.TemporaryDirectory() as folder,
        # A home folder of its own, so that the pictures show no path of this computer.
        serve(home, log=Path(folder) / "log", TRACIN_VIZ_ROOTS=str(home), HOME=folder) as address,
    ):
        draft = _draft(home, Path(folder))
        for name in pages:
            for look, width, language in asked_looks(languages):
                place = f"{address}/{PAGES[name].format(draft=draft.id)}"
                seen = _in(place, language)
                taken = _picture(browser, seen, look, width, ready=READY.get(name, ""), opened=name)
                _keep(taken, _file(name, look, width, language))
        Workspace(Home(home)).drafts.remove(draft.id)


def _state(browser: Browser, home: Path, name: str, languages: Collection[str]) -> None:
    """Pictures of one state; a phone shows nothing else there."""
    with tempfile.TemporaryDirectory() as folder, shown(STATES[name], Path(folder), home) as place:
        for look, width, language in asked_looks(languages):
            if width > 600:
                taken = _picture(browser, _in(place, language), look, width, ready="", opened=name)
                _keep(taken, _file(name, look, width, language))


def _in(place: str, language: str) -> str:
    return f"{place}{'&' if '?' in place else '?'}lang={language}"


def _file(name: str, look: str, width: int, language: str) -> Path:
    ending = ("-phone" if width < 600 else "") + ("" if language == "en" else f"-{language}")
    return FOLDER / f"{name}-{look}{ending}.webp"


def asked_looks(languages: Collection[str]) -> list[tuple[str, int, str]]:
    """The looks whose language is asked for and can be drawn on this computer."""
    return [one for one in LOOKS if one[2] in languages and (one[2] != "zh" or has_chinese_font())]


@functools.cache
def has_chinese_font() -> bool:
    """Whether this computer can draw Chinese; where nothing can be asked, that is assumed."""
    if shutil.which("fc-list") is None:
        return True
    found = subprocess.run(["fc-list", ":lang=zh"], capture_output=True, text=True, check=False)
    return bool(found.stdout.strip())


def _draft(home: Path, me: Path) -> Draft:
    """The digits as somebody's own data, in their home folder ``me``."""
    space = Workspace(Home(home))
    record = space.open("digits").record
    for name, path in (("digits", record.data), ("run", record.model)):
        (me / name).symlink_to(path)
    return space.drafts.write(replace(space.drafts.new(), data="~/digits", model="~/run", name="my-digits"))


def _picture(browser: Browser, address: str, look: str, width: int, *, ready: str, opened: str) -> bytes:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if look == "dark" else "light"
    )
    context.set_default_timeout(300_000)
    page = context.new_page()
    page.goto(address)
    settle(page)
    if opened == "help":
        page.locator(".st-key-help button").click()
        page.get_by_role("dialog").wait_for()
    if ready:
        page.locator(f".st-key-{ready} button").wait_for()
        settle(page)
        if page.get_by_test_id("stPlotlyChart").count():  # it grows the page when it is drawn
            page.locator(".js-plotly-plot .main-svg").first.wait_for()
    if "/relabel" in address:
        _begin_queue(page)
    _fit(page, width)
    _wait_for_pictures(page)
    _fit(page, width)  # charts and captions that came late have made it taller
    taken = page.screenshot()
    context.close()
    return taken


def _fit(page: Page, width: int) -> None:
    """Make the window as tall as the page."""
    height = page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollHeight")
    page.set_viewport_size({"width": width, "height": min(int(height), TALLEST)})
    settle(page)


def _wait_for_pictures(page: Page) -> None:
    loaded = (
        "all => all.filter(one => one.getBoundingClientRect().top < innerHeight)"
        ".every(one => one.complete && one.naturalWidth > 0)"
    )
    for _ in range(300):
        if page.locator(".card img").evaluate_all(loaded):
            break
        page.wait_for_timeout(200)
    if page.get_by_test_id("stPlotlyChart").count():
        page.locator(".js-plotly-plot .main-svg").first.wait_for(state="attached")
    # Decoding, WebGL points and fading in: nothing in the page says when those are over.
    page.wait_for_timeout(8_000)


def _begin_queue(page: Page) -> None:
    page.locator(".st-key-annotator input").fill("Ada")
    page.locator(".st-key-start button").click()
    page.locator("#relabel .shown").wait_for()
    settle(page)


def _keep(taken: bytes, path: Path) -> None:
    picture = Image.open(io.BytesIO(taken)).convert("RGB")
    for quality in (85, 70, 55, 40, 30, 20):
        picture.save(path, "WEBP", quality=quality, method=6)
        if path.stat().st_size < LARGEST:
            return
    raise RuntimeError(f"{path.name} is larger than {LARGEST:,} bytes")


if __name__ == "__main__":
    main()
