"""Ten suspects by mouse, one undone, exported; a reload and a restart lose nothing."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.serving import free_port, serve, settle
from tracin_viz.audit import Workspace
from tracin_viz.config import Home

OpenPage = Callable[..., Page]


def begin(page: Page, name: str, *, count: int) -> None:
    page.goto(f"/relabel?audit=digits&by=self-influence&top={count}")
    settle(page)
    page.get_by_label("Your name", exact=True).fill(name)
    page.locator(".st-key-start button").click()
    expect(page.locator(".st-key-card .card")).to_be_visible()
    settle(page)


def present(page: Page) -> str:
    return page.locator(".st-key-card .card").get_attribute("data-id") or ""


def press(page: Page, kind: str, *, answered: int) -> None:
    page.locator(f'[class*="st-key-{kind}_"] button').first.click()
    expect(page.get_by_text(f"{answered} of ", exact=False).first).to_be_visible()
    settle(page)


def changed_rows(page: Page, folder: Path) -> list[dict[str, str]]:
    with page.expect_download() as waiting:
        page.locator(".st-key-download button").first.click()
    file = folder / "labels.csv"
    waiting.value.save_as(file)
    with file.open(newline="", encoding="utf-8-sig") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 4_000
    return [row for row in rows if row["label"] != row["given_label"]]


def test_ten_by_mouse_one_undone_exported_reloaded_and_restarted(
    open_page: OpenPage, demo_home: Path, tmp_path: Path
):
    home = tmp_path / "home"
    shutil.copytree(demo_home, home, ignore=shutil.ignore_patterns("runtime"))
    port = free_port()
    with serve(home, log=tmp_path / "server.log", port=port) as address:
        page = open_page(address)
        begin(page, "Ada <b>Lovelace</b>", count=20)
        seen = []
        for number in range(1, 11):
            seen.append(present(page))
            press(page, "take", answered=number)
        assert len(set(seen)) == 10
        page.locator(".st-key-undo button").click()
        expect(page.get_by_text("9 of 20 answered")).to_be_visible()
        settle(page)
        assert present(page) == seen[-1], "the undone card comes again"
        rows = changed_rows(page, tmp_path)
        assert {row["id"] for row in rows} == set(seen[:9])
        assert {row["annotator"] for row in rows} == {"Ada <b>Lovelace</b>"}
        page.reload()
        shows_nine(page, seen)
    stored = Workspace(Home(home)).open("digits").decisions()
    assert sorted(stored, key=lambda one: stored[one].event.seq) == seen[:9]
    with serve(home, log=tmp_path / "server.log", port=port) as address:
        page = open_page(address)
        page.goto("/relabel?audit=digits")
        expect(page.get_by_text("Saved ✓ 9").first).to_be_visible()
        page.get_by_role("button", name="Ada").first.click()
        shows_nine(page, seen)
        assert {row["id"] for row in changed_rows(page, tmp_path)} == set(seen[:9])


def shows_nine(page: Page, seen: list[str]) -> None:
    expect(page.get_by_text("9 of 20 answered")).to_be_visible()
    expect(page.get_by_text("Saved ✓ 9").first).to_be_visible()
    settle(page)
    assert present(page) == seen[9]


def test_a_double_click_is_one_decision_about_the_card_that_was_seen(
    open_page: OpenPage, demo_home: Path, tmp_path: Path
):
    home = tmp_path / "home"
    shutil.copytree(demo_home, home, ignore=shutil.ignore_patterns("runtime"))
    with serve(home, log=tmp_path / "server.log") as address:
        page = open_page(address)
        begin(page, "Grace", count=10)
        seen = []
        for _ in range(4):
            card = present(page)
            seen.append(card)
            page.locator('[class*="st-key-keep_"] button').first.dblclick(delay=0)
            expect(page.locator(".st-key-card .card")).not_to_have_attribute("data-id", card)
            settle(page)
    events = Workspace(Home(home)).open("digits").history()
    assert [event.example_id for event in events] == seen
    assert {event.action for event in events} == {"keep"}


def test_every_kind_of_decision_is_stored_with_its_card(open_page: OpenPage, demo_home: Path, tmp_path: Path):
    home = tmp_path / "home"
    shutil.copytree(demo_home, home, ignore=shutil.ignore_patterns("runtime"))
    with serve(home, log=tmp_path / "server.log") as address:
        page = open_page(address)
        begin(page, "Grace", count=10)
        seen = {}
        for number, kind in enumerate(("keep", "take", "exclude", "needs", "skip", "class"), start=1):
            seen[kind] = present(page)
            press(page, kind, answered=number)
    audit = Workspace(Home(home)).open("digits")
    actions = {event.example_id: event for event in audit.history()}
    expected = {
        "keep": "keep",
        "take": "relabel",
        "exclude": "exclude",
        "needs": "review",
        "skip": "skip",
        "class": "relabel",
    }
    assert {kind: actions[card].action for kind, card in seen.items()} == expected
    assert actions[seen["take"]].new_label == actions[seen["take"]].suggested
    assert actions[seen["class"]].new_label not in (None, actions[seen["class"]].suggested)
    assert seen["skip"] not in audit.decisions()
