"""The weight of each checkpoint in TracInCP: the learning rates used since the checkpoint before.

TracInCP (Pruthi et al. 2020, §3.1) weighs checkpoint i with the learning rate η_i of the steps it stands
for. The rate stored in an optimizer's state is that of the *next* step (0.0 after a finished linear
decay), so the logged rates are what counts: the Trainer logs them before it moves the schedule on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tracin_viz.data.problems import shown
from tracin_viz.errors import InputError

Log = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class LearningRate:
    """A weight and where it comes from, in plain words."""

    value: float
    provenance: str


def from_log(
    steps: Sequence[int], log: Log, *, source: str, chosen: Sequence[int] | None = None
) -> list[LearningRate]:
    """For each chosen checkpoint the mean of the rates logged after the previous one, up to its own step.

    Args:
        steps: Steps of *all* checkpoints of the run, ascending, so that choosing fewer changes no weight.
        log: ``log_history`` of a ``trainer_state.json``: entries with ``step`` and ``learning_rate``.
        source: The name of that file, for messages.
        chosen: The steps whose weights are asked for, ascending; ``None`` = all.

    Raises:
        InputError: No rate was logged in a chosen interval, or one that cannot be a learning rate.
    """
    logged = _rates(log, source)
    result = []
    asked = steps if chosen is None else chosen
    intervals = dict(zip(steps, [0, *steps], strict=False))
    for step in asked:
        before = intervals[step]
        inside = [rate for at, rate in sorted(logged.items()) if before < at <= step]
        if not inside:
            raise InputError(
                f"No learning rate is logged for steps {before + 1}–{step} in {source}, so checkpoint-{step} "
                "has no weight.",
                remedy=how_to_pass(asked),
            )
        mean = math.fsum(inside) / len(inside)
        if mean <= 0:
            raise InputError(
                f"The learning rates logged for steps {before + 1}–{step} in {source} are all 0, so "
                f"checkpoint-{step} would not count.",
                remedy="Leave it out with --checkpoints. " + how_to_pass(asked),
            )
        rates = "1 rate" if len(inside) == 1 else f"{len(inside)} rates"
        result.append(LearningRate(mean, f"mean of {rates} logged in {source}, steps {before + 1}–{step}"))
    return result


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


def train_loss(log: Log, *, before: int, step: int) -> float | None:
    """The last training loss logged in ``(before, step]``, where there is one."""
    inside = [entry for entry in log if before < _step(entry) <= step and _is_number(entry.get("loss"))]
    return float(max(inside, key=_step)["loss"]) if inside else None


def epoch(log: Log, *, step: int) -> float | None:
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


def _rates(log: Log, source: str) -> dict[int, float]:
    """Rate by step; where a resumed run logged a step twice, the later entry stands."""
    logged: dict[int, float] = {}
    for entry in log:
        rate = entry.get("learning_rate")
        if rate is None or _step(entry) < 1:
            continue
        if not _is_number(rate) or rate < 0:
            raise InputError(
                f"{source} logs the learning rate '{shown(rate)}' at step {_step(entry)}.",
                remedy="Correct that entry, or pass the rates with --learning-rates.",
            )
        logged[_step(entry)] = float(rate)
    return logged


def _step(entry: Mapping[str, Any]) -> int:
    step = entry.get("step")
    return step if isinstance(step, int) else 0


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
