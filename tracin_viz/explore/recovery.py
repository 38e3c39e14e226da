"""How many known wrong labels a ranking finds: for audits whose truth is known (the demos, self-tests).

Equal scores are never settled in the ranking's favour: within a group of equal scores the wrong labels count
as evenly spread, which is the average over all orders of the group. Scores that are NaN form the last group.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from tracin_viz.errors import InputError

Floats = npt.NDArray[np.float64]


def recovery_curve(values: npt.ArrayLike, planted: npt.ArrayLike, points: int = 101) -> tuple[Floats, Floats]:
    """Share of the planted wrong labels found when the most suspicious share of the data is looked at.

    The curve of Pruthi et al. 2020, figure 3. A random order gives the diagonal.

    Args:
        values: (N,) scores, higher = more suspicious.
        planted: (N,) True where the label is known to be wrong; at least one.
        points: Points of the curve, ends included.

    Returns:
        Fractions of the data looked at and shares of the planted labels found, (points,) each, in 0–1.

    Raises:
        InputError: The arrays do not fit together or nothing is planted.
    """
    seen, found = _group_ends(values, planted)
    fractions = np.linspace(0.0, 1.0, max(2, points))
    return fractions, np.interp(fractions, seen / seen[-1], found / found[-1])


def share_at(values: npt.ArrayLike, planted: npt.ArrayLike, fraction: float = 0.2) -> float:
    """Share of the planted wrong labels within the most suspicious ``fraction`` of the data."""
    seen, found = _group_ends(values, planted)
    return float(np.interp(fraction, seen / seen[-1], found / found[-1]))


def auroc(values: npt.ArrayLike, planted: npt.ArrayLike) -> float:
    """Probability that a wrong label ranks above a right one, equal scores counting half.

    NaN where every label is wrong.
    """
    seen, found = _group_ends(values, planted)
    right = seen - found
    if right[-1] == 0:
        return float("nan")
    return float(np.trapezoid(found / found[-1], right / right[-1]))


def average_precision(values: npt.ArrayLike, planted: npt.ArrayLike) -> float:
    """Area under the precision–recall curve (as scikit-learn's ``average_precision_score``)."""
    seen, found = _group_ends(values, planted)
    gained = np.diff(found) / found[-1]
    return float(np.sum(gained * found[1:] / seen[1:]))


def compare(
    rankings: Mapping[str, npt.ArrayLike], planted: npt.ArrayLike, points: int = 101
) -> dict[str, Any]:
    """Recovery of several rankings over the same data, ready for a page or a JSON document.

    Args:
        rankings: (N,) scores by name of the ranking.
        planted: (N,) True where the label is known to be wrong.
        points: Points of each curve.

    Returns:
        ``{fractions, curves: {name: shares}, random: shares, at_20: {name: share}, auroc: {name: …},
        average_precision: {name: …}, planted: n, examples: N}`` in plain numbers.
    """
    mask = np.asarray(planted, dtype=bool)
    fractions = np.linspace(0.0, 1.0, max(2, points))
    return {
        "fractions": fractions.tolist(),
        "curves": {name: recovery_curve(v, mask, points)[1].tolist() for name, v in rankings.items()},
        "random": fractions.tolist(),
        "at_20": {name: share_at(v, mask) for name, v in rankings.items()},
        "auroc": {name: auroc(v, mask) for name, v in rankings.items()},
        "average_precision": {name: average_precision(v, mask) for name, v in rankings.items()},
        "planted": int(mask.sum()),
        "examples": int(mask.size),
    }


def _group_ends(values: npt.ArrayLike, planted: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Examples seen and planted labels found at the end of each group of equal scores, from 0 on."""
    array = np.asarray(values, dtype=np.float64)
    mask = np.asarray(planted, dtype=bool)
    if array.ndim != 1 or array.shape != mask.shape:
        raise InputError(f"Scores {array.shape} and planted labels {mask.shape} must be one per example.")
    if not mask.any():
        raise InputError(
            "No label of these examples is known to be wrong, so there is nothing to recover.",
            remedy="Recovery needs an audit with planted labels, such as the digits demo.",
        )
    array = np.where(np.isnan(array), -np.inf, array)
    descending = np.argsort(-array, kind="stable")
    ranked = array[descending]
    last = np.append(ranked[1:] != ranked[:-1], True)
    seen = np.flatnonzero(last) + 1.0
    found = np.cumsum(mask[descending])[last].astype(np.float64)
    return np.append(0.0, seen), np.append(0.0, found)
