"""Queues: where their examples come from, in which order, and what a list may name."""

from __future__ import annotations

import numpy as np
import pytest

from tracin_viz.audit import Audit, QueueEntry, Workspace
from tracin_viz.errors import InputError, NotFoundError
from tracin_viz.ui.relabel import queues
from tracin_viz.ui.relabel.examples import card_data, taking


@pytest.fixture
def audit(workspace: Workspace) -> Audit:
    return workspace.open("tiny")


def ids(origin: queues.Origin) -> list[str]:
    return [row["id"] for row in origin.rows]


def test_a_frozen_queue_is_read_back_as_it_was_made(audit: Audit, workspace: Workspace):
    origin = queues.by_suspicion(audit, "loss", "", 4)
    made = queues.freeze(audit, origin, annotator="Ada", mode="shared")
    stored = workspace.open("tiny").sessions.get(made)
    assert [entry.example_id for entry in stored.queue] == ids(origin)
    assert [entry.rank for entry in stored.queue] == [1, 2, 3, 4]
    assert [entry.suggested for entry in stored.queue] == [row["suggested"] or None for row in origin.rows]
    assert (stored.annotator, stored.source, stored.mode) == ("Ada", "top 4 by mean loss", "shared")


def test_a_selection_becomes_a_queue_with_the_most_suspicious_first(audit: Audit):
    name = audit.selections.keep(np.array([3, 9, 20, 31]))
    everything = [row["id"] for row in audit.suspects(top=48)["suspects"]]
    found = ids(queues.of_selection(audit, name))
    assert sorted(found, key=everything.index) == found
    assert set(found) == {"train:3", "train:9", "train:20", "train:31"}
    by_loss = [row["id"] for row in audit.suspects(ranking="loss", top=48)["suspects"]]
    again = ids(queues.of_selection(audit, name, "loss"))
    assert again == [one for one in by_loss if one in found] != found


def test_a_cluster_becomes_a_queue(audit: Audit):
    found = audit.grouping()
    with pytest.raises(NotFoundError, match="no cluster 99"):
        queues.of_cluster(audit, 99)
    for cluster in found.summaries:
        rows = found.rows[found.clusters == cluster.id]
        assert set(ids(queues.of_cluster(audit, cluster.id))) == {f"train:{row}" for row in rows}


def test_a_list_keeps_its_order_and_names_an_example_once(audit: Audit):
    found = queues.of_list(audit, " train:7, 3;\n12\ttrain:3  ")
    assert ids(found) == ["train:7", "train:3", "train:12"]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "0 examples"),
        ("train:48", "1 name of the list is unknown"),
        ("train:-1 test:3 ' OR 1=1 -- <img src=x>", "are unknown"),
        ("\ud83d ٣ 9" + "9" * 400, "3 names"),
        ("1 " * 200_000, "too long"),
    ],
)
def test_a_hostile_list_is_refused_in_words(audit: Audit, typed: str, words: str):
    before = len(audit.sessions.newest_first())
    with pytest.raises(InputError) as refused:
        queues.of_list(audit, typed)
    assert words in refused.value.message
    assert len(refused.value.problems) <= 5
    assert len(audit.sessions.newest_first()) == before


def test_a_random_control_is_drawn_anew_and_can_be_drawn_again(audit: Audit):
    first = ids(queues.by_chance(audit, 10, seed=1))
    assert len(set(first)) == 10
    assert first == ids(queues.by_chance(audit, 10, seed=1)) != ids(queues.by_chance(audit, 10, seed=2))
    assert len(queues.by_chance(audit, 1_000).rows) == 48


def test_what_needs_review_and_what_people_disagree_about_become_queues(audit: Audit):
    with pytest.raises(InputError, match="no disagreement that zoe"):
        queues.of_conflicts(audit, "zoe")
    audit.decide("train:40", "review", annotator="una")
    audit.decide("train:41", "keep", annotator="una")
    audit.decide("train:41", "exclude", annotator="vic")
    assert "train:40" in ids(queues.to_review(audit))
    assert (ids(queues.of_conflicts(audit, "zoe")), queues.of_conflicts(audit, "zoe").mode) == (
        ["train:41"],
        "settle",
    )
    with pytest.raises(InputError, match="vic could settle"):
        queues.of_conflicts(audit, "vic")
    for name in ("una", "una", "vic"):
        audit.undo(name)


def test_a_card_shows_what_the_queue_was_frozen_with(audit: Audit):
    [card] = card_data(audit, [QueueEntry("train:4", 1, 97.5, audit.classes[1], 0.75)])
    assert (card["suggested"], card["take"]) == (audit.classes[1], audit.classes[1])
    assert (card["confidence"], card["percentile"]) == (0.75, 97.5)
    assert card["src"].startswith("/thumb/tiny/train/4?")


@pytest.mark.parametrize(
    ("suggested", "given", "target", "label"),
    [
        ("cat", "dog", "class", "cat"),
        ("3.25", "7", "number", "3.25"),
        ("with cat", '["dog"]', "multi-label", '["cat", "dog"]'),
        ("without cat", '["cat"]', "multi-label", "[]"),
        ("with a with b", "[]", "multi-label", '["a with b"]'),
        ("with wolf", "[]", "multi-label", None),
    ],
)
def test_taking_a_suggestion_gives_a_label(suggested: str, given: str, target: str, label: str | None):
    assert taking(suggested, given, ("a with b", "cat", "dog"), target) == label
