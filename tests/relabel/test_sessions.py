from __future__ import annotations

import numpy as np
import pytest

from tracin_viz.errors import InputError, NotFoundError
from tracin_viz.relabel.events import Event, EventLog
from tracin_viz.relabel.sessions import QueueEntry, SessionBook, cursor
from tracin_viz.store.database import Database

QUEUE = [QueueEntry(f"train:{row}", rank, 99.0 - rank, "dog", 0.8) for rank, row in enumerate([5, 2, 9], 1)]


@pytest.fixture
def database(tmp_path):
    opened = Database(tmp_path / "workspace.db")
    yield opened
    opened.close()


def test_a_queue_is_read_back_as_it_was_frozen(database):
    made = SessionBook(database, "demo").create(QUEUE, name="Top 3", source="suspects", annotator="ada")
    again = SessionBook(Database(database.path), "demo").get(made.id)
    assert again == made and again.queue == tuple(QUEUE)


def test_sessions_are_listed_newest_first_and_by_audit(database):
    book = SessionBook(database, "demo")
    made = [book.create(QUEUE, name=f"number {number}") for number in range(3)]
    SessionBook(database, "other").create(QUEUE, name="elsewhere")
    assert [one.id for one in book.newest_first()] == [one.id for one in reversed(made)]


def test_the_cursor_is_the_first_example_without_an_answer_by_this_annotator_here(database):
    session = SessionBook(database, "demo").create(QUEUE, name="s")
    log = EventLog(database, "demo")

    def place(who="ada"):
        return cursor(session, log, who)

    assert place() == 0
    log.append(Event("train:5", "keep", "ada"))  # outside the session
    log.append(Event("train:5", "keep", "bob", session=session.id))
    assert place() == 0 and place("bob") == 1
    log.append(Event("train:2", "skip", "ada", session=session.id))
    assert place() == 0
    log.append(Event("train:5", "relabel", "ada", new_label="dog", session=session.id))
    assert place() == 2
    log.append(Event("train:9", "exclude", "ada", session=session.id))
    assert place() is None
    log.undo("ada", session=session.id)
    assert place() == 2
    log.undo("ada", session=session.id)
    log.undo("ada", session=session.id)
    assert place() == 0
    log.redo("ada", session=session.id)
    assert place() == 0  # the skip of the second is back, the first has none


def test_numbers_of_numpy_and_nan_are_stored_plainly(database):
    entry = QueueEntry("train:1", np.int64(4), np.float64("nan"), None, np.float32(0.5))
    session = SessionBook(database, "demo").create([entry], name=" ")
    assert SessionBook(database, "demo").get(session.id).queue == (QueueEntry("train:1", 4, None, None, 0.5),)
    assert session.name == "Session"


def test_bad_requests_name_what_is_wrong(database):
    book = SessionBook(database, "demo")
    with pytest.raises(InputError, match="empty"):
        book.create([], name="s")
    with pytest.raises(InputError, match="train:5 is in the queue twice"):
        book.create([QUEUE[0], QUEUE[0]], name="s")
    with pytest.raises(NotFoundError, match="'nowhere'"):
        book.get("nowhere")
    assert book.newest_first() == []
