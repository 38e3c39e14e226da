"""What tests and the acceptance run do on the relabel card: keys at a given rhythm, and what was seen."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.serving import settle

CARD = "#relabel"


def without_pushed(page: Page) -> None:
    """Answer no question about proponents: that would start a process with torch."""
    page.route("**/decisions-pushed/**", lambda route: route.abort())


def begin(page: Page, name: str, address: str) -> None:
    """Open the page, give a name where it is asked for, and start the queue."""
    page.goto(address)
    settle(page)
    field = page.get_by_label("Your name", exact=True)
    field.fill(name)
    field.press("Tab")
    page.locator(".st-key-start button, .st-key-go_on button").first.click()
    shown(page)


def shown(page: Page) -> str:
    """Id of the example that the card shows."""
    card = page.locator(f"{CARD} .shown")
    expect(card).to_be_visible()
    return card.get_attribute("data-id") or ""


def press(page: Page, keys: str, *, rhythm: int = 120) -> list[str]:
    """Press keys one after another; returns the example that was on the card at each."""
    seen = []
    for key in keys:
        seen.append(page.evaluate(_PRESENT))
        page.keyboard.press("Space" if key == " " else key)
        page.wait_for_timeout(rhythm)
    return seen


def stored(page: Page) -> None:
    """Wait until the server has acknowledged everything."""
    expect(page.locator(CARD)).to_have_attribute("data-waiting", "0")
    expect(page.locator(f"{CARD} .saved")).to_have_text("Saved ✓")


_PRESENT = """() => {
    const find = (root) => root.querySelector("#relabel .shown")
        || [...root.querySelectorAll("*")].map((one) => one.shadowRoot && find(one.shadowRoot)).find(Boolean);
    return find(document).dataset.id;
}"""
