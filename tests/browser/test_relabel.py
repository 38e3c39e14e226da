"""The relabel card at the keyboard: no decision on another example, none lost, none twice."""

from __future__ import annotations

import csv
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sklearn.metrics import cohen_kappa_score

from tests.browser.relabelling import CARD, begin, press, shown, stored, without_pushed
from tests.browser.serving import free_port, serve, settle
from tracin_viz.audit import Workspace
from tracin_viz.config import Home

OpenPage = Callable[..., Page]
ACTIONS = {"q": "keep", "w": "relabel", "e": "exclude", "n": "review", " ": "skip"}


@pytest.fixture
def home(demo_home: Path, tmp_path: Path) -> Path:
    home = tmp_path / "home"
    shutil.copytree(demo_home, home, ignore=shutil.ignore_patterns("runtime"))
    return home


@pytest.fixture
def server(home: Path, tmp_path: Path) -> Iterator[str]:
    with serve(home, log=tmp_path / "server.log") as address:
        yield address


def test_a_slow_server_that_is_killed_and_a_reload_lose_no_decision(
    open_page: OpenPage, home: Path, tmp_path: Path
):
    port, log = free_port(), tmp_path / "server.log"
    with serve(home, log=log, port=port, script="tests/browser/slow_app.py") as address:
        page = open_page(address)
        without_pushed(page)
        begin(page, "Ada <b>Lovelace</b>", "/relabel?audit=digits&by=self-influence&top=20")
        seen = press(page, "wqwe")
        os.kill(int(log.with_suffix(".pid").read_text()), signal.SIGKILL)
        seen += press(page, "nw q")
        expect(page.locator(f"{CARD} .banner")).to_contain_text("waiting for the server")
    with serve(home, log=log, port=port, script="tests/browser/slow_app.py") as address:
        seen += press(page, "wwqw")
        stored(page)
        audit = Workspace(Home(home)).open("digits")
        events = audit.history()
        assert [event.example_id for event in events] == seen
        assert [event.action for event in events] == [ACTIONS[key] for key in "wqwenw qwwqw"]
        assert all(event.new_label == event.suggested for event in events if event.action == "relabel")
        assert {event.annotator for event in events} == {"Ada <b>Lovelace</b>"}
        assert [event.rank for event in events] == list(range(1, 13))
        page.reload()  # the name is asked for once, and what was undone can be undone after a reload
        following = shown(page)
        page.locator(CARD).focus()
        for _ in range(3):
            page.keyboard.press("Backspace")
        assert shown(page) == seen[9]
        page.keyboard.press("Control+Shift+Z")
        expect(page.locator(f"{CARD} .count")).to_have_text("10 of 20 answered")
        assert shown(page) == seen[10]
        stored(page)
        assert following not in seen
        answered = audit.events.answered("Ada <b>Lovelace</b>", events[0].session or "")
        assert answered == set(seen[:10])


def test_two_annotators_disagree_and_a_third_settles_it(
    open_page: OpenPage, server: str, home: Path, tmp_path: Path
):
    audit = Workspace(Home(home)).open("digits")
    ids = [row["id"] for row in audit.suspects(top=8)["suspects"]]
    ada, bob, cy = open_page(server), open_page(server), open_page(server)
    for page in (ada, bob, cy):
        without_pushed(page)
    ada.goto("/relabel?audit=digits&from=list")
    settle(ada)
    ada.get_by_label("Your name", exact=True).fill("ada")
    ada.get_by_label("Examples", exact=True).fill("\n".join(ids))
    ada.locator(".st-key-start button").click()
    shown(ada)
    session = audit.sessions.newest_first()[0].id
    begin(bob, "bob", f"/relabel?audit=digits&session={session}")
    assert press(ada, "wwwwqqqe", rhythm=30) == ids
    assert press(bob, "wwwqqqwe", rhythm=30) == ids, "nobody is shown what the other decided"
    stored(ada)
    stored(bob)
    found = audit.agreement()
    votes = [[vote.new_label or vote.action for vote in audit.votes(one)] for one in ids]
    assert found.pairs[0].kappa == pytest.approx(cohen_kappa_score(*zip(*votes, strict=True)))
    assert [one.example_id for one in audit.conflicts()] == [ids[3], ids[6]]
    expect(ada.locator(".st-key-relabel_bar")).to_contain_text("ada")
    cy.goto("/relabel?audit=digits")
    cy.locator(".st-key-settle button").click()
    # Until this form is there, the one for suspects still is, with the same field and the same button.
    expect(cy.get_by_text("Each needs a third person")).to_be_visible()
    cy.get_by_label("Your name", exact=True).fill("cy")
    cy.locator(".st-key-start button").click()
    expect(cy.locator(f"{CARD} .vote")).to_have_count(2)
    press(cy, "qw", rhythm=30)
    stored(cy)
    assert audit.conflicts() == []
    settled = audit.decisions("adjudicated")
    assert [settled[one].action for one in (ids[3], ids[6])] == ["keep", "relabel"]
    assert {settled[one].event.annotator for one in (ids[3], ids[6])} == {"cy"}
    with cy.expect_download() as waiting:
        cy.locator(".st-key-download button").first.click()
    waiting.value.save_as(tmp_path / "labels.csv")
    with (tmp_path / "labels.csv").open(newline="", encoding="utf-8-sig") as stream:
        rows = [row for row in csv.DictReader(stream) if row["action"]]
    assert {row["id"] for row in rows} == set(ids)


def test_many_at_once_with_one_undo_and_keys_that_are_given_away(
    open_page: OpenPage, server: str, home: Path
):
    page = open_page(server)
    without_pushed(page)
    begin(page, "Grace", "/relabel?audit=digits&by=loss&top=12")
    page.keyboard.press("g")
    cells = page.locator(f"{CARD} .cell")
    expect(cells).to_have_count(12)
    page.keyboard.press("w")  # without a mark a key decides nothing
    second = cells.nth(1).get_attribute("data-id")
    cells.nth(1).click()
    cells.nth(4).click(modifiers=["Shift"])
    page.get_by_role("button", name="Exclude: 4 marked").click()
    expect(cells).to_have_count(8)
    page.keyboard.press("Backspace")
    expect(cells).to_have_count(12)
    page.keyboard.press("g")
    page.keyboard.press("?")
    page.get_by_label("Keep the given label").fill("k")
    page.get_by_label("Keep the given label").press("Tab")
    page.keyboard.press("Escape")
    # An undo brings back what was decided: the first of the four is on the card, and the key is about it.
    assert press(page, "k", rhythm=30) == [second]
    page.get_by_placeholder("Note for this decision (optional)").fill("q 1 unclear")
    page.keyboard.press("Enter")
    press(page, "n", rhythm=30)
    stored(page)
    events = Workspace(Home(home)).open("digits").history()
    assert [event.action for event in events] == ["exclude"] * 4 + ["undo"] * 4 + ["keep", "review"]
    assert len({event.batch for event in events[:4]}) == 1
    assert (events[8].example_id, events[9].note) == (second, "q 1 unclear")
    page.keyboard.press("?")
    page.get_by_label("Letters, digits, space and ? are keys").uncheck()
    page.keyboard.press("Escape")
    before = shown(page)
    press(page, "k1 ", rhythm=30)
    assert shown(page) == before
    expect(page.locator(f"{CARD} .count")).to_have_text("2 of 12 answered")
