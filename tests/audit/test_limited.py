"""An audit with only some checkpoints answers as if the others were switched off, and stores nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import end_query_process
from tracin_viz.audit import Audit, Workspace
from tracin_viz.config import Home
from tracin_viz.errors import InputError

pytestmark = pytest.mark.usefixtures("answered_here")


@pytest.fixture(scope="module")
def audit(tiny_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audit]:
    """The tiny audit in a workspace of its own, because its checkpoints are switched here."""
    home = tmp_path_factory.mktemp("limited") / "home"
    shutil.copytree(tiny_home, home, ignore=shutil.ignore_patterns("runtime"))
    yield Workspace(Home(home)).open("tiny")
    end_query_process(home)


def test_answers_of_some_checkpoints_are_those_after_switching_the_others_off(audit: Audit):
    steps = audit.computed()
    kept, before = steps[1:], audit.record
    limited = audit.limited(kept)
    asked = limited.influence(query="test:3", top=5)
    suspicion = limited.suspect_scores("self-influence")
    assert asked["checkpoints"] == kept
    assert audit.record == before == Workspace(audit.home).open("tiny").record
    assert audit.influence(query="test:3", top=5)["checkpoints"] == steps

    audit.set_checkpoints([{"step": step, "use": step in kept} for step in steps])
    again = audit.influence(query="test:3", top=5)
    np.testing.assert_array_equal(suspicion, audit.suspect_scores("self-influence"))
    audit.set_checkpoints([{"step": step, "use": True} for step in steps])
    for side in ("proponents", "opponents"):
        assert [one["id"] for one in asked[side]] == [one["id"] for one in again[side]]
        assert [one["score"] for one in asked[side]] == pytest.approx([one["score"] for one in again[side]])


def test_one_that_is_switched_off_can_be_asked_about(audit: Audit):
    first, *others = audit.computed()
    audit.set_checkpoints([{"step": first, "use": False}])
    assert audit.limited([first]).influence(query="test:3", top=1)["checkpoints"] == [first]
    audit.set_checkpoints([{"step": first, "use": True}])
    assert audit.record.unused == ()
    assert others


@pytest.mark.parametrize("steps", [[], [-1], [10**9]])
def test_no_checkpoint_or_an_unknown_one_is_refused(audit: Audit, steps: list[int]):
    with pytest.raises(InputError):
        audit.limited(steps)


def test_an_audit_is_comparable_with_itself_and_not_with_other_data(audit: Audit):
    assert audit.comparable(audit.limited(audit.computed()[:1]))
