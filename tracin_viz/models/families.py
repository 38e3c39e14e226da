"""Schedules of transformers, found again from the few rates that a run left.

transformers' schedules are functions that no file holds: ``scheduler.pt`` keeps the rate to start from and
the next rate, ``trainer_state.json`` the number of steps. Shape and warm-up are found by trying which of
the library's formulas (``transformers.optimization``) gives every known rate; a formula that misses one is
not used, and formulas that agree on the rates but not on the weights are reported as undecided.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from tracin_viz.models.schedules import Numbers, Schedule

#: Largest difference from a known rate, as a share of the highest rate.
TOLERANCE = 2e-4
#: Warm-ups tried at most; longer trainings are tried in strides.
_WARM_UPS = 20_000
_SCREENED = 12  # rates that every formula is held against first

_Decay = Callable[[Numbers, Numbers, float], Numbers]


def _linear(t: Numbers, warm: Numbers, total: float) -> Numbers:
    return np.maximum(0.0, (total - t) / np.maximum(1.0, total - warm))


def _cosine(t: Numbers, warm: Numbers, total: float) -> Numbers:
    part = (t - warm) / np.maximum(1.0, total - warm)
    return np.maximum(0.0, (1 + np.cos(np.pi * part)) / 2)


def _constant(t: Numbers, warm: Numbers, total: float) -> Numbers:
    return np.ones_like(t + warm)


def _root(t: Numbers, warm: Numbers, total: float) -> Numbers:
    scale = np.where(warm > 0, warm, 10_000.0)
    return 1 / np.sqrt(np.maximum(1e-9, (t + scale - warm) / scale))


_SHAPES: tuple[tuple[str, _Decay], ...] = (
    ("constant rate", _constant),
    ("linear decay", _linear),
    ("cosine decay", _cosine),
    ("inverse square root", _root),
)


def fitting(
    points: Mapping[int, float], *, totals: Sequence[int], base: float | None = None, longest: int
) -> list[Schedule]:
    """Every formula, with its warm-up, that gives all of ``points``; the plainest first.

    Args:
        points: Rate by step, counted from 0: the rate that step uses.
        totals: Lengths of training to try, in steps.
        base: The highest rate, where it is known.
        longest: Warm-ups are tried up to that many steps.

    Returns:
        Schedules whose curve takes steps counted from 0; none where nothing fits or too little is known.
    """
    if not points or (base is None and len(points) < 4):
        return []
    places = np.array(sorted(points), dtype=np.float64)
    rates = np.array([points[int(place)] for place in places])
    warm = np.unique(np.linspace(0, longest, min(longest + 1, _WARM_UPS)).astype(np.int64))
    few = np.unique(np.linspace(0, len(places) - 1, _SCREENED).astype(np.int64))
    found: list[Schedule] = []
    for name, decay in _SHAPES:
        for total in totals if decay in (_linear, _cosine) else totals[:1]:
            kept = _matching(decay, warm, total, places[few], rates[few], base)
            # Among warm-ups that fit alike the shortest and the longest: their weights bound the others'.
            for number in dict.fromkeys((*kept[:1], *kept[-1:])):
                height = _height(decay, number, total, places, rates, base)
                if height and _misses(decay, number, total, places, rates, height) <= TOLERANCE * height:
                    found.append(_schedule(name, decay, number, total, height))
    return found


def _matching(
    decay: _Decay,
    warm: npt.NDArray[np.int64],
    total: int,
    places: Numbers,
    rates: Numbers,
    base: float | None,
) -> list[int]:
    columns = warm[:, None].astype(np.float64)
    shape = _multiplier(decay, places[None, :], columns, float(total))  # (warm-ups, points)
    top = shape.max(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        height = np.full(len(warm), base) if base else rates[np.argmax(shape, 1)] / top
        missed = np.abs(shape * height[:, None] - rates[None, :]).max(1)
        good = np.isfinite(missed) & (missed <= TOLERANCE * height)
    return [int(number) for number in warm[good]]


def _multiplier(decay: _Decay, t: Numbers, warm: Numbers, total: float) -> Numbers:
    return np.where(t < warm, t / np.maximum(1.0, warm), decay(t, warm, total))


def _height(
    decay: _Decay, warm: int, total: int, places: Numbers, rates: Numbers, base: float | None
) -> float:
    if base:
        return base
    shape = _multiplier(decay, places, np.array(float(warm)), float(total))
    best = int(np.argmax(shape))
    return float(rates[best] / shape[best]) if shape[best] > 0 else 0.0


def _misses(decay: _Decay, warm: int, total: int, places: Numbers, rates: Numbers, height: float) -> float:
    shape = _multiplier(decay, places, np.array(float(warm)), float(total))
    return float(np.abs(shape * height - rates).max())


def _schedule(name: str, decay: _Decay, warm: int, total: int, height: float) -> Schedule:
    said = name
    if decay in (_linear, _cosine):
        said = f"{said} until step {total}"
    if warm:
        said = f"{said} after a warm-up of {warm} steps"
    return Schedule(said, lambda t: height * _multiplier(decay, t, np.array(float(warm)), float(total)))
