from __future__ import annotations

import random
import sqlite3
import threading
import time

import pytest

from tracin_viz.errors import InputError
from tracin_viz.relabel.events import ACTIONS, Event, EventLog, decisions
from tracin_viz.store.database import Database

CLASSES = ("cat", "dog", "fox")


@pytest.fixture
def database(tmp_path):
    opened = Database(tmp_path / "workspace.db")
    yield opened
    opened.close()


@pytest.fixture
def log(database):
    return EventLog(database, "demo", classes=CLASSES)


def relabel(row, label="dog", annotator="ada", **more):
    return Event(f"train:{row}", "relabel", annotator, old_label="cat", new_label=label, **more)


def shown(log):
    return {key: (one.action, one.label) for key, one in log.current().items()}


def test_a_decision_is_stored_with_all_that_is_known_about_it(log, database):
    before = time.time()
    sent = relabel(3, suggested="dog", rank=7, percentile=98.5, session="s1", client_ts=123.5, note="paw")
    stored = log.append(sent)
    assert (stored.seq, stored.event_uuid, stored.note) == (1, sent.event_uuid, "paw")
    assert before <= stored.server_ts <= time.time() and stored.decided_at == 123.5
    assert EventLog(Database(database.path), "demo").history() == [stored]  # as another process sees it


def test_a_browser_clock_that_runs_ahead_does_not_date_a_decision_in_the_future(log):
    stored = log.append(relabel(0, client_ts=time.time() + 1e6))
    assert stored.decided_at == stored.server_ts


def test_each_action_gives_its_label(log):
    log.append(Event("train:0", "keep", "ada", old_label="cat"))
    log.append(relabel(1))
    log.append(Event("train:2", "exclude", "ada", old_label="cat"))
    log.append(Event("train:3", "review", "ada", old_label="cat"))
    log.append(Event("train:4", "skip", "ada", old_label="cat"))
    assert shown(log) == {
        "train:0": ("keep", "cat"),
        "train:1": ("relabel", "dog"),
        "train:2": ("exclude", None),
        "train:3": ("review", "cat"),
    }
    assert [event.action for event in log.history()] == list(ACTIONS)


def test_a_skip_leaves_an_earlier_decision_standing(log):
    log.append(relabel(0))
    log.append(Event("train:0", "skip", "bob"))
    assert shown(log) == {"train:0": ("relabel", "dog")}


def test_sending_twice_stores_once(log):
    sent = relabel(0)
    first = log.append(sent)
    again = log.append(Event(**{**vars(sent), "old_label": "dog", "percentile": 1.0}))
    assert again == first and len(log.history()) == 1


def test_a_uuid_is_never_shared_by_two_decisions_or_audits(log, database):
    sent = log.append(relabel(0))
    with pytest.raises(InputError, match="different decision"):
        log.append(relabel(1, event_uuid=sent.event_uuid))
    with pytest.raises(InputError, match="different decision"):
        EventLog(database, "other").append(relabel(0, event_uuid=sent.event_uuid))
    with pytest.raises(InputError, match="different decision"):
        log.undo("ada", event_uuid=sent.event_uuid)
    assert len(log.history()) == 1


def test_undo_goes_back_one_decision_at_a_time_and_never_undoes_an_undo(log):
    for row in range(3):
        log.append(relabel(row))
    undone = [log.undo("ada") for _ in range(4)]
    assert [event and event.example_id for event in undone] == ["train:2", "train:1", "train:0", None]
    assert shown(log) == {} and len(log.history()) == 6


def test_undo_brings_back_what_was_decided_before(log):
    log.append(relabel(0, "dog"))
    log.append(relabel(0, "fox"))
    log.undo("ada")
    assert shown(log) == {"train:0": ("relabel", "dog")}


def test_undo_touches_only_the_annotator_and_session_it_names(log):
    log.append(relabel(0, session="s1"))
    log.append(relabel(1, session="s2"))
    log.append(relabel(2, annotator="bob", session="s1"))
    assert log.undo("ada", session="s1").example_id == "train:0"
    assert log.undo("ada", session="s1") is None
    assert log.undo("cy") is None
    assert set(shown(log)) == {"train:1", "train:2"}


def test_redo_takes_back_undos_in_turn_until_something_new_is_decided(log):
    for row in range(3):
        log.append(relabel(row))
    for _ in range(3):
        log.undo("ada")
    assert [log.redo("ada").example_id for _ in range(2)] == ["train:0", "train:1"]
    assert set(shown(log)) == {"train:0", "train:1"}
    assert log.undo("ada").example_id == "train:1"
    log.append(relabel(9))
    assert log.redo("ada") is None
    assert set(shown(log)) == {"train:0", "train:9"}


def test_an_undo_that_is_sent_twice_undoes_once(log):
    log.append(relabel(0))
    log.append(relabel(1))
    first = log.undo("ada", event_uuid="undo-number-1")
    assert log.undo("ada", event_uuid="undo-number-1") == first
    assert set(shown(log)) == {"train:0"}


