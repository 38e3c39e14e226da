"""Take the pictures of docs/screenshots: every page, light and dark at 1400 px, and once on a phone's 390 px.

Run from the project's folder: ``python -m docs.screenshots --home workspace``, or with the names of some
pages behind it. The workspace must hold the finished digits demo; its files also serve as "own data". Each
picture is a WebP file below 100 kB.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from dataclasses import replace
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

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
    "relabel": "relabel?audit=digits",
    "own-data": "own?draft={draft}",
    "own-model": "own?draft={draft}&step=model",
    "own-check": "own?draft={draft}&step=check",
}
#: What the three steps of own data show when their looks have ended.
READY = {
    "own-data": "Next: the model",
    "own-model": "Next: check that they fit",
    "own-check": "Create the audit",
}
LOOKS = (("light", 1400), ("dark", 1400), ("light", 390))
TALLEST = 1800
LARGEST = 100_000


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--home", type=Path, required=True, help="workspace with the finished digits demo")
    parser.add_argument("pages", nargs="*", help=f"some of {', '.join(PAGES)}; without any, all")
    asked = parser.parse_args()
    home = asked.home.resolve()
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        # A home folder of its own, so that the pictures show no path of this computer.
        serve(home, log=Path(folder) / "log", TRACIN_VIZ_ROOTS=str(home), HOME=folder) as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        draft = _draft(home, Path(folder))
        for name in asked.pages or PAGES:
            for look, width in LOOKS:
                phone = "-phone" if width < 600 else ""
                target = FOLDER / f"{name}-{look}{phone}.webp"
                path = PAGES[name].format(draft=draft.id)
                _keep(_picture(browser, f"{address}/{path}", look, width, ready=READY.get(name, "")), target)
        Workspace(Home(home)).drafts.remove(draft.id)
        browser.close()


def _draft(home: Path, me: Path) -> Draft:
    """The digits as somebody's own data, in their home folder ``me``."""
    space = Workspace(Home(home))
    record = space.open("digits").record
    for name, path in (("digits", record.data), ("run", record.model)):
        (me / name).symlink_to(path)
    return space.drafts.write(replace(space.drafts.new(), data="~/digits", model="~/run", name="my-digits"))


def _picture(browser: Browser, address: str, look: str, width: int, *, ready: str) -> bytes:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if look == "dark" else "light"
    )
    context.set_default_timeout(300_000)
    page = context.new_page()
    page.goto(address)
    settle(page)
    if ready:
        page.get_by_role("button", name=ready).wait_for()
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
        page.locator(".js-plotly-plot .main-svg").first.wait_for()
    # Decoding, WebGL points and fading in: nothing in the page says when those are over.
    page.wait_for_timeout(8_000)


def _begin_queue(page: Page) -> None:
    page.get_by_label("Your name", exact=True).fill("Ada")
    page.locator(".st-key-start button").click()
    page.locator(".st-key-card .card").wait_for()
    settle(page)


def _keep(taken: bytes, path: Path) -> None:
    picture = Image.open(io.BytesIO(taken)).convert("RGB")
    for quality in (85, 70, 55, 40):
        picture.save(path, "WEBP", quality=quality, method=6)
        if path.stat().st_size < LARGEST:
            return
    raise RuntimeError(f"{path.name} is larger than {LARGEST:,} bytes")


if __name__ == "__main__":
    main()
