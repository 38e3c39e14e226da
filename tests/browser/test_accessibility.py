"""axe-core finds nothing serious in panels that open; the main path works by keyboard alone."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.axe import findings
from tests.browser.serving import settle
from tests.browser.test_pages import PROOF, healthy

OpenPage = Callable[..., Page]


def test_panels_that_open_have_no_serious_finding(open_page: OpenPage, demo_server: str):
    page = open_page(demo_server, look="dark")
    page.goto("/suspects?audit=digits")
    settle(page)
    page.get_by_role("button", name="Views").click()
    expect(page.get_by_role("button", name="Save this view")).to_be_visible()
    assert not findings(page)
    page.keyboard.press("Escape")
    page.locator(".st-key-suspects button.card").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    settle(page)
    assert not findings(page)


def test_from_start_to_clusters_by_keyboard_alone(open_page: OpenPage, demo_server: str):
    page = open_page(demo_server)
    page.goto("/?audit=digits")  # a link with a view is not offered the tour
    expect(page.get_by_text("Recent audits")).to_be_visible()
    settle(page)
    _tab_to(page, "Try the demo")
    page.keyboard.press("Enter")
    page.wait_for_url("**/influence?**")
    expect(page.locator(".st-key-list_proponents button.card").first).to_be_visible()
    settle(page)
    for name in ("Suspects", "Clusters"):
        _tab_to(page, name)
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/{name.lower()}**")
        healthy(page, name.lower())
        expect(page.get_by_text(PROOF[name.lower()]).first).to_be_attached()
        settle(page)
    page.locator(".st-key-map").get_by_role("button").first.focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement !== document.body")


def _tab_to(page: Page, words: str) -> None:
    """Press Tab until what has the focus says ``words``."""
    for _ in range(120):
        page.keyboard.press("Tab")
        said = page.evaluate(
            "() => { let at = document.activeElement; if (!at?.matches('a, button')) return '';"
            " while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;"
            " return at ? (at.getAttribute('aria-label') || at.innerText || '').trim() : ''; }"
        )
        if said.splitlines()[-1:] == [words]:  # the line before it is an icon's name
            return
    raise AssertionError(f"Tab never reached “{words}”")