def test_undos_at_the_same_time_undo_different_decisions(log, database):
    for row in range(8):
        log.append(relabel(row))
    found = []
    barrier = threading.Barrier(8)

    def press():
        barrier.wait()
        found.append(EventLog(database, "demo").undo("ada").undo_of)

    threads = [threading.Thread(target=press) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 8 and shown(log) == {}


def test_audits_do_not_see_each_other(log, database):
    log.append(relabel(0))
    other = EventLog(database, "other")
    assert other.current() == {} and other.undo("ada") is None


def test_stored_events_can_be_neither_changed_nor_removed(log, database):
    log.append(relabel(0))
    for statement in ("UPDATE events SET new_label = 'fox'", "DELETE FROM events"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"), database.write() as connection:
            connection.execute(statement)
    assert shown(log) == {"train:0": ("relabel", "dog")}


class Model:
    """What a person expects of a list of decisions with undo and redo: one stack pair per annotator."""

    def __init__(self):
        self.made, self.done, self.back = [], {}, {}

    def decide(self, event):
        self.made.append(event)
        self.done.setdefault(event.annotator, []).append(event)
        self.back[event.annotator] = []

    def undo(self, annotator):
        if not self.done.get(annotator):
            return None
        event = self.done[annotator].pop()
        self.back[annotator].append(event)
        return event.example_id

    def redo(self, annotator):
        if not self.back.get(annotator):
            return None
        event = self.back[annotator].pop()
        self.done[annotator].append(event)
        return event.example_id

    def current(self):
        standing = {event.event_uuid for events in self.done.values() for event in events}
        result = {}
        for event in self.made:
            if event.event_uuid in standing and event.action != "skip":
                label = {"relabel": event.new_label, "exclude": None}.get(event.action, event.old_label)
                result[event.example_id] = (event.action, label)
        return result


@pytest.mark.parametrize("seed", range(12))
def test_any_sequence_of_decisions_undos_and_redos_gives_what_a_pair_of_stacks_gives(seed, database):
    chance, model = random.Random(seed), Model()
    log, sent = EventLog(database, "demo", classes=CLASSES), []
    for _ in range(60):
        annotator, kind = chance.choice(["ada", "bob"]), chance.random()
        if kind < 0.5:
            action = chance.choice(list(ACTIONS))
            label = chance.choice(CLASSES) if action == "relabel" else None
            event = Event(f"train:{chance.randrange(6)}", action, annotator, "cat", label, session="s1")
            model.decide(event)
            sent.append(event)
            log.append(event)
        elif kind < 0.6 and sent:
            log.append(chance.choice(sent))  # sent again by the browser: must change nothing
        elif kind < 0.8:
            event = log.undo(annotator)
            assert (event and event.example_id) == model.undo(annotator)
        else:
            event = log.redo(annotator)
            assert (event and event.example_id) == model.redo(annotator)
        if chance.random() < 0.5:
            assert shown(log) == model.current()
    assert shown(log) == model.current()
    assert log.current() == decisions(log.history()) == EventLog(database, "demo").current()
    answered = {e.example_id for e in model.done.get("ada", [])}
    assert log.answered("ada", "s1") == answered
    assert [event.seq for event in log.history()] == sorted(event.seq for event in log.history())


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (Event("train:0", "delete", "ada"), "'delete' is no decision. Possible: keep, relabel"),
        (Event("train:0", "undo", "ada"), "To take a decision back use undo"),
        (Event("train:0", "relabel", "ada"), "needs a class. Possible: cat, dog, fox"),
        (relabel(0, "wolf"), "'wolf' is no class of this audit. Possible: cat, dog, fox"),
        (Event("train:0", "keep", "ada", new_label="dog"), "takes no new label"),
        (Event("train:0", "keep", "  "), "name of who"),
        (Event("train:0", "keep", "a" * 201), "200 characters"),
        (Event("17", "keep", "ada"), "'17' is no example id"),
        (Event("train:0", "keep", "ada", note="x" * 10_001), "10,000 characters"),
        (Event("train:0", "keep", "ada", event_uuid="../x"), "cannot identify"),
        (Event("train:0", "keep", "ada", client_ts=float("nan")), "not a number"),
        (Event("train:0", "keep", "ada", undo_of="abcdefgh"), "cannot undo"),
    ],
)
def test_an_event_that_makes_no_sense_is_refused_and_not_stored(log, event, words):
    with pytest.raises(InputError) as refused:
        log.append(event)
    assert words in str(refused.value)
    assert log.history() == []


def test_hostile_text_is_stored_as_text(log):
    note = "'); DROP TABLE events; -- <img src=x onerror=alert(1)> \ud83d \u202e"
    log.append(relabel(0, annotator=" Ada\ud83d ", note=note))
    stored = log.history()[0]
    assert stored.note == note.replace("\ud83d", "\ufffd")
    assert stored.annotator == "Ada\ufffd"


def test_a_percentile_that_is_not_a_number_is_stored_as_unknown(log):
    assert log.append(relabel(0, percentile=float("nan"))).percentile is None


def test_undo_and_append_stay_quick_behind_many_events(log, database):
    rows = [(f"uuid-{i:08d}", "demo", f"train:{i}", "keep", "cat", "ada", 1.0) for i in range(20_000)]
    with database.write() as connection:
        connection.executemany(
            "INSERT INTO events (event_uuid, audit, example_id, action, old_label, annotator, server_ts,"
            " note) VALUES (?, ?, ?, ?, ?, ?, ?, '')",
            rows,
        )
    assert len(log.current()) == 20_000
    started = time.process_time()
    for row in range(20):
        log.append(relabel(row))
        log.undo("ada")
        assert len(log.current()) == 20_000
    assert (time.process_time() - started) / 40 < 0.25
    assert len(log.current()) == 20_000
