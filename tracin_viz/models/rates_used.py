"""The weight of each checkpoint: the mean of the learning rates used since the checkpoint before.

In the order of trust: every step's rate is logged; the schedule can be played again from a state that the
checkpoints hold, and gives every known rate; the known rates are close enough to be joined by lines. What
none of these gives is asked for. A rate is never made up, and never 1.0 for want of another.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tracin_viz.data.dataset import listed
from tracin_viz.errors import InputError
from tracin_viz.models.learning_rates import LearningRate, Log, how_to_pass
from tracin_viz.models.rate_evidence import Candidate, Stored, first_rate, found_again, played_again, stayed
from tracin_viz.models.schedules import Curve, Numbers

#: Weights of schedules that fit alike may differ by this much; beyond it the schedule is not decided.
_ALIKE = 0.01
#: Steps of an interval that are looked at, at most.
_LOOKED_AT = 200_000


def rates_used(
    steps: Sequence[int],
    *,
    chosen: Sequence[int],
    log: Log,
    stored: Sequence[Stored] = (),
    total: int | None = None,
) -> list[LearningRate]:
    """The weights of the ``chosen`` checkpoints.

    Args:
        steps: Steps of *all* checkpoints of the run, ascending, so that choosing fewer changes no weight.
        chosen: The steps whose weights are asked for.
        log: What the training logged.
        stored: What the checkpoints hold.
        total: Steps of the whole training, where known.

    Raises:
        InputError: The rates of an interval are not known, or all 0.
    """
    before = dict(zip(steps, [0, *steps], strict=False))
    intervals = [(before[step], step) for step in chosen]
    complete = {step: _logged(log, first, step) for first, step in intervals}
    missing = [(first, step) for first, step in intervals if complete[step] is None]
    found = _worked_out(missing, log, stored, total) if missing else {}
    result = []
    for first, step in intervals:
        rate = complete[step] or found.get(step)
        if rate is None:
            raise _unknown(first, step, log, stored, chosen)
        if not 0 < rate.value < math.inf:
            raise _zero(first, step, rate, chosen)
        result.append(rate)
    return result


def _logged(log: Log, before: int, step: int) -> LearningRate | None:
    """The plain mean, where every step's rate is in the log."""
    inside = log.inside(before, step)
    if not inside or (len(inside) < step - before and not log.means):
        return None
    rates = "1 rate" if len(inside) == 1 else f"{len(inside)} rates"
    where = f"mean of {rates} logged in {log.source}, steps {before + 1}–{step}"
    return LearningRate(math.fsum(inside) / len(inside), where)


def _worked_out(
    intervals: Sequence[tuple[int, int]], log: Log, stored: Sequence[Stored], total: int | None
) -> dict[int, LearningRate]:
    candidates = played_again(log, stored) or found_again(log, stored, total) or stayed(log, stored)
    if not candidates:
        return _joined(intervals, log, stored)
    result: dict[int, LearningRate] = {}
    for before, step in intervals:
        means = [_mean(candidate.curve, before, step) for candidate in candidates]
        if max(means) - min(means) > _ALIKE * max(means):
            if lines := _joined([(before, step)], log, stored) if len(log.inside(before, step)) > 1 else {}:
                result |= lines
                continue
            said = " as well as ".join(
                f"a mean of {mean:.3g} by {candidate.said}"
                for candidate, mean in _extremes(candidates, means)
            )
            raise InputError(
                f"The learning rates of steps {before + 1}–{step} are not decided: those that are known fit "
                f"{said}.",
                remedy=how_to_pass([step for _, step in intervals]),
            )
        said = f"mean over steps {before + 1}–{step} of {candidates[0].said}"
        result[step] = LearningRate(means[0], said)
    return result


def _extremes(candidates: list[Candidate], means: list[float]) -> list[tuple[Candidate, float]]:
    ranked = sorted(zip(candidates, means, strict=True), key=lambda pair: pair[1])
    return [ranked[0], ranked[-1]]


def _joined(
    intervals: Sequence[tuple[int, int]], log: Log, stored: Sequence[Stored]
) -> dict[int, LearningRate]:
    """Lines between the known rates; an interval without any is left out."""
    points = {step - 1: rate for step, rate in log.rates.items()} if not log.means else {}
    for entry in stored:
        rate, place = entry.next_rate(), entry.step
        if rate is None:
            rate = first_rate([group.get("lr") for group in entry.groups])
            place = entry.step - 1 if entry.rate_is == "used" else entry.step
        if rate is not None:
            points.setdefault(place, rate)
    if len(points) < 2:
        return {}
    places = np.array(sorted(points), dtype=np.float64)
    rates = np.array([points[int(place)] for place in places])
    sources = [*([log.source] if log.rates else []), *(entry.source for entry in stored)]
    result = {}
    for before, step in intervals:
        inside = [place for place in points if before <= place <= step]
        # One rate in a long interval says nothing of its course, nor does one that comes late in the first.
        if len(inside) >= min(2, step - before) and min(inside) <= (before + step) / 2:
            said = (
                f"mean over steps {before + 1}–{step} of lines between the rates known from "
                f"{listed(sources, limit=3)}, {len(inside)} of them in these steps"
            )
            result[step] = LearningRate(_mean(lambda t: _lines(t, places, rates), before, step), said)
    return result


def _lines(t: Numbers, places: Numbers, rates: Numbers) -> Numbers:
    """Straight lines through the points, continued at both ends but never below 0."""
    inner = np.interp(t, places, rates)
    head = rates[0] + (t - places[0]) * (rates[1] - rates[0]) / (places[1] - places[0])
    tail = rates[-1] + (t - places[-1]) * (rates[-1] - rates[-2]) / (places[-1] - places[-2])
    found: Numbers = np.where(t < places[0], head, np.where(t > places[-1], tail, inner))
    return np.maximum(0.0, found)


def _mean(curve: Curve, before: int, step: int) -> float:
    count = min(step - before, _LOOKED_AT)
    return float(curve(np.floor(np.linspace(before, step - 1, count))).mean())


def _unknown(before: int, step: int, log: Log, stored: Sequence[Stored], chosen: Sequence[int]) -> InputError:
    looked = [*([log.source] if log.source else []), *(entry.source for entry in stored)]
    where = f" in {listed(looked, limit=3)}" if looked else ""
    return InputError(
        f"No learning rate is logged for steps {before + 1}–{step}{where}, so checkpoint-{step} has no "
        "weight.",
        remedy=how_to_pass(chosen),
    )


def _zero(before: int, step: int, rate: LearningRate, chosen: Sequence[int]) -> InputError:
    return InputError(
        f"The learning rates of steps {before + 1}–{step} are all 0 ({rate.provenance}), so "
        f"checkpoint-{step} would not count.",
        remedy="Leave it out with --checkpoints. " + how_to_pass(chosen),
    )
