"""Signing in and out as a visitor does it, and requests that somebody makes around the pages."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.serving import settle

#: The pass that the relabel card was given.
PASS = """() => {
    const find = (root) => root.querySelector("#relabel")
        || [...root.querySelectorAll("*")].map((one) => one.shadowRoot && find(one.shadowRoot)).find(Boolean);
    return find(document).data.pass;
}"""
_POST = """async ([path, body, held]) => {
    const headers = { "Content-Type": "application/json", "X-Tracin-Viz-Pass": held };
    const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
    return [answer.status, await answer.json()];
}"""


def sign_in(page: Page, who: str, *, works: bool = True) -> None:
    """Press the button beside the heading, and say who one is at the provider."""
    settle(page)
    page.locator(".st-key-sign_in_menu button").click()
    page.get_by_role("button", name=who, exact=True).click()
    if works:
        expect(page.locator(".st-key-person button:visible").first).to_be_visible()
    settle(page)


def signed_in(page: Page) -> tuple[str, str]:
    """Name and role as the page shows them."""
    page.locator(".st-key-person button:visible").first.click()
    line = page.get_by_test_id("stPopoverBody").locator("p", has=page.locator("strong")).first
    expect(line).to_be_visible()
    name, _, role = re.sub("[\\u2060\\u200b-\\u200f]", "", line.inner_text()).partition(" · ")
    page.keyboard.press("Escape")
    expect(line).to_be_hidden()
    return name, role


def sign_out(page: Page) -> None:
    """Sign out at the menu beside the heading."""
    page.locator(".st-key-person button:visible").first.click()
    page.locator(".st-key-sign_out button").click()
    expect(page.locator(".st-key-sign_in_menu button")).to_be_visible()


def forged(page: Page, annotator: str, held: str) -> tuple[int, dict[str, Any]]:
    """Send a decision from the page's own address, as this browser, with that pass and under that name."""
    entry = {"uuid": f"forged-{annotator}-decision", "example": "train:1", "action": "keep"}
    body = {"entries": [{**entry, "annotator": annotator, "at": 1.0}]}
    status, said = page.evaluate(_POST, ["/decisions/digits", body, held])
    return status, said
