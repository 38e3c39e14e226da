"""Every page in a browser: whole, readable in both looks, at most one filled button, no wider than a phone.

Pages without an audit, after a failed run and with nonsense in the address: ``tests/ui/test_pages.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import findings
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
#: Neither the page nor what scrolls in it is wider than the window.
FITS = (
    "() => [document.querySelector('[data-testid=stMain]'), document.documentElement]"
    ".every((part) => part.scrollWidth === part.clientWidth)"
)
OpenPage = Callable[..., Page]


def healthy(page: Page, path: str) -> None:
    expect(page.get_by_role("heading", name=HEADINGS[path.partition("?")[0]])).to_be_visible()
    settle(page)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.locator(".st-key-unexpected_error")).to_have_count(0)


def test_with_no_audit_a_link_to_a_page_works_as_the_first_visit_of_a_fresh_server(
    open_page: OpenPage, tmp_path: Path
):
    with serve(tmp_path / "home", log=tmp_path / "log") as address:
        page = open_page(address)
        page.goto("/relabel")
        healthy(page, "relabel")
        expect(page.get_by_role("link", name="Suspects")).to_be_visible()
        expect(page).to_have_title("TracIn-Viz")
        for path, words in (("", "Try the demo"), ("own", "Which data was"), ("influence", "Try the demo")):
            page.goto(f"/{path}")
            healthy(page, path)
            expect(page.get_by_text(words).first).to_be_visible()


@pytest.mark.parametrize("look", ["light", "dark"])
def test_a_page_has_one_filled_button_at_most_no_serious_finding_and_fits_a_phone(
    open_page: OpenPage, demo_server: str, look: str
):
    page = open_page(demo_server, look=look)
    found = {}
    for path in HEADINGS:
        page.set_viewport_size({"width": 1400, "height": 900})
        page.goto(f"/{path}?audit=digits")
        healthy(page, path)
        expect(page.get_by_text(PROOF[path]).first).to_be_visible()
        expect(page.locator(".st-key-known_error")).to_have_count(0)
        # A button with a help text has a second one that is not shown.
        expect(page.get_by_test_id("stBaseButton-primary").filter(visible=True).nth(1)).to_have_count(0)
        settle(page)
        found[path] = findings(page)
        page.set_viewport_size({"width": 390, "height": 900})
        page.wait_for_function(FITS)
    page.set_viewport_size({"width": 1400, "height": 900})
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Influence vector")
    found["help"] = findings(page)
    assert not {path: bad for path, bad in found.items() if bad}
