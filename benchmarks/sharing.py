"""A shared queue in two browsers: who was shown what and when, what was kept, what a closed browser held."""

from __future__ import annotations

import random
import time

from playwright.sync_api import Browser, Page, expect

from benchmarks.acceptance import report
from tests.browser.relabelling import CARD, begin, press, shown, stored, without_pushed
from tests.browser.serving import settle
from tracin_viz.audit import Audit
from tracin_viz.relabel.leases import LEASED

EXAMPLES = 50
#: Notes at every frame which example the card shows, by the clock of the computer.
WATCH = """() => {
    const find = (root) => root.querySelector("#relabel")
        || [...root.querySelectorAll("*")].map((one) => one.shadowRoot && find(one.shadowRoot)).find(Boolean);
    const card = find(document);
    window.seen = [];
    const look = () => {
        const id = card.querySelector(".shown")?.dataset.id ?? "";
        const last = window.seen[window.seen.length - 1];
        if (last && last[0] === id) last[2] = Date.now(); else window.seen.push([id, Date.now(), Date.now()]);
        requestAnimationFrame(look);
    };
    look();
}"""
Seen = list[tuple[str, float, float]]


def shared_queue(browser: Browser, address: str, audit: Audit) -> None:
    """Two people share a queue of 50; one closes the browser; the other ends it when the lease is over."""
    gina, hugo = (_opened(browser, address) for _ in range(2))
    gina.goto(f"/relabel?audit=digits&by=aum&top={EXAMPLES}")
    settle(gina)
    gina.get_by_label("Your name", exact=True).fill("gina")
    gina.get_by_text("Each example goes to one person").click()
    gina.locator(".st-key-start button").click()
    shown(gina)
    session = audit.sessions.newest_first(1)[0]
    begin(hugo, "hugo", f"/relabel?audit=digits&session={session.id}")
    for page in (gina, hugo):
        page.evaluate(WATCH)
        page.locator(CARD).focus()
    done: dict[str, list[str]] = {"gina": [], "hugo": []}
    chance = random.Random(3)
    for turn in range(16):
        for name, page in (("gina", gina), ("hugo", hugo)):
            shown(page)
            done[name] += press(page, chance.choice("wqe"), rhythm=chance.choice((20, 120, 300)))
        if turn in (5, 9):  # taken back, looked at, decided again
            gina.keyboard.press("Backspace")
            gina.wait_for_timeout(400)
            again = shown(gina)
            report(
                f"shared queue: undo {turn} shows the same card",
                float(again == done["gina"][-1]),
                1,
                "",
                least=True,
            )
            press(gina, "n", rhythm=200)
    stored(gina)
    seen: dict[str, Seen] = {"gina": gina.evaluate("window.seen")}
    gina.context.close()  # with cards that nobody else is offered for a while
    closed = time.monotonic()
    while not hugo.evaluate("window.seen.at(-1)[0] === ''"):
        done["hugo"] += press(hugo, "q", rhythm=80)
    stored(hugo)
    expect(hugo.locator(f"{CARD} .finished")).to_contain_text("with other people")
    left = EXAMPLES - len(audit.events.answered(None, session.id))
    print(f"     {left} examples were still with the browser that was closed")
    report("… examples that a closed browser holds back", left, 8, "")
    expect(hugo.locator(f"{CARD} .shown")).to_be_visible(timeout=1000 * (LEASED + 60))
    report("… until another person gets them", time.monotonic() - closed, LEASED + 10, "s")
    while len(done["gina"]) + len(done["hugo"]) < EXAMPLES:
        shown(hugo)
        done["hugo"] += press(hugo, "w", rhythm=80)
    stored(hugo)
    expect(hugo.locator(f"{CARD} .finished")).to_contain_text("This queue is finished")
    seen["hugo"] = hugo.evaluate("window.seen")
    hugo.context.close()
    _kept(audit, session.id, done, seen)


def _opened(browser: Browser, address: str) -> Page:
    page = browser.new_context(base_url=address).new_page()
    page.set_viewport_size({"width": 1400, "height": 900})
    page.set_default_timeout(60_000)
    without_pushed(page)
    return page


def _kept(audit: Audit, session: str, done: dict[str, list[str]], seen: dict[str, Seen]) -> None:
    own = {name: audit.events.answered(name, session) for name in done}
    report("… decided by nobody", EXAMPLES - len(own["gina"] | own["hugo"]), 0, "")
    report("… decided by both", len(own["gina"] & own["hugo"]), 0, "")
    wrong = sum(own[name] != set(done[name]) for name in done)
    report("… people whose decisions are not those of the cards they saw", wrong, 0, "")
    together = sum(
        one == other and begin < end_other and begin_other < end
        for one, begin, end in seen["gina"]
        for other, begin_other, end_other in seen["hugo"]
        if one
    )
    report("… cards that both were shown at the same time", together, 0, "")
