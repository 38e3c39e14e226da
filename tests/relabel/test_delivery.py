"""Deliveries of a browser's outbox: late, twice, out of another tab, damaged or hostile."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tracin_viz.errors import InputError
from tracin_viz.relabel.delivery import MOST, Delivered, deliver
from tracin_viz.relabel.events import EventLog
from tracin_viz.relabel.leases import LEASED, Leases
from tracin_viz.relabel.sessions import QueueEntry, SessionBook
from tracin_viz.store.database import Database

CLASSES = ("cat", "dog", "fox")


class Server:
    """A log with its queues, as a delivery meets them."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(folder / "workspace.db")
        self.log = EventLog(self.database, "demo", classes=CLASSES)
        self.sessions = SessionBook(self.database, "demo")
        queue = [QueueEntry(f"train:{row}", row + 1, 90.0 - row, "dog", 0.5) for row in range(20)]
        self.session = self.sessions.create(queue, name="q").id

    def take(self, *entries: Any, annotator: str | None = None) -> Delivered:
        return deliver(self.log, self.sessions, entries, given=given, annotator=annotator)

    def entry(self, number: int, **more: Any) -> dict[str, Any]:
        usual = {"uuid": f"decision-{number:04d}", "example": f"train:{number}", "action": "keep"}
        return {**usual, "annotator": "ada", "session": self.session, "at": 1000.0 + number, **more}


def given(example_id: str) -> str:
    if example_id not in {f"train:{row}" for row in range(20)}:
        raise InputError(f"There is no {example_id}.")
    return "cat"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    yield made
    made.database.close()


def test_a_decision_is_stored_with_what_its_queue_showed(server: Server):
    sent = server.entry(3, action="relabel", label="fox", note="paw")
    assert server.take(sent).stored == ("decision-0003",)
    [event] = server.log.history()
    assert (event.rank, event.percentile, event.suggested, event.old_label) == (4, 87.0, "dog", "cat")
    assert (event.client_ts, event.note, event.new_label, event.settles) == (1003.0, "paw", "fox", False)


@pytest.mark.parametrize("seed", range(5))
def test_whatever_is_sent_again_or_in_parts_the_log_is_the_same(server: Server, seed: int):
    chance = random.Random(seed)
    entries = [server.entry(number) for number in range(12)]
    entries.append({"uuid": "undo-0000001", "undo_of": "decision-0011", "annotator": "ada"})
    entries.append({"uuid": "redo-0000001", "undo_of": "undo-0000001", "annotator": "ada"})
    entries.append({"uuid": "undo-0000002", "undo_of": "decision-0011", "annotator": "ada"})
    acknowledged = 0
    while acknowledged < len(entries):
        sent = entries[acknowledged : acknowledged + chance.randrange(1, 5)]
        for _ in range(chance.choice([1, 1, 2, 3])):  # the answer was lost and the browser tries again
            assert server.take(*sent).stored == tuple(one["uuid"] for one in sent)
        acknowledged += chance.randrange(1, len(sent) + 1)
    assert [event.event_uuid for event in server.log.history()] == [one["uuid"] for one in entries]
    assert server.log.answered("ada", server.session) == {f"train:{number}" for number in range(11)}


def test_two_tabs_that_undo_the_same_decision_undo_it_once(server: Server):
    server.take(server.entry(1))
    for tab in ("a", "b"):
        sent = {"uuid": f"undo-of-tab-{tab}", "undo_of": "decision-0001", "annotator": "ada"}
        assert server.take(sent).stored == (f"undo-of-tab-{tab}",)
    assert server.take({"uuid": "redo-of-tab-a", "undo_of": "undo-of-tab-a", "annotator": "ada"}).stored
    assert server.log.answered("ada", server.session) == {"train:1"}
    assert len(server.log.history()) == 3


