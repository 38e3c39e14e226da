"""Learning rates as training logs and people give them; ``rates_used`` makes weights of them.

TracInCP (Pruthi et al. 2020, §3.1) weighs checkpoint i with the learning rate η_i of the steps it stands
for. The rate stored in an optimizer's state is that of the *next* step (0.0 after a finished linear
decay), so logged rates count most: the Trainer logs them before it moves the schedule on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tracin_viz.data.problems import shown
from tracin_viz.errors import InputError

Entries = Sequence[Mapping[str, Any]]
#: No learning rate is higher, and no training has more steps: damaged files are told by it.
HIGHEST = 1e6
LONGEST = 10**12


@dataclass(frozen=True)
class LearningRate:
    """A weight and where it comes from, in plain words."""

    value: float
    provenance: str


@dataclass(frozen=True)
class Log:
    """The rates that a training wrote down.

    Attributes:
        rates: Rate by step, steps counted from 1.
        source: The file they stand in, for messages; "" where there is none.
        means: Whether each entry is the mean over the steps since the entry before (our recorder's), not
            the rate of that one step.
    """

    rates: Mapping[int, float]
    source: str
    means: bool = False

    @classmethod
    def read(cls, entries: Entries, *, source: str, means: bool = False) -> Log:
        """The rates in ``log_history``; where a resumed run logged a step twice, the later entry stands.

        Raises:
            InputError: An entry cannot be a learning rate.
        """
        logged: dict[int, float] = {}
        for entry in entries:
            rate = entry.get("learning_rate")
            if rate is None or _step(entry) < 1:
                continue
            if not _is_number(rate) or not 0 <= rate <= HIGHEST:
                raise InputError(
                    f"{source} logs the learning rate '{shown(rate)}' at step {_step(entry)}.",
                    remedy="Correct that entry, or pass the rates with --learning-rates.",
                )
            logged[_step(entry)] = float(rate)
        return cls(logged, source, means)

    def inside(self, before: int, step: int) -> list[float]:
        """The rates logged in ``(before, step]``."""
        return [rate for at, rate in sorted(self.rates.items()) if before < at <= step]


def from_user(steps: Sequence[int], rates: Sequence[float]) -> list[LearningRate]:
    """The rates that the user gave, one per chosen checkpoint.

    Raises:
        InputError: Their number is not that of the checkpoints, or one is no positive number.
    """
    if len(rates) != len(steps):
        raise InputError(
            f"{len(rates)} learning rates were given for {len(steps)} checkpoints.",
            remedy=how_to_pass(steps),
        )
    for step, rate in zip(steps, rates, strict=True):
        if not (math.isfinite(rate) and rate > 0):
            raise InputError(
                f"The learning rate given for checkpoint-{step} is {rate}; it must be a positive number.",
                remedy="To leave a checkpoint out, use --checkpoints.",
            )
    return [LearningRate(float(rate), "given by the user") for rate in rates]


def train_loss(log: Entries, *, before: int, step: int) -> float | None:
    """The mean training loss of the steps in ``(before, step]``, where it is logged.

    Each entry of a log is the mean since the entry before, so it counts for as many steps.
    """
    total, steps, last = 0.0, 0, before
    for entry in sorted((entry for entry in log if _is_number(entry.get("loss"))), key=_step):
        at = _step(entry)
        if before < at <= step and at > last:
            total, steps, last = total + float(entry["loss"]) * (at - last), steps + at - last, at
    return total / steps if steps else None


def epoch(log: Entries, *, step: int) -> float | None:
    """The epoch logged at that very step, where there is one."""
    for entry in log:
        if _step(entry) == step and _is_number(entry.get("epoch")):
            return float(entry["epoch"])
    return None


def how_to_pass(steps: Sequence[int]) -> str:
    """The sentence that says how to give the rates by hand."""
    few = ", ".join(str(step) for step in steps[:6]) + (", …" if len(steps) > 6 else "")
    return (
        f"Pass the rates used with --learning-rates, one per checkpoint (steps {few}), separated by commas."
    )


def _step(entry: Mapping[str, Any]) -> int:
    step = entry.get("step")
    return step if isinstance(step, int) and 0 < step <= LONGEST else 0


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
