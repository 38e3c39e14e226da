"""What a run holds about its learning rates, and the schedules that explain all of it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tracin_viz.data.dataset import listed
from tracin_viz.models.families import TOLERANCE, fitting
from tracin_viz.models.learning_rates import HIGHEST, Log
from tracin_viz.models.schedules import Curve, Numbers, known_schedule


@dataclass(frozen=True)
class Stored:
    """What one checkpoint holds about its learning rate.

    Attributes:
        step: Its step.
        source: The file, for messages.
        schedule: State dict of the schedule, if any.
        groups: Settings of the optimizer's parameter groups, if any.
        rate_is: Whether the groups' rate is the one ``"used"`` last, or the ``"next"``.
        epoch: Passes over the data finished, where known.
    """

    step: int
    source: str
    schedule: Mapping[str, Any] | None = None
    groups: tuple[Mapping[str, Any], ...] = ()
    rate_is: str = "next"
    epoch: float | None = None

    def moved(self) -> int | None:
        """How often the schedule has moved."""
        value = (self.schedule or {}).get("last_epoch")
        return value if isinstance(value, int) and value >= 0 else None

    def next_rate(self) -> float | None:
        """The rate that the schedule set last: that of the step to come."""
        return first_rate((self.schedule or {}).get("_last_lr"))

    def base(self) -> float | None:
        """The rate that the schedule starts from."""
        base = first_rate((self.schedule or {}).get("base_lrs"))
        return base if base is not None else first_rate([group.get("initial_lr") for group in self.groups])

    def steps_per_move(self) -> float | None:
        """Steps between two moves of the schedule: 1, or those of an epoch."""
        moved = self.moved()
        if moved is None or self.step < 1:
            return None
        if abs(moved - self.step) <= max(1.0, 0.01 * self.step):
            return 1.0
        if self.epoch and abs(moved - self.epoch) <= 1:
            return self.step / self.epoch
        return None


@dataclass(frozen=True)
class Candidate:
    """A schedule that gives every known rate.

    Attributes:
        curve: Rates by step, steps counted from 0.
        said: What it is and where it comes from.
    """

    curve: Curve
    said: str


def played_again(log: Log, stored: Sequence[Stored]) -> list[Candidate]:
    """Schedules of torch schedules, from their state; only if they give every rate that is known."""
    for newest in reversed(stored):
        if newest.schedule is None:
            continue
        group = newest.groups[0] if newest.groups else None
        schedule, per_move = known_schedule(newest.schedule, group=group), newest.steps_per_move()
        if schedule is None or per_move is None:
            return []
        rates = [(entry.moved(), entry.next_rate()) for entry in stored]
        known = [(float(moved), rate) for moved, rate in rates if moved is not None and rate is not None]
        known += [((step - 1) / per_move, rate) for step, rate in log.rates.items()]
        moved, rate = np.array([m for m, _ in known]), np.array([r for _, r in known])
        given = _by_step(schedule.curve, 1.0)(moved)
        top = max(float(rate.max()), float(given.max()))
        if not np.isfinite(given).all() or np.abs(given - rate).max() > TOLERANCE * top:
            return []
        said = (
            f"{schedule.said}, played again from the schedule in {newest.source}; it gives all "
            f"{len(known)} known rates"
        )
        return [Candidate(_by_step(schedule.curve, per_move), said)]
    return []


def found_again(log: Log, stored: Sequence[Stored], total: int | None) -> list[Candidate]:
    """Schedules of transformers, whose settings no file holds."""
    if log.means:
        return []
    states = [entry for entry in stored if entry.schedule is not None]
    per_move = next((entry.steps_per_move() for entry in reversed(states)), 1.0)
    if per_move is None:
        return []
    points = {int((step - 1) / per_move): rate for step, rate in log.rates.items()} if per_move == 1 else {}
    for entry in states:
        moved, rate = entry.moved(), entry.next_rate()
        if moved is not None and rate is not None:
            points[moved] = rate
    base = next((entry.base() for entry in reversed(states)), None)
    last = max(points, default=0)
    totals = [total] if total else _lengths(points, last)
    # transformers makes its constant schedule from a plain function (saved as None) and those with a warm-up
    # from partial ones (saved as {}): otherwise nothing would tell a constant rate from one warmed up to.
    plain = bool(total) and any((entry.schedule or {}).get("lr_lambdas") == [None] for entry in states)
    longest = 0 if plain else max(totals, default=last)
    schedules = fitting(points, totals=totals, base=base, longest=longest)
    sources = [*([log.source] if log.rates else []), *(entry.source for entry in states)]
    why = "" if log.rates else "; the log has no rates"
    return [
        Candidate(
            _by_step(schedule.curve, per_move),
            f"{schedule.said}, replayed from {listed(sources, limit=3)}; it gives all {len(points)} known "
            f"rates{why}",
        )
        for schedule in schedules
    ]


def _lengths(points: Mapping[int, float], last: int) -> list[int]:
    """Lengths of the training to try where none is written down: up to now, or to where a line ends."""
    found = [last]
    for (first, high), (second, low) in itertools.pairwise(sorted(points.items())):
        if high > low > 0:
            found.append(round(second + low * (second - first) / (high - low)))
    return sorted({length for length in found if length > 0})[:8]


def stayed(log: Log, stored: Sequence[Stored]) -> list[Candidate]:
    """One rate throughout: each checkpoint's optimizer holds the same, and there is no schedule."""
    if not stored or any(entry.schedule is not None for entry in stored):
        return []
    rates = [first_rate([group.get("lr") for group in entry.groups]) for entry in stored]
    everything = [*rates, *log.rates.values()]
    first = everything[0]
    if first is None or any(rate is None or not math.isclose(rate, first) for rate in everything):
        return []
    initial = {group.get("initial_lr", first) for entry in stored for group in entry.groups[:1]}
    if initial != {first} or len(stored) < 2:
        return []
    said = f"the rate {first:g}, which the optimizers of all {len(stored)} checkpoints hold"
    return [Candidate(lambda t: np.full_like(t, first), said)]


def first_rate(values: object) -> float | None:
    """The first of ``values`` as a rate; ``None`` where it is none."""
    first = values[0] if isinstance(values, list | tuple) and values else None
    if not isinstance(first, int | float) or isinstance(first, bool) or not math.isfinite(first):
        return None
    return float(first) if 0 <= first <= HIGHEST else None


def _by_step(curve: Curve, per_move: float) -> Curve:
    """From how often the schedule moved to steps: it stays while it does not move."""

    def by_step(t: Numbers) -> Numbers:
        with np.errstate(all="ignore"):  # settings may be senseless; what comes out is checked
            return curve(np.floor(t / per_move + 1e-9))

    return by_step