def test_stacks_are_what_the_browser_needs_after_a_reload(server: Server):
    server.take(*(server.entry(number, batch="b1" if number > 1 else None) for number in range(4)))
    server.take({"uuid": "undo-0000003", "undo_of": "decision-0003", "annotator": "ada"})
    found = server.log.stacks("ada", server.session)
    assert [event.event_uuid for event in found.done] == [f"decision-{number:04d}" for number in range(3)]
    assert [(undo.event_uuid, event.batch) for undo, event in found.undone] == [("undo-0000003", "b1")]
    server.take(server.entry(5))
    assert server.log.stacks("ada", server.session).undone == ()


@pytest.mark.parametrize(
    "broken",
    [
        None,
        "text",
        [],
        {},
        {"uuid": "x"},
        {"uuid": "decision-9999", "example": "train:999", "action": "keep", "annotator": "ada"},
        {"uuid": "decision-9999", "example": "train:1", "action": "relabel", "label": "wolf"},
        {"uuid": "decision-9999", "example": "train:1", "action": "undo", "annotator": "ada"},
        {"uuid": "decision-9999", "example": ["train:1"], "action": "keep", "annotator": "ada"},
        {"uuid": "decision-9999", "undo_of": "decision-0001", "annotator": "bob"},
        {"uuid": "decision-9999", "undo_of": "no-such-decision", "annotator": "ada"},
        {"uuid": "decision-9999", "undo_of": "../../etc", "annotator": "ada"},
        {"uuid": "decision-0001", "example": "train:2", "action": "keep", "annotator": "ada"},
    ],
)
def test_a_broken_entry_is_refused_alone_and_keeps_no_other_from_being_stored(server: Server, broken: Any):
    found = server.take(server.entry(1), broken, server.entry(2))
    assert found.stored == ("decision-0001", "decision-0002")
    assert [bool(message) for _, message in found.refused] == [True]
    assert [event.example_id for event in server.log.history()] == ["train:1", "train:2"]


@pytest.mark.parametrize("at", [float("inf"), float("nan"), -1, 10**400, True, "noon", None])
def test_a_clock_that_cannot_be_right_is_stored_as_unknown(server: Server, at: Any):
    assert server.take(server.entry(1, at=at)).stored
    undo = {"uuid": "undo-0000001", "undo_of": "decision-0001", "annotator": "ada", "at": at}
    assert server.take(undo).stored
    assert [event.client_ts for event in server.log.history()] == [None, None]


def test_who_is_signed_in_sends_no_decision_of_somebody_else(server: Server):
    found = server.take(server.entry(1), server.entry(2, annotator="bob"), annotator="bob")
    assert (found.stored, found.refused[0][0]) == (("decision-0002",), "decision-0001")


def test_a_conflict_is_settled_by_somebody_who_did_not_take_part(server: Server):
    server.take(server.entry(1), server.entry(2, example="train:1", annotator="bob", action="exclude"))
    settling = server.sessions.create([QueueEntry("train:1")], name="settle", mode="settle").id
    refused = server.take(server.entry(3, example="train:1", session=settling)).refused
    assert "somebody else settles it" in refused[0][1]
    assert server.take(server.entry(4, example="train:1", session=settling, annotator="cy")).stored
    assert server.log.history()[-1].settles
    assert server.log.current("adjudicated")["train:1"].event.annotator == "cy"


def test_too_many_at_once_are_refused_before_any_is_stored(server: Server):
    with pytest.raises(InputError, match="at once"):
        server.take(*[server.entry(1)] * (MOST + 1))
    assert server.log.history() == []


def test_an_example_shown_to_one_is_offered_to_another_only_after_a_while(server: Server):
    leases, ids = Leases(server.database, "s"), [f"train:{row}" for row in range(5)]
    assert leases.claim("ada", ids, 2, now=0.0) == ids[:2]
    assert leases.claim("bob", ids, 2, now=1.0) == ids[2:4]
    assert leases.claim("ada", ids[1:], 2, now=2.0) == [ids[1], ids[4]]
    assert leases.claim("cy", ids, 9, now=3.0) == []
    assert leases.claim("cy", ids, 9, now=0.5 + LEASED) == [ids[0]]
    assert leases.claim("ada", ids, 9, now=5.0 + LEASED) == ids[1:]
