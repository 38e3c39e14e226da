"""A read-only server: everything is seen, and whoever goes around the hidden buttons is refused in words."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from streamlit.testing.v1 import AppTest

from tests.ui.test_pages import PAGES, Visit, running_home, said, visit
from tests.ui.test_upload_routes import Client
from tracin_viz.audit import Workspace
from tracin_viz.config import Home
from tracin_viz.errors import ReadOnlyError
from tracin_viz.relabel.sessions import QueueEntry
from tracin_viz.store.uploads import Uploads
from tracin_viz.ui.access import READ_ONLY_VARIABLE, may_decide, may_manage
from tracin_viz.ui.routes import middleware

__all__ = ["running_home", "visit"]  # fixtures of the other module, used here too

#: Keys of the buttons that change something, or lead to where that is done.
CHANGING = (
    *("start", "again", "use_suggested", "use_all", "cancel_", "redraw", "begin_own", "own_"),
    *(
        "review",
        "relabel_selected",
        "take_",
        "keep_",
        "exclude_",
        "needs_",
        "skip_",
        "class_",
    ),
    *("undo", "continue_", "evidence_", "import", "save"),
)
REFUSED = "read-only view"


@pytest.fixture
def read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(READ_ONLY_VARIABLE, "1")


@pytest.mark.parametrize(
    ("value", "free"), [("", True), ("0", True), ("no", True), ("1", False), ("TRUE", False)]
)
def test_the_variable_decides_what_a_visit_may_do(monkeypatch: pytest.MonkeyPatch, value: str, free: bool):
    monkeypatch.setenv(READ_ONLY_VARIABLE, value)
    assert (may_decide(), may_manage()) == (free, free)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.usefixtures("read_only")
def test_a_page_shows_everything_and_offers_nothing_that_changes(visit: Visit, tiny_home: Path, name: str):
    app = visit(tiny_home, name, **({} if name == "1_start" else {"audit": "tiny"}))
    assert not app.exception
    assert "should not have" not in said(app)
    assert REFUSED in said(app)
    changing = [button.key for button in app.button if str(button.key).startswith(CHANGING)]
    assert changing == []


@pytest.mark.usefixtures("read_only")
def test_own_data_begins_nothing(visit: Visit, tiny_home: Path):
    before = tree(tiny_home / "drafts")
    app = visit(tiny_home, "own")
    assert REFUSED in said(app)
    assert [button.key for button in app.button] == ["help"]
    assert tree(tiny_home / "drafts") == before


def test_a_button_drawn_before_is_refused_when_pressed(
    visit: Visit, fresh_home: Path, monkeypatch: pytest.MonkeyPatch
):
    app = visit(fresh_home, "2_compute", audit="tiny")
    assert not app.exception
    monkeypatch.setenv(READ_ONLY_VARIABLE, "1")
    app.button(key="start").click().run()
    assert REFUSED in said(app)
    assert Workspace(Home(fresh_home)).jobs.latest("tiny") is None


def test_a_run_cannot_be_cancelled(visit: Visit, running_home: Path, monkeypatch: pytest.MonkeyPatch):
    app = visit(running_home, "2_compute", audit="digits")
    monkeypatch.setenv(READ_ONLY_VARIABLE, "1")
    app.button(key="cancel_digits").click().run()
    assert REFUSED in said(app)
    job = Workspace(Home(running_home)).jobs.latest("digits")
    assert job is not None
    assert job.state == "running"
    assert not job.cancel_requested


def test_a_decision_on_a_card_drawn_before_is_not_taken(
    visit: Visit, tiny_home: Path, monkeypatch: pytest.MonkeyPatch
):
    audit = Workspace(Home(tiny_home)).open("tiny")
    queue = audit.sessions.create([QueueEntry("train:3", 1)], name="q", source="test", annotator="ada")
    app: AppTest = visit(tiny_home, "6_relabel", audit="tiny", session=queue.id)
    assert not app.exception
    before = len(audit.history())
    monkeypatch.setenv(READ_ONLY_VARIABLE, "1")
    keeping = [button for button in app.button if str(button.key).startswith("keep_")]
    for button in keeping:
        button.click()
    app.run()
    assert len(Workspace(Home(tiny_home)).open("tiny").history()) == before


CHANGES: dict[str, Callable[[Workspace], Any]] = {
    "start a demo": lambda space: space.start_demo("digits"),
    "create": lambda space: space.create("other", data="nowhere", model="nowhere"),
    "begin a job": lambda space: space.begin("tiny", "compute", {}),
    "cancel": lambda space: space.cancel("tiny"),
    "a draft": lambda space: space.drafts.new(),
    "forget a draft": lambda space: space.drafts.remove("0" * 12),
    "an upload": lambda space: space.uploads.begin([{"path": "a.csv", "size": 1, "changed": 1}]),
    "forget an upload": lambda space: space.uploads.remove("0" * 32),
    "decide": lambda space: space.open("tiny").decide("train:1", "keep", annotator="ada"),
    "undo": lambda space: space.open("tiny").undo("ada"),
    "a queue": lambda space: space.open("tiny").sessions.create(
        [QueueEntry("train:3", 1)], name="q", source="test", annotator="ada"
    ),
    "checkpoints": lambda space: space.open("tiny").set_checkpoints([{"step": 1, "use": False}]),
    "compute": lambda space: space.open("tiny").start(),
    "redraw the map": lambda space: space.open("tiny").redraw_map(),
    "cancel a run": lambda space: space.open("tiny").cancel(),
}


@pytest.mark.parametrize("what", CHANGES)
def test_the_workspace_of_a_read_only_server_refuses_every_change(tiny_home: Path, what: str):
    audit = Workspace(Home(tiny_home)).open("tiny")
    audit.decide("train:0", "keep", annotator="ada")  # so that there is something to undo
    before = state_of(tiny_home)
    with pytest.raises(ReadOnlyError, match="nothing can be changed"):
        CHANGES[what](Workspace(Home(tiny_home), read_only=True))
    assert state_of(tiny_home) == before


def test_what_a_view_needs_can_still_be_kept(tiny_home: Path):
    audit = Workspace(Home(tiny_home), read_only=True).open("tiny")
    name = audit.selections.keep(np.array([1, 5]))
    assert audit.selections.get(name).tolist() == [1, 5]
    assert audit.thumbnail("train", 4, 384)


@pytest.mark.usefixtures("read_only")
def test_upload_routes_answer_403(tmp_path: Path):
    client = Client(tmp_path / "uploads")
    body = json.dumps({"files": [{"path": "a.csv", "size": 3, "changed": 1}]}).encode()
    for method, target in [("POST", "/upload"), ("PUT", f"/upload/{'0' * 32}/0?offset=0")]:
        status, answer = client.ask(method, target, [body])
        assert status == 403
        assert "nothing can be changed" in answer["message"]
    assert not (tmp_path / "uploads").exists()


def test_the_uploads_behind_the_routes_refuse_too(tmp_path: Path):
    client = Client(tmp_path / "uploads")
    begun = client.begin(("a.csv", 3))
    client.uploads = Uploads(tmp_path / "uploads", read_only=True)
    for method, target in [("PUT", f"/upload/{begun}/0?offset=0"), ("DELETE", f"/upload/{begun}")]:
        status, answer = client.ask(method, target, [b"a,b"])
        assert status == 403
        assert "nothing can be changed" in answer["message"]
    assert client.uploads.state(begun).offsets == (0,)


@pytest.mark.usefixtures("read_only")
@pytest.mark.parametrize("path", ["/anything", "/upload/_stcore/x"])
def test_a_route_that_forgot_to_ask_is_behind_a_wall(path: str):
    reached = []

    def forgetful(request: Request) -> PlainTextResponse:
        reached.append(request.method)
        return PlainTextResponse("done")

    methods = ["GET", "POST", "PUT", "DELETE", "PATCH"]
    app = Starlette(routes=[Route("/{rest:path}", forgetful, methods=methods)], middleware=middleware())
    assert [status_of(app, method, path) for method in methods] == [200, 403, 403, 403, 403]
    assert reached == ["GET"]


def status_of(app: Starlette, method: str, path: str) -> int:
    answers: list[dict[str, Any]] = []
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1:8501")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8501),
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        answers.append(dict(message))

    asyncio.run(app(scope, receive, send))
    return int(answers[0]["status"])


def tree(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def state_of(home: Path) -> dict[str, Any]:
    """Everything that people change: files of audits, uploads and drafts, and the tables of the database."""
    database = Workspace(Home(home)).database
    tables = [row["name"] for row in database.read("SELECT name FROM sqlite_master WHERE type = 'table'")]
    rows = {
        name: [tuple(row) for row in database.read(f"SELECT * FROM {name}")]
        for name in tables
        if name not in ("thumbnails", "selections")
    }
    return {"tables": rows, **{name: tree(home / name) for name in ("audits", "uploads", "drafts")}}
