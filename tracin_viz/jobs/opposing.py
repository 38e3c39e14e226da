"""The strongest opponents of many queries at once, by the sketches that the run stored."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tracin_viz.engine.search import Question, search
from tracin_viz.jobs.query_side import Cancelled
from tracin_viz.jobs.retrieval import watched
from tracin_viz.jobs.warm import Warm

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def opponents_of(
    warm: Warm, split: str, rows: Rows, *, ranking: str, each: int, cancelled: Cancelled
) -> tuple[Rows, Floats]:
    """Of each query, explained at its own label, the training examples that pushed most against it.

    Args:
        warm: The audit.
        split: Where the queries are.
        rows: (Q,) their rows.
        ranking: "dot", "cosine" or "relatif".
        each: Opponents per query.
        cancelled: Whether a newer question came.

    Returns:
        Training rows (Q, each), -1 where a query has fewer, and their sketched scores (Q, each), below zero.
    """
    found_rows = np.full((len(rows), each), -1, dtype=np.int64)
    found_scores = np.zeros((len(rows), each))
    question = Question(warm.held(split).sketches(rows), warm.rates, ranking)
    found = search(watched(warm.held("train").blocks, cancelled), question, k=each)
    for place, ranked in enumerate(found.opponents):
        below = ranked.scores < 0
        count = int(below.sum())
        found_rows[place, :count] = ranked.indices[below]
        found_scores[place, :count] = ranked.scores[below]
    return found_rows, found_scores
