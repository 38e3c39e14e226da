"""The relabel queue: which card comes next."""

from __future__ import annotations

from tracin_viz.audit import Workspace
from tracin_viz.ui.queue import freeze, load, next_place


def test_the_first_unanswered_card_comes_next():
    assert next_place(["a", "b", "c"], set()) == 0
    assert next_place(["a", "b", "c"], {"a", "c"}) == 1
    assert next_place(["a", "b"], {"a", "b"}) is None


def test_a_card_asked_for_by_hand_is_shown_even_if_answered():
    assert next_place(["a", "b"], {"a", "b"}, "a") == 0
    assert next_place(["a", "b"], {"a"}, "not in the queue") == 1


def test_a_frozen_queue_is_read_back_as_it_was_written(workspace: Workspace):
    audit = workspace.open("tiny")
    rows = audit.suspects(top=4)["suspects"]
    queue = load(audit, freeze(audit, rows, source="top 4", annotator="Ada"))
    assert [entry.example_id for entry in queue.entries] == [row["id"] for row in rows]
    assert [entry.rank for entry in queue.entries] == [1, 2, 3, 4]
    assert [entry.suggested for entry in queue.entries] == [row["suggested"] or None for row in rows]
    assert (queue.annotator, queue.source, queue.answered) == ("Ada", "top 4", frozenset())


def test_answers_of_a_queue_come_from_the_log_and_undo_takes_them_out(workspace: Workspace):
    audit = workspace.open("tiny")
    made = freeze(audit, [{"id": "train:1"}, {"id": "train:2"}], source="by hand", annotator="Ada")
    audit.decide("train:1", "keep", annotator="Ada", session=made)
    assert load(workspace.open("tiny"), made).answered == {"train:1"}
    audit.undo("Ada", session=made)
    assert load(workspace.open("tiny"), made).answered == frozenset()
