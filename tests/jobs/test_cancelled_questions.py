"""A question that is taken back ends soon, wherever it is, and leaves nothing half done behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tracin_viz.config import Home
from tracin_viz.errors import CancelledError
from tracin_viz.jobs.answers import Answers

HEADER: dict[str, Any] = {
    "audit": "tiny",
    "top": 5,
    "ranking": "dot",
    "label": None,
    "score": None,
    "same_class": False,
    "exact": True,
    "query": {"split": "test", "row": 3},
}


@pytest.fixture(scope="module")
def answers(tiny_home: Path) -> Answers:
    made = Answers(Home(tiny_home))
    made("warm", {"audit": "tiny"}, [], lambda: False)
    return made


def test_a_question_looks_often_whether_it_is_still_wanted(answers: Answers):
    looks = []
    answers("influence", HEADER, [], lambda: bool(looks.append(1)))
    assert len(looks) > 2 * 3, "at each of three checkpoints, in both stages"


@pytest.mark.parametrize("kind", ["influence", "parts", "opponents"])
@pytest.mark.parametrize("after", [0, 1, 2, 5, 9])
def test_it_ends_where_it_is_and_the_next_answer_is_right(
    answers: Answers, tiny_home: Path, kind: str, after: int
):
    header = (
        HEADER if kind != "opponents" else {"audit": "tiny", "split": "test", "ranking": "dot", "each": 2}
    )
    arrays = [] if kind == "influence" else [np.array([0, 7, 11])]
    fresh = Answers(Home(tiny_home))
    fresh._audits = answers._audits  # the model stays loaded, the questions are forgotten
    looks = []

    def cancelled() -> bool:
        looks.append(1)
        return len(looks) > after

    try:
        fresh(kind, header, arrays, cancelled)
    except CancelledError:
        assert len(looks) == after + 1, "it ended at the first look that said so"
    else:
        assert len(looks) <= after, "it was done before"
    found, expected = (one(kind, header, arrays, lambda: False) for one in (fresh, answers))
    for array, other in zip(found[1], expected[1], strict=True):
        np.testing.assert_array_equal(array, other)
