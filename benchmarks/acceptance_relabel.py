"""The relabel card under load: keys at a rhythm, a killed server, several people, 100,000 decisions.

``python -m benchmarks.acceptance_relabel [--home WORKSPACE]`` prints one line per figure with its limit and
ends with status 1 when one is missed. Without ``--home`` the digits demo is made first (about a minute).
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import os
import random
import shutil
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright
from sklearn.metrics import cohen_kappa_score

from benchmarks.acceptance import MISSED, ask, report
from benchmarks.sharing import shared_queue
from tests.browser.relabelling import CARD, begin, press, shown, stored, without_pushed
from tests.browser.serving import ARGUMENTS, chromium, free_port, serve, settle
from tracin_viz.audit import Audit, Workspace
from tracin_viz.config import Home
from tracin_viz.relabel.events import EventLog

PARTS = ("many", "killed", "quick", "keyboard", "blind", "shared")
SLOW = "tests/browser/slow_app.py"
FOCUSED = """(target) => {
    let found = document.activeElement;
    while (found?.shadowRoot?.activeElement) found = found.shadowRoot.activeElement;
    return Boolean(found?.matches(target));
}"""
PAINTED = """() => {
    window.painted = [];
    window.addEventListener("keydown", () => {
        const began = performance.now();
        requestAnimationFrame(() => window.painted.push(performance.now() - began));
    }, true);
}"""


def opened(browser: Browser, address: str) -> Page:
    """A page in a browser context of its own, that asks for no proponents."""
    page = browser.new_context(base_url=address, accept_downloads=True).new_page()
    page.set_viewport_size({"width": 1400, "height": 900})
    page.set_default_timeout(60_000)
    without_pushed(page)
    return page


def killed_server(browser: Browser, home: Path, audit: Audit) -> None:
    """Shown by 1: 30 keys at 120 ms, 0.25 s of added delay, a server that is away for 10 s, a reload."""
    port, log = free_port(), home / "slow.log"
    keys = "".join(random.Random(1).choice("wqe n") for _ in range(30))
    with serve(home, log=log, port=port, script=SLOW) as address:
        page = opened(browser, address)
        begin(page, "Ada", "/relabel?audit=digits&by=self-influence&top=40")
        seen = press(page, keys[:12])
        os.kill(int(log.with_suffix(".pid").read_text()), signal.SIGKILL)
        seen += press(page, keys[12:20])
        page.wait_for_timeout(10_000)
    with serve(home, log=log, port=port, script=SLOW):
        seen += press(page, keys[20:])
        stored(page)
        events = audit.history()
        report("30 keys, killed server: decisions stored", len(events), 30, "", least=True)
        wrong = sum(event.example_id != one for event, one in zip(events, seen, strict=False))
        report("… on another example than the one seen", wrong + abs(len(events) - 30), 0, "")
        page.reload()
        shown(page)
        page.locator(CARD).focus()
        press(page, "", rhythm=0)
        for key in ("Backspace", "Backspace", "Control+z", "Control+Shift+z"):
            page.keyboard.press(key)
        stored(page)
        held = audit.events.answered("Ada", events[0].session or "")
        report(
            "… after a reload, undo × 3 and redo × 1 are right",
            float(held == set(seen[:28])),
            1,
            "",
            least=True,
        )
    page.context.close()


def quick(browser: Browser, address: str, audit: Audit) -> None:
    """Shown by 1: from the key to the next card, and until the decision is durable."""
    page = opened(browser, address)
    begin(page, "Ben", "/relabel?audit=digits&by=loss&top=40")
    page.evaluate(PAINTED)
    press(page, "w" * 30, rhythm=200)
    stored(page)
    painted = page.evaluate("window.painted")
    mine = [event for event in audit.history() if event.annotator == "Ben"]
    durable = [event.server_ts - (event.client_ts or 0) for event in mine]
    report("key → next card painted, median", statistics.median(painted), 50, "ms")
    report("key → durable, slowest of 30", max(durable), 1, "s")
    page.context.close()


def tabbed(page: Page, target: str) -> int:
    """Press Tab until the focus is on ``target``; returns how often."""
    for number in range(1, 150):
        page.keyboard.press("Tab")
        page.wait_for_timeout(40)
        if page.evaluate(FOCUSED, target):
            return number
    raise RuntimeError(f"Tab does not reach {target}.")


def by_keyboard(browser: Browser, address: str, audit: Audit, folder: Path) -> None:
    """Shown by 2: a box on the map, 30 decided, one undone, exported, reloaded, without the mouse."""
    page, before = opened(browser, address), hashes(audit)
    page.goto("/clusters?audit=digits")
    settle(page)
    expect(page.locator(".st-key-map #scatter")).to_have_attribute("data-state", "ready")
    began = time.monotonic()
    presses = tabbed(page, ".stage > svg")
    for key in (*["ArrowLeft"] * 6, *["ArrowUp"] * 5, "b", *["ArrowRight"] * 12, *["ArrowDown"] * 10, "b"):
        page.keyboard.press(key)
        page.wait_for_timeout(60)
    expect(page.locator(".st-key-relabel_selected button").first).to_be_visible()
    settle(page)
    presses += tabbed(page, ".st-key-relabel_selected button")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Your name", exact=True)).to_be_visible()
    settle(page)
    presses += tabbed(page, "input[aria-label='Your name']")
    page.keyboard.type("Cleo", delay=60)
    page.keyboard.press("Enter")  # sends the form
    shown(page)
    number = len(audit.sessions.newest_first(1)[0].queue)
    print(f"     Tab pressed {presses} times up to the card; {number} examples selected")
    seen = press(page, "".join("qw1"[place % 3] for place in range(30)), rhythm=700)
    page.keyboard.press("Backspace")
    stored(page)
    tabbed(page, ".st-key-download button")
    with page.expect_download() as waiting:
        page.keyboard.press("Enter")
    waiting.value.save_as(folder / "labels.csv")
    page.reload()
    expect(page.locator(f"{CARD} .count")).to_have_text(f"29 of {number:,} answered")
    report(
        "box on the map → 30 decided → undo → export → reload, by keyboard", time.monotonic() - began, 60, "s"
    )
    with (folder / "labels.csv").open(newline="", encoding="utf-8-sig") as stream:
        exported = {row["id"] for row in csv.DictReader(stream) if row["annotator"] == "Cleo"}
    report("… exported rows are those decided", float(exported == set(seen[:29])), 1, "", least=True)
    report("… source files as before", float(hashes(audit) == before), 1, "", least=True)
    page.context.close()


def several_people(browser: Browser, address: str, audit: Audit) -> None:
    """Shown by 3: two annotators, 50 shared examples, kappa as in scikit-learn, a third settles."""
    first, second, third = (opened(browser, address) for _ in range(3))
    begin(first, "dora", "/relabel?audit=digits&by=gradient-norm&top=50")
    session = audit.sessions.newest_first(1)[0]
    begin(second, "emil", f"/relabel?audit=digits&session={session.id}")
    chance = random.Random(2)
    for _ in range(50):
        press(first, chance.choice("wwq"), rhythm=20)
        press(second, chance.choice("wwqe"), rhythm=20)
    stored(first)
    stored(second)
    own = audit.events.of_session(session.id)
    report("two people, 50 examples: decisions kept", len(own), 100, "", least=True)
    pair = next(one for one in audit.agreement(session.id).pairs)
    by = {
        name: {event.example_id: event.new_label or event.action for event in own if event.annotator == name}
        for name in pair.annotators
    }
    ids = sorted(by["dora"])
    theirs = cohen_kappa_score([by["dora"][one] for one in ids], [by["emil"][one] for one in ids])
    report("… kappa less that of scikit-learn", abs((pair.kappa or 0) - theirs), 1e-12, "")
    open_before = len(audit.conflicts())
    begin(third, "fay", "/relabel?audit=digits&from=conflicts")
    press(third, "w" * open_before, rhythm=30)
    stored(third)
    print(f"     {open_before} disagreements settled by a third person")
    report("… disagreements left", len(audit.conflicts()), 0, "")
    for page in (first, second, third):
        page.context.close()


def many(folder: Path) -> None:
    """Shown by 4: undo, redo and the next card behind 100,000 decisions against ten."""
    figures = {}
    for number in (10, 100_000):
        home = Workspace(Home(folder / f"many-{number}"))
        log = EventLog(home.database, "demo")
        with home.database.write() as connection:
            connection.executemany(
                "INSERT INTO events (event_uuid, audit, example_id, action, annotator, session, server_ts,"
                " note) VALUES (?, 'demo', ?, 'keep', 'ada', 's', 1.0, '')",
                [(f"uuid-{row:08d}", f"train:{row}") for row in range(number)],
            )
        log.current()
        times = []
        for _ in range(20):
            began = time.process_time()
            log.undo("ada")
            log.redo("ada")
            log.current()
            times.append(1000 * (time.process_time() - began))
        figures[number] = statistics.median(times)
    print(f"     undo, redo and what holds: {figures[10]:.2f} ms behind ten decisions")
    report("undo, redo and what holds behind 100,000 decisions", figures[100_000], figures[10] + 10, "ms")


def hashes(audit: Audit) -> str:
    """One number for all source files."""
    found = hashlib.sha256()
    for path in sorted(audit.source_path().rglob("*")):
        if path.is_file():
            found.update(path.read_bytes())
    return found.hexdigest()


def main() -> int:
    """Run everything; status 1 when a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=[], help=f"some of: {' '.join(PARTS)}")
    parser.add_argument("--home", type=Path, help="a workspace with the finished digits demo; copied first")
    given = parser.parse_args()
    expect.set_options(timeout=60_000)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        home = folder / "home"
        if given.home:
            shutil.copytree(given.home, home, ignore=shutil.ignore_patterns("runtime"))
        else:
            ask(home, "demo", "digits")
        wanted = given.only or PARTS
        if "many" in wanted:
            many(folder)
        audit = Workspace(Home(home)).open("digits")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
            if "killed" in wanted:
                killed_server(browser, home, audit)
            with serve(home, log=home / "server.log") as address:
                if "quick" in wanted:
                    quick(browser, address, audit)
                if "keyboard" in wanted:
                    by_keyboard(browser, address, audit, folder)
                if "blind" in wanted:
                    several_people(browser, address, audit)
                if "shared" in wanted:
                    shared_queue(browser, address, audit)
            browser.close()
    return 1 if MISSED else 0


if __name__ == "__main__":
    sys.exit(main())
