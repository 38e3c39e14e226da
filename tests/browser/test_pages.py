"""Every page with no audit, with the demo and with a failed run: its heading, and no traceback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.serving import serve, settle

HEADINGS = {
    "": "What do you want to audit?",
    "compute": "What is computed, and how far is it?",
    "influence": "Which training examples pushed this prediction?",
    "suspects": "Which training labels look wrong or rare?",
    "clusters": "Which groups of examples does the model treat alike?",
    "compare": "Would other checkpoints, or another audit, say the same?",
    "relabel": "Is this label right?",
    "evidence": "Do the decisions help?",
    "report": "What shall others see of this audit?",
    "own": "What are your data and your model?",
}
PROOF = {
    "": "Recent audits",
    "compute": "Which checkpoints count, and how much?",
    "influence": "Against",
    "suspects": "How many of the known wrong labels does this find?",
    "clusters": "What do the members of each cluster have in common?",
    "compare": "Do both sides suspect the same labels?",
    "relabel": "Your name",
    "evidence": "Do the decisions help?",
    "report": "Make the report",
    "own": "Which data was the model trained on?",
}
OpenPage = Callable[..., Page]


def healthy(page: Page, path: str) -> None:
    expect(page.get_by_role("heading", name=HEADINGS[path.partition("?")[0]])).to_be_visible()
    settle(page)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.locator(".st-key-unexpected_error")).to_have_count(0)


@pytest.mark.parametrize("path", HEADINGS)
def test_with_no_audit(open_page: OpenPage, empty_server: str, path: str):
    page = open_page(empty_server)
    page.goto(f"/{path}")
    healthy(page, path)
    expect(page.get_by_text("Which data was" if path == "own" else "Try the demo").first).to_be_visible()


def test_a_link_to_a_page_works_as_the_first_visit_of_a_fresh_server(open_page: OpenPage, tmp_path: Path):
    with serve(tmp_path / "home", log=tmp_path / "log") as address:
        page = open_page(address)
        page.goto("/relabel")
        healthy(page, "relabel")
        expect(page.get_by_role("link", name="Suspects")).to_be_visible()
        expect(page).to_have_title("TracIn-Viz")


@pytest.mark.parametrize("path", HEADINGS)
def test_with_the_demo_and_with_one_filled_button_at_most(open_page: OpenPage, demo_server: str, path: str):
    page = open_page(demo_server)
    page.goto(f"/{path}")
    healthy(page, path)
    expect(page.get_by_text(PROOF[path]).first).to_be_visible()
    expect(page.locator(".st-key-known_error")).to_have_count(0)
    # A button with a help text has a second one that is not shown.
    expect(page.get_by_test_id("stBaseButton-primary").filter(visible=True).nth(1)).to_have_count(0)


@pytest.mark.parametrize("path", [path for path in HEADINGS if path != "own"])
def test_with_a_failed_run(open_page: OpenPage, failed_server: str, path: str):
    page = open_page(failed_server)
    page.goto(f"/{path}")
    healthy(page, path)
    expect(page.get_by_text("failed").first).to_be_visible()


@pytest.mark.parametrize(
    "path", ["influence?audit=nobody", "influence?query=test:99999", "relabel?item=x", "suspects?by=x"]
)
def test_nonsense_in_the_address(open_page: OpenPage, demo_server: str, path: str):
    page = open_page(demo_server)
    page.goto(f"/{path}")
    healthy(page, path)


@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize("path", HEADINGS)
def test_no_page_scrolls_sideways_on_a_phone(open_page: OpenPage, demo_server: str, path: str, look: str):
    page = open_page(demo_server, width=390, look=look)
    page.goto(f"/{path}")
    healthy(page, path)
    expect(page.get_by_text(PROOF[path]).first).to_be_attached()
    widths = page.evaluate(
        "() => { const main = document.querySelector('[data-testid=stMain]');"
        " return [main.scrollWidth - main.clientWidth,"
        " document.documentElement.scrollWidth - document.documentElement.clientWidth]; }"
    )
    assert widths == [0, 0]
