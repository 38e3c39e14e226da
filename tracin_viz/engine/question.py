"""What is asked of stored gradient sketches: queries, weights, ranking, filter.

The score of example x for query sketches q_i is (TracInCP of Pruthi et al. 2020, §3.3)

    score(x) = Σ_i η_i · norm_i(x) · ⟨row_i(x), q_i⟩

and the influence vector behind it is φ(x) = [√η_i · norm_i(x) · row_i(x)], so ‖φ(x)‖² = Σ_i η_i norm_i(x)².
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tracin_viz.errors import EngineError

RANKINGS = ("dot", "cosine", "relatif")


@dataclass(frozen=True)
class Filter:
    """Which examples a query may be answered with; applied inside the scan, not after it.

    Attributes:
        allowed: (n,) bool, or None for all: examples that may appear for any query.
        labels: (n,) int classes of the stored examples; needed for ``same_class_as``.
        same_class_as: (Q,) int class of each query: only examples of that class may answer it.
    """

    allowed: np.ndarray | None = None
    labels: np.ndarray | None = None
    same_class_as: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.allowed is not None and self.allowed.dtype != np.bool_:
            raise EngineError(
                f"The filter of allowed examples has type {self.allowed.dtype}, not bool.",
                remedy="Give one True or False for each stored example.",
            )
        if self.same_class_as is not None and self.labels is None:
            raise EngineError(
                "A same-class filter was asked for without the classes of the stored examples.",
                remedy="Give labels=, one class index for each stored example.",
            )


@dataclass(frozen=True)
class Question:
    """What is asked of a scan.

    Attributes:
        queries: (Q, K, d) raw float32 sketches of the queries, one per checkpoint.
        learning_rates: (K,) weight η of each checkpoint; 0 switches a checkpoint off.
        ranking: "dot" (TracInCP), "cosine" (of the influence vectors φ) or "relatif" (TracInCP divided by the
            *stored* example's ‖φ‖, after Barshan et al. 2020: large gradients no longer answer everything).
        where: Filter on the stored examples.
    """

    queries: np.ndarray
    learning_rates: Sequence[float] | np.ndarray
    ranking: str = "dot"
    where: Filter = field(default_factory=Filter)

    def __post_init__(self) -> None:
        if self.ranking not in RANKINGS:
            raise EngineError(
                f"There is no ranking called {self.ranking!r}.",
                remedy=f"Choose one of {', '.join(RANKINGS)}.",
            )
        if self.queries.ndim != 3 or self.queries.shape[1] != len(self.learning_rates):
            raise EngineError(
                f"Query sketches of shape {self.queries.shape} do not fit "
                f"{len(self.learning_rates)} learning rates.",
                remedy="Give an array of shape (queries, checkpoints, sketch dimension).",
            )
        rates = np.asarray(self.learning_rates, dtype=np.float64)
        if not np.isfinite(rates).all() or (rates < 0).any():
            raise EngineError(
                f"Learning rates must be finite and not negative, got {rates.tolist()}.",
                remedy="Give the rate that was used before each checkpoint; 0 switches a checkpoint off.",
            )
        if not np.isfinite(self.queries[:, rates > 0]).all():
            raise EngineError(
                "A query's gradient sketch is not finite, so nothing can be ranked by it.",
                remedy="Look at the query's loss at each checkpoint; leave out checkpoints that diverged.",
            )
        classes = self.where.same_class_as
        if classes is not None and len(classes) != len(self.queries):
            raise EngineError(
                f"The same-class filter names {len(classes)} classes for {len(self.queries)} queries.",
                remedy="Give one class index for each query.",
            )

    @property
    def active(self) -> np.ndarray:
        """(A,) indices of the checkpoints that are switched on."""
        return np.flatnonzero(np.asarray(self.learning_rates) > 0)

    def query_norms(self) -> np.ndarray:
        """(Q,) float64 ‖φ‖ of each query."""
        rates = np.asarray(self.learning_rates, dtype=np.float64)[self.active]
        squares = np.square(self.queries[:, self.active].astype(np.float64)).sum(axis=2)  # (Q, A)
        norms: np.ndarray = np.sqrt(squares @ rates)
        return norms

    def unit_queries(self) -> np.ndarray:
        """(Q, K, d) float32 sketches divided by the query's ‖φ‖; a zero query stays 0, or NaN for cosine."""
        norms = self.query_norms()
        zero = np.nan if self.ranking == "cosine" else 1.0
        divisor = np.where(norms > 0, norms, zero)
        return (self.queries / divisor[:, None, None]).astype(np.float32)

    def factors(self) -> np.ndarray:
        """(Q,) float64 by which the scores of unit queries are multiplied."""
        return np.ones(len(self.queries)) if self.ranking == "cosine" else self.query_norms()
