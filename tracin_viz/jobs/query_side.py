"""The gradients of what is asked about: sketches for the scan, exact scores for the second stage.

A group is asked about by the mean of its members' gradients, which is linear: its sketch is the mean of their
sketches, and its exact scores cost the training data what those of one example cost.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from tracin_viz.engine import Groups, InfluenceEngine
from tracin_viz.engine.token_terms import TokenInfluence
from tracin_viz.errors import CancelledError, InputError
from tracin_viz.jobs.asked import Explained, Members, Query, explained
from tracin_viz.jobs.loading import Examples
from tracin_viz.jobs.warm import Warm

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Cancelled = Callable[[], bool]

#: Members of a group whose gradients are made anew for exact scores; the mean over more comes from sketches.
MOST_EXACT = 1_000


class QuerySide:
    """What is known of a query before any training example is looked at.

    Args:
        warm: The audit.
        query: What is asked about.
        header: Of the request: ``"label"`` and ``"score"``.
        cancelled: Whether a newer question came.

    Attributes:
        target: What is explained.
        predicted: Most probable class of a single example; -1 for a group.
        value: Its predicted number, or labels that the model would set otherwise; NaN for a group.
        confidence: Probability of the predicted class; NaN for a group.
        embedding: (e,) of the example, or the mean over the group.
        sketches: (1, K, d) float32.
        squared_norms: (K,) of the gradient: exact for one example, of the sketch for a group.
        left_out: Members whose gradient is not finite.

    Raises:
        InputError: Nothing finite is left, or what is asked cannot be explained.
    """

    def __init__(self, warm: Warm, query: Query, header: dict[str, Any], cancelled: Cancelled) -> None:
        self._warm = warm
        self.query = query
        self.target: Explained
        if query.is_group:
            self._take_group(header, cancelled)
        else:
            self._take_example(header, cancelled)

    @property
    def can_be_exact(self) -> bool:
        """Whether exact scores are computed for this query."""
        return len(self.query.targets) <= MOST_EXACT

    def scores(self, rows: Rows, cancelled: Cancelled) -> Floats:
        """(c,) exact TracInCP of the query with training ``rows``."""
        found: Floats = self._asked(rows, None, cancelled)[0]
        return found

    def parts(self, rows: Rows, cancelled: Cancelled) -> tuple[Floats, list[str]]:
        """(c, K, L) the same by checkpoint and layer, and the names of the L layers."""
        found = self._asked(rows, ("checkpoint", "layer"), cancelled)
        return found.scores[0], list(found.layers)

    def tokens(self, rows: Rows) -> TokenInfluence:
        """The same by token of each of the training ``rows``."""
        train = Examples(self._warm.sources.dataset, "train", rows.tolist(), keep=True)
        data: Any = Groups(self.data, [self._members]) if self.query.is_group else self.data
        score = None if self.target.kind == "loss" else "logit"
        return self._warm.engine.token_influence(train, data, np.arange(len(rows)), score=score)

    def _asked(self, rows: Rows, by: tuple[str, str] | None, cancelled: Cancelled) -> Any:
        train = Examples(self._warm.sources.dataset, "train", rows.tolist(), keep=True)
        data: Any = self.data
        if self.query.is_group:
            data = Groups(data, [self._members])

        def look(_: int) -> None:
            stop_if(cancelled)

        engine = self._warm.engine
        if self.target.kind == "loss":
            return engine.influence(train, data, by=by, on_batch=look)
        classes = [int(target) for target in self.target.targets]
        return engine.score_influence(train, data, classes, by=by, on_batch=look)

    @cached_property
    def data(self) -> Members:
        """Contents with the targets that are explained."""
        return Members(self.query.data, self.target.targets)

    def _measure(self, engine: InfluenceEngine, data: Any, place: int, cancelled: Cancelled) -> Any:
        return engine.measure(data, place, on_batch=lambda _: stop_if(cancelled))

    def _take_example(self, header: dict[str, Any], cancelled: Cancelled) -> None:
        with self._warm.engine.borrowed():
            self._measure_example(header, cancelled)

    def _measure_example(self, header: dict[str, Any], cancelled: Cancelled) -> None:
        warm, last = self._warm, len(self._warm.rates) - 1
        seen = self._measure(warm.engine, self.query.data, last, cancelled)
        self.predicted, self.value = int(seen.predicted[0]), float(seen.value[0])
        self.confidence = float(seen.probability[0])
        self.embedding = seen.embedding[0]
        self.target = explained(warm.sources.dataset, header, self.query, self.predicted)
        engine = warm.engine if self.target.kind == "loss" else warm.score_engine
        kept = {last: seen} if self.target.own else {}
        with engine.borrowed():
            measured = [
                kept.get(place) or self._measure(engine, self.data, place, cancelled)
                for place in range(last + 1)
            ]
        if not all(bool(found.finite[0]) for found in measured):
            raise _not_finite("this query")
        self.sketches = np.stack([found.rows for found in measured], axis=1)  # (1, K, d)
        self.squared_norms = np.stack([found.self_influence[0] for found in measured])  # (K,)
        self._members, self.left_out = [0], 0

    def _take_group(self, header: dict[str, Any], cancelled: Cancelled) -> None:
        warm, query = self._warm, self.query
        self.predicted, self.value, self.confidence = -1, float("nan"), float("nan")
        self.target = explained(warm.sources.dataset, header, query, -1)
        held = warm.held(query.split)
        self.embedding = held.likeness.rows(query.rows).astype(np.float64).mean(axis=0)
        finite: npt.NDArray[np.bool_]
        if self.target.own:  # these were measured by the run
            sketches, finite = held.sketches(query.rows), held.finite[query.rows]
        else:
            engine = warm.engine if self.target.kind == "loss" else warm.score_engine
            places = range(len(warm.rates))
            measured = [self._measure(engine, self.data, place, cancelled) for place in places]
            sketches = np.stack([found.rows for found in measured], axis=1)  # (m, K, d)
            finite = np.logical_and.reduce([found.finite for found in measured])
        self._members = np.flatnonzero(finite).tolist()
        self.left_out = len(query.rows) - len(self._members)
        if not self._members:
            raise _not_finite("every example of this group")
        self.sketches = sketches[self._members].mean(axis=0, dtype=np.float64)[None].astype(np.float32)
        self.squared_norms = np.square(self.sketches[0].astype(np.float64)).sum(axis=1)


def stop_if(cancelled: Cancelled) -> None:
    """Raise where a newer question came.

    Raises:
        CancelledError: It did.
    """
    if cancelled():
        raise CancelledError("A newer question took the place of this one.")


def _not_finite(what: str) -> InputError:
    return InputError(
        f"The gradient of {what} is not a finite number, so it has no influence scores.",
        remedy="Choose another query, or leave out the checkpoint that diverged.",
    )
