"""Exact streamed top-k and bottom-k over stored gradient sketches.

"Exact" means: the same answer as sorting all scores, with ties broken by the lower example index, whatever
the size and order of the blocks. No approximate index is used: gradient norms are heavy-tailed, and the
examples that such an index loses are the proponents that one is looking for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch

from tracin_viz.engine.question import Filter, Question
from tracin_viz.engine.scan import Block, scan
from tracin_viz.errors import EngineError

__all__ = ["Block", "Filter", "Question", "Ranked", "SearchResult", "Strongest", "search"]


@dataclass(frozen=True, eq=False)
class Ranked:
    """Examples in order of rank.

    Attributes:
        indices: (r,) int64 example indices, r ≤ k.
        scores: (r,) float64, falling for proponents and rising for opponents.
    """

    indices: np.ndarray
    scores: np.ndarray


@dataclass(frozen=True, eq=False)
class SearchResult:
    """Answers to each query.

    Attributes:
        proponents: For each query, the examples with the highest scores, highest first.
        opponents: For each query, the examples with the lowest scores, lowest first.
    """

    proponents: tuple[Ranked, ...]
    opponents: tuple[Ranked, ...]

    def candidates(self) -> np.ndarray:
        """(c,) int64 sorted indices that appear in any answer: what an exact second stage has to score."""
        found = [ranked.indices for ranked in (*self.proponents, *self.opponents)]
        return np.unique(np.concatenate(found)) if found else np.empty(0, dtype=np.int64)


def search(blocks: Iterable[Block], question: Question, *, k: int) -> SearchResult:
    """Rank the stored examples for each query.

    Args:
        blocks: See :func:`tracin_viz.engine.scan.scan`.
        question: Queries, learning rates, ranking and filter.
        k: How many proponents and opponents to return; fewer come back where fewer can be ranked.

    Returns:
        Proponents and opponents of each query. With k above half of the examples the two overlap:
        opponents are the bottom of the whole ranking, negative or not.

    Raises:
        EngineError: k is not positive, or a block does not fit the queries.
    """
    strongest = Strongest(question, k)
    for indices, scores in scan(blocks, question):
        strongest.offer(indices, scores)
    return strongest.result()


class Strongest:
    """The k highest and the k lowest scores of each query among those seen so far.

    Args:
        question: The queries.
        k: How many of each.

    Raises:
        EngineError: k is not positive.
    """

    def __init__(self, question: Question, k: int) -> None:
        if k < 1:
            raise EngineError(f"Asked for the {k} strongest examples.", remedy="Ask for at least one.")
        self._factors = question.factors()
        self._best = [_Best(k) for _ in question.queries]
        self._worst = [_Best(k) for _ in question.queries]

    def offer(self, indices: np.ndarray, scores: torch.Tensor) -> None:
        """Take in the scores (b, Q) of examples ``indices`` (b,), each example once; NaN is never taken."""
        for query, column in enumerate(scores.T.contiguous()):  # (Q, b)
            self._best[query].offer(indices, column)
            self._worst[query].offer(indices, -column)

    def floors(self) -> np.ndarray:
        """(Q,) float32: an example whose |score| is below this changes no answer to the query any more."""
        pairs = zip(self._best, self._worst, strict=True)
        return np.array([min(best.floor, worst.floor) for best, worst in pairs], dtype=np.float32)

    def result(self) -> SearchResult:
        """What was found."""
        best = zip(self._best, self._factors, strict=True)
        worst = zip(self._worst, self._factors, strict=True)
        return SearchResult(
            tuple(Ranked(each.indices, each.scores * factor) for each, factor in best),
            tuple(Ranked(each.indices, -each.scores * factor) for each, factor in worst),
        )


class _Best:
    """The k largest scores seen so far, ties to the lower index."""

    def __init__(self, k: int) -> None:
        self.k = k
        self.indices = np.empty(0, dtype=np.int64)
        self.scores = np.empty(0, dtype=np.float32)

    @property
    def floor(self) -> float:
        """What a score must reach to be taken."""
        # Equal scores stay in: a later block may hold the lower index.
        return float(self.scores[-1]) if len(self.scores) == self.k else -np.inf

    def offer(self, indices: np.ndarray, scores: torch.Tensor) -> None:
        """Take in the scores (b,) of examples ``indices`` (b,); NaN is never taken."""
        chosen = torch.nonzero(scores >= self.floor).squeeze(1)  # comparisons with NaN are false
        if len(chosen) == 0:
            return
        values = scores[chosen]
        if len(values) > self.k:
            strong = values >= torch.topk(values, self.k, sorted=False).values.min()
            chosen, values = chosen[strong], values[strong]
        candidates = np.concatenate([self.indices, indices[chosen.cpu().numpy()]])
        merged = np.concatenate([self.scores, values.cpu().numpy()])
        order = np.lexsort((candidates, -merged))[: self.k]
        self.indices, self.scores = candidates[order], merged[order]
