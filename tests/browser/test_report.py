"""The report in a browser without any network, and the presentation in the app."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.serving import settle
from tests.report.test_page import document
from tests.ui.hostile import HOSTILE
from tracin_viz.audit import ReportOptions, Workspace, report_page
from tracin_viz.config import Home

OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def file(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the demo with 50 pictures; exact scores of one prediction only, to save time."""
    audit = Workspace(Home(demo_home)).open("digits")
    report = audit.report(ReportOptions(findings=50, neighbours=0))
    return audit.write_report(report, tmp_path_factory.mktemp("report") / "report.html")


@pytest.fixture
def offline(browser: Browser) -> Iterator[Callable[[Path, int, str], Page]]:
    """Opens a file where nothing can be reached; whatever is asked for, or fails, fails the test."""
    contexts, asked = [], []

    def opened(path: Path, width: int, look: str) -> Page:
        scheme = "dark" if look == "dark" else "light"
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: asked.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: asked.append(f"script: {error}"))
        page.on(
            "request",
            lambda sent: None if sent.url.startswith(("file:", "data:")) else asked.append(sent.url),
        )
        page.goto(path.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert asked == []


@pytest.mark.parametrize(("width", "look"), [(390, "light"), (1280, "light"), (390, "dark")])
def test_the_report_opens_without_a_network_and_reads_well(
    offline: Callable[[Path, int, str], Page], file: Path, width: int, look: str
):
    assert file.stat().st_size <= 5_000_000
    page = offline(file, width, look)
    expect(page.get_by_role("heading", level=1)).to_have_text("Handwritten digits")
    assert page.locator("#findings img").count() == 50
    assert page.evaluate("[...document.images].every(one => one.complete && one.naturalWidth > 0)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    # Its own style is allowed by its policy: otherwise nothing of the look would be there.
    assert page.evaluate("getComputedStyle(document.querySelector('.tiles')).display") == "grid"
    serious = [
        (found["id"], found["nodes"][0]["html"][:200])
        for found in Axe().run(page).response["violations"]
        if found["impact"] in ("serious", "critical")
    ]
    assert serious == []


def test_hostile_words_run_nothing(offline: Callable[[Path, int, str], Page], tmp_path: Path):
    report = document()
    finding = report["findings"][0]
    report["findings"] = [
        {**finding, "label": text, "suggested": text, "content": {"text": text}, "id": text}
        for text in HOSTILE
    ]
    report["title"] = HOSTILE[1]
    file = tmp_path / "hostile.html"
    file.write_text(report_page(report), "utf-8")
    page = offline(file, 390, "light")
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE[1])
    assert page.evaluate("window.hit === undefined")
    assert page.locator("script").count() == 0
    assert page.locator("#findings .card").count() == len(HOSTILE)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_presentation_follows_the_keys_and_the_address(open_page: OpenPage, demo_server: str):
    page = open_page(demo_server)
    page.goto("/report?audit=digits")
    page.get_by_role("button", name="Present").click()
    stage = page.locator("#stage")
    expect(stage.get_by_role("heading")).to_have_text("Handwritten digits")
    page.keyboard.press("ArrowRight")
    expect(stage.get_by_role("heading")).to_contain_text("→")
    page.keyboard.press("ArrowRight")
    page.wait_for_url(re.compile(r"present=3"))
    shown = stage.get_by_role("heading").inner_text()
    assert stage.locator("button").count() == 0
    page.reload()  # the address says where it was
    expect(stage.get_by_role("heading")).to_have_text(shown)
    settle(page)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Home")
    expect(stage.get_by_role("heading")).to_have_text("Handwritten digits")
    page.keyboard.press("End")
    expect(stage.get_by_role("heading")).to_have_text("What this rests on")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Make the report")).to_be_visible()
    assert "present" not in page.url


@pytest.mark.parametrize("look", ["light", "dark"])
def test_the_presentation_fits_a_phone(open_page: OpenPage, demo_server: str, look: str):
    page = open_page(demo_server, width=390, look=look)
    page.goto("/report?audit=digits&present=4")
    stage = page.locator("#stage")
    expect(stage.locator("img")).to_be_visible()
    expect(stage.get_by_role("img", name="Step 4 of 14")).to_be_visible()
    assert stage.evaluate("node => node.scrollWidth - node.clientWidth") == 0
    settle(page)
    serious = [
        (found["id"], found["nodes"][0]["html"][:200])
        for found in Axe().run(page).response["violations"]
        if found["impact"] in ("serious", "critical") and "stage" in str(found["nodes"][0]["target"])
    ]
    assert serious == []
