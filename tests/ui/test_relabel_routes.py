"""The routes of the relabel card: only with a pass of our own page, refused in words."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from tests.ui.test_upload_routes import HOST
from tracin_viz.audit import Audit, QueueEntry, Workspace
from tracin_viz.config import Home
from tracin_viz.store.database import Database
from tracin_viz.store.settings import signing_key
from tracin_viz.ui.access import READ_ONLY_VARIABLE, role_of
from tracin_viz.ui.relabel.passes import HOLDS, issue, read
from tracin_viz.ui.relabel.routes import relabel_routes
from tracin_viz.ui.routes import middleware


class Browser:
    """A page of ours, or somebody who pretends to be one."""

    def __init__(self, audit: Audit, annotator: str | None = None) -> None:
        self.audit = audit
        self.app = Starlette(routes=relabel_routes(lambda name: audit), middleware=middleware())
        self.headers = {
            "host": HOST,
            "origin": f"http://{HOST}",
            "x-tracin-viz-pass": issue(audit.signing_key(), annotator),
        }

    def ask(self, method: str, target: str, body: Any = None, **headers: str) -> tuple[int, dict[str, Any]]:
        path, _, query = target.partition("?")
        sent = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        scope: dict[str, Any] = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(key.encode(), value.encode()) for key, value in sent.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 8501),
        }
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        answers: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": data, "more_body": False}

        async def send(message: Any) -> None:
            answers.append(dict(message))

        asyncio.run(self.app(scope, receive, send))
        text = b"".join(part.get("body", b"") for part in answers[1:])
        return int(answers[0]["status"]), json.loads(text) if text.startswith(b"{") else {}

    def decide(self, *entries: Mapping[str, Any], **headers: str) -> tuple[int, dict[str, Any]]:
        return self.ask("POST", "/decisions/tiny", {"entries": list(entries)}, **headers)


def entry(number: int, **more: Any) -> dict[str, Any]:
    usual = {"uuid": f"route-decision-{number}", "example": f"train:{number}", "action": "keep"}
    return {**usual, "annotator": "ada", "at": 1.0, **more}


@pytest.fixture
def audit(workspace: Workspace) -> Audit:
    return workspace.open("tiny")


def test_decisions_are_acknowledged_when_they_are_durable(audit: Audit, tiny_home: Path):
    before = len(audit.history())
    status, said = Browser(audit).decide(entry(11), entry(12, action="no such"), entry(13))
    assert (status, said["stored"]) == (200, ["route-decision-11", "route-decision-13"])
    assert [one["uuid"] for one in said["refused"]] == ["route-decision-12"]
    # As a process that was started after this one was killed would read it.
    assert len(Workspace(Home(tiny_home)).open("tiny").history()) == before + 2
    assert Browser(audit).decide(entry(11), entry(13))[1]["stored"] == said["stored"]
    assert len(audit.history()) == before + 2


def test_a_refused_decision_is_told_in_the_language_of_the_card(audit: Audit):
    body = {"entries": [entry(12, action="no such")]}
    for language, words in (("zh-Hans", "“no such”不是一种决定。"), ("", "'no such' is no decision.")):
        _, said = Browser(audit).ask("POST", "/decisions/tiny", body, x_tracin_viz_language=language)
        assert [one["message"] for one in said["refused"]] == [words]


@pytest.mark.parametrize(
    "headers",
    [
        {"x_tracin_viz_pass": ""},
        {"x_tracin_viz_pass": "x.y"},
        {"x_tracin_viz_pass": "é"},
        {"origin": "http://evil.example"},
        {"origin": ""},
        {"sec_fetch_site": "cross-site"},
    ],
)
def test_a_request_that_is_not_from_our_page_changes_nothing(audit: Audit, headers: dict[str, str]):
    before = len(audit.history())
    for path, body in [("/decisions/tiny", {"entries": [entry(20)]}), ("/decisions-offer/tiny", {})]:
        status, said = Browser(audit).ask("POST", path, body, **headers)
        assert status == 403
        assert said["message"]
    assert len(audit.history()) == before


def test_a_read_only_server_takes_no_decision(audit: Audit, monkeypatch: pytest.MonkeyPatch):
    browser, before = Browser(audit), len(audit.history())
    monkeypatch.setenv(READ_ONLY_VARIABLE, "1")
    assert browser.decide(entry(21))[0] == 403
    assert len(audit.history()) == before


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"entries": 3}', b"[" * 100_000, b'{"entries": "x"}'])
def test_a_damaged_body_is_answered_in_words(audit: Audit, body: bytes):
    status, said = Browser(audit).ask("POST", "/decisions/tiny", body)
    assert status == 400
    assert said["message"]


def test_a_shared_queue_offers_each_example_to_one_person(audit: Audit):
    queue = [QueueEntry(f"train:{row}") for row in range(6)]
    session = audit.sessions.create(queue, name="q", mode="shared").id
    browser, ids = Browser(audit), [entry.example_id for entry in queue]

    def offered(who: str) -> dict[str, Any]:
        return browser.ask(
            "POST", "/decisions-offer/tiny", {"session": session, "annotator": who, "count": 2}
        )[1]

    assert offered("ada") == {"offered": ids[:2], "answered": []}
    assert offered("bob")["offered"] == ids[2:4]
    browser.decide(entry(0, uuid="shared-decision-0", session=session))
    assert offered("ada") == {"offered": [ids[1], ids[4]], "answered": [ids[0]]}
    for ask, status in [({"session": "?", "annotator": "a", "count": 2}, 404), ({"session": session}, 400)]:
        assert browser.ask("POST", "/decisions-offer/tiny", ask)[0] == status


def test_cards_are_given_for_examples_of_the_queue_only(audit: Audit):
    session = audit.sessions.create([QueueEntry("train:3"), QueueEntry("train:4")], name="q").id
    ask = f"/decisions-cards/tiny?session={session}&ids=train:4,train:9,x,train:3"
    status, said = Browser(audit).ask("GET", ask)
    assert (status, [card["id"] for card in said["cards"]]) == (200, ["train:4", "train:3"])
    assert Browser(audit).ask("GET", "/decisions-cards/tiny?session=none&ids=train:4")[0] == 404
    assert Browser(audit).ask("GET", "/decisions-pushed/tiny/999999")[0] == 404
    assert Browser(audit).ask("GET", "/decisions-pushed/tiny/../x")[0] == 404


def test_a_pass_outlives_the_process_and_ends_in_its_time(tmp_path: Path):
    key = signing_key(Database(tmp_path / "workspace.db"))
    given = issue(key, "ada@example.org", now=1000.0)
    again = signing_key(Database(tmp_path / "workspace.db"))
    found = read(again, given, now=2000.0)
    assert found is not None
    assert found.annotator == "ada@example.org"
    assert read(again, given, now=1000.0 + HOLDS + 7200) is None
    assert read(bytes(32), given, now=2000.0) is None
    forged = base64.urlsafe_b64encode(json.dumps(["eve", 9e9]).encode()).decode()
    assert read(again, f"{forged}.{given.partition('.')[2]}", now=2000.0) is None


@pytest.mark.parametrize(
    ("who", "roles", "role"),
    [
        ("ada@example.org", None, "admin"),
        ("ada@example.org", {}, "viewer"),
        ("ada@example.org", {"admin": ["ada@example.org"], "viewer": ["*"]}, "admin"),
        ("bob@example.org", {"admin": ["ada@example.org"], "annotator": "*@example.org"}, "annotator"),
        ("eve@evil.example", {"annotator": ["*@example.org"]}, "viewer"),
    ],
)
def test_roles_come_from_the_secrets(who: str, roles: dict[str, Any] | None, role: str):
    assert role_of(who, roles) == role
