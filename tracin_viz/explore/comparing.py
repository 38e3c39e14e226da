"""How far two answers to one question agree: two ranked lists, or two rankings of all examples."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tracin_viz.errors import InputError
from tracin_viz.explore.suspects import order

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Overlap:
    """What two ranked lists have in common.

    Attributes:
        both: Members of both lists, in the order of the left one.
        share: Members of both divided by the length of the longer list, 0–1; NaN where both are empty.
        places: By member of both lists, its places from 1: (left, right).
    """

    both: tuple[Hashable, ...]
    share: float
    places: dict[Hashable, tuple[int, int]]


@dataclass(frozen=True)
class Agreement:
    """How far two rankings of the same examples agree.

    Attributes:
        spearman: Rank correlation of the scores, −1 to 1; equal scores share the mean of their ranks.
            NaN where a side has no two different finite scores.
        compared: Examples with a finite score on both sides.
        top: Examples at the top of each side that are compared.
        both: Of those, how many are on both sides.
        left_only: Rows that only the left side has at its top, the most suspicious first.
        right_only: The same of the right side.
    """

    spearman: float
    compared: int
    top: int
    both: int
    left_only: npt.NDArray[np.int64]
    right_only: npt.NDArray[np.int64]


def overlap(left: Sequence[Hashable], right: Sequence[Hashable]) -> Overlap:
    """What two ranked lists, strongest first, have in common."""
    places = {member: place for place, member in enumerate(right, 1)}
    found = {member: (place, places[member]) for place, member in enumerate(left, 1) if member in places}
    longer = max(len(left), len(right))
    return Overlap(tuple(found), len(found) / longer if longer else float("nan"), found)


def agreement(left: npt.ArrayLike, right: npt.ArrayLike, top: int) -> Agreement:
    """How far two rankings agree (Spearman's rank correlation, and the overlap of their tops).

    Args:
        left: (N,) scores, higher = nearer the top; not finite ones take no part.
        right: (N,) the same of the other side.
        top: Examples at the top of each side that are compared.

    Raises:
        InputError: The sides are not about equally many examples, or ``top`` is not positive.
    """
    first, second = np.asarray(left, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if first.ndim != 1 or first.shape != second.shape:
        raise InputError(
            f"Rankings of {first.size:,} and {second.size:,} examples cannot be compared.",
            remedy="Compare two sets of checkpoints of one audit, or two audits with the same training data.",
        )
    if top < 1:
        raise InputError(f"The top {top} cannot be compared.", remedy="Compare at least one example.")
    finite = np.isfinite(first) & np.isfinite(second)
    number = min(top, int(finite.sum()))
    best, other = (_top(scores, finite, number) for scores in (first, second))
    return Agreement(
        spearman=_spearman(first[finite], second[finite]),
        compared=int(finite.sum()),
        top=number,
        both=int(np.isin(best, other).sum()),
        left_only=best[~np.isin(best, other)],
        right_only=other[~np.isin(other, best)],
    )


def _top(scores: Floats, finite: npt.NDArray[np.bool_], number: int) -> npt.NDArray[np.int64]:
    found: npt.NDArray[np.int64] = order(np.where(finite, scores, np.nan))[:number]
    return found


def _spearman(left: Floats, right: Floats) -> float:
    if left.size < 2 or left.min() == left.max() or right.min() == right.max():
        return float("nan")
    ranks = (pd.Series(side).rank().to_numpy() for side in (left, right))
    return float(np.corrcoef(*ranks)[0, 1])
