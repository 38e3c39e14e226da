"""What several people's decisions come to, against a slow twin that counts votes by hand."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tracin_viz.relabel.decisions import Event
from tracin_viz.relabel.events import EventLog
from tracin_viz.relabel.policies import POLICIES, decide, decisions
from tracin_viz.store.database import Database

CLASSES = ("cat", "dog", "fox")
PEOPLE = ("ada", "bob", "cy")


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EventLog]:
    database = Database(tmp_path / "workspace.db")
    yield EventLog(database, "demo", classes=CLASSES)
    database.close()


def event(who: str, what: str, *, row: int = 0, settles: bool = False) -> Event:
    action = what if what in ("keep", "exclude", "review", "skip") else "relabel"
    label = what if action == "relabel" else None
    return Event(f"train:{row}", action, who, old_label="cat", new_label=label, settles=settles)


def come_to(policy: str, *votes: tuple[str, str]) -> tuple[str, str | None] | None:
    found = decide([event(who, what) for who, what in votes], policy)
    return None if found is None else (found.action, found.label)


@pytest.mark.parametrize(
    ("votes", "single", "majority", "adjudicated"),
    [
        ([("ada", "dog")], ("relabel", "dog"), ("relabel", "dog"), ("relabel", "dog")),
        ([("ada", "dog"), ("bob", "keep")], ("keep", "cat"), None, None),
        ([("ada", "dog"), ("bob", "dog")], ("relabel", "dog"), ("relabel", "dog"), ("relabel", "dog")),
        (
            [("ada", "dog"), ("bob", "dog"), ("cy", "exclude")],
            ("exclude", None),
            ("relabel", "dog"),
            None,
        ),
        ([("ada", "dog"), ("bob", "fox"), ("cy", "keep")], ("keep", "cat"), None, None),
        ([("ada", "dog"), ("bob", "review")], ("review", "cat"), ("relabel", "dog"), ("relabel", "dog")),
        ([("ada", "review")], ("review", "cat"), ("review", "cat"), ("review", "cat")),
        ([("ada", "dog"), ("ada", "fox")], ("relabel", "fox"), ("relabel", "fox"), ("relabel", "fox")),
        ([("ada", "keep"), ("bob", "cat")], ("relabel", "cat"), ("relabel", "cat"), ("relabel", "cat")),
        ([("ada", "skip")], None, None, None),
    ],
)
def test_each_policy_comes_to_one_label_or_none(votes, single, majority, adjudicated):
    assert [come_to(policy, *votes) for policy in POLICIES] == [single, majority, adjudicated]


def test_a_settling_decision_ends_the_conflict_whatever_is_decided_after_it(log: EventLog):
    for who, what in (("ada", "dog"), ("bob", "keep")):
        log.append(event(who, what))
    assert [one.example_id for one in log.conflicts()] == ["train:0"]
    log.append(event("cy", "fox", settles=True))
    log.append(event("bob", "exclude"))
    assert log.conflicts() == []
    assert {policy: log.current(policy)["train:0"].label for policy in ("majority", "adjudicated")} == {
        "majority": "fox",
        "adjudicated": "fox",
    }
    log.undo("cy")
    assert [one.example_id for one in log.conflicts()] == ["train:0"]


@pytest.mark.parametrize("seed", range(6))
def test_what_the_log_follows_step_by_step_equals_what_the_whole_log_says(log: EventLog, seed: int):
    chance = random.Random(seed)
    for policy in POLICIES:
        log.current(policy)
    for _ in range(80):
        who = chance.choice(PEOPLE)
        if chance.random() < 0.25:
            chance.choice([log.undo, log.redo])(who)
            continue
        what = chance.choice(["keep", "dog", "fox", "exclude", "review", "skip"])
        log.append(event(who, what, row=chance.randrange(4), settles=chance.random() < 0.1))
    for policy in POLICIES:
        assert log.current(policy) == decisions(log.history(), policy)
    assert {one.example_id for one in log.conflicts()} == by_hand(log)


def by_hand(log: EventLog) -> set[str]:
    """Examples with votes that differ, from stacks of what each person did."""
    done: dict[str, Event] = {one.event_uuid: one for one in log.history() if one.undo_of is None}
    standing = dict.fromkeys(done, True)
    undo_of = {one.event_uuid: one.undo_of for one in log.history() if one.undo_of is not None}
    for one in log.history():
        if one.undo_of in done:
            standing[one.undo_of] = False
        elif one.undo_of is not None:
            standing[undo_of[one.undo_of]] = True
    found = set()
    for row in range(4):
        own = [
            one
            for one in done.values()
            if standing[one.event_uuid] and one.example_id == f"train:{row}" and one.action != "skip"
        ]
        newest = {one.annotator: one for one in own if not one.settles}
        votes = {
            (one.action == "exclude", one.new_label) for one in newest.values() if one.action != "review"
        }
        if len(votes) > 1 and not any(one.settles for one in own):
            found.add(f"train:{row}")
    return found
