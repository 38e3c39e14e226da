"""What ``trainer_state.json`` says about a training: rates used, losses, length.

TracInCP (Pruthi et al. 2020, §3.1) weighs a checkpoint with the learning rate of the steps it stands for,
so every rate is kept until it has been written.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from tracin_viz.errors import InputError

#: Entries of the log between two checkpoints, at most: a million steps must not make a file of 100 MB.
LOG_ENTRIES = 1000


@dataclass(frozen=True)
class Plan:
    """How long the training is meant to last, as far as it is known.

    Attributes:
        steps_per_epoch: Optimizer steps of one pass over the data; epochs are not written without it.
        total_steps: Optimizer steps of the whole training.
        batch_size: Examples per optimizer step.
        resume_from: The recorded step that this training continues from, after an interruption.
    """

    steps_per_epoch: int | None = None
    total_steps: int | None = None
    batch_size: int | None = None
    resume_from: int | None = None

    def __post_init__(self) -> None:
        for name in ("steps_per_epoch", "total_steps", "batch_size", "resume_from"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(f"`{name}` must be positive, got {value}.")

    def epoch(self, step: int) -> float | None:
        """Passes over the data after ``step`` optimizer steps, where it is known."""
        return step / self.steps_per_epoch if self.steps_per_epoch else None

    def epochs(self) -> int:
        """Passes over the data of the whole training; 0 = not known, as the Trainer writes it."""
        if not self.steps_per_epoch or not self.total_steps:
            return 0
        return math.ceil(self.total_steps / self.steps_per_epoch)


class TrainingLog:
    """Rates and losses, step by step since the last checkpoint and condensed before it.

    Args:
        plan: Length of the training.

    Attributes:
        steps: Optimizer steps that were reported.
        entries: What was condensed, oldest first.
        nonfinite: Steps whose loss was not a finite number.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.steps = 0
        self.entries: list[dict[str, Any]] = []
        self.nonfinite: list[int] = []
        self._rates: list[tuple[float, ...]] = []
        self._losses: list[torch.Tensor | float | None] = []

    def resume(self, step: int, entries: list[dict[str, Any]], nonfinite: list[int]) -> None:
        """Go on after ``step`` with what was logged up to there."""
        self.steps, self.entries, self.nonfinite = step, list(entries), list(nonfinite)

    def add_rates(self, rates: Sequence[float]) -> None:
        """The learning rates of a step that the optimizer is about to take, one per parameter group."""
        self._rates.append(tuple(rates))

    def add_loss(self, loss: torch.Tensor | float | None) -> range:
        """The loss of the step just taken.

        Returns:
            The numbers of the steps taken since the last report: one usually, none if the optimizer did not
            move, more if steps went unreported (their loss is then not known, their rates are).
        """
        taken = len(self._rates) - len(self._losses)
        if taken:
            value = loss.detach().clone() if isinstance(loss, torch.Tensor) else loss
            self._losses += [None] * (taken - 1) + [value]
            self.steps += taken
        return range(self.steps - taken + 1, self.steps + 1)

    def recent_loss(self, steps: int) -> float | None:
        """The mean loss of the last ``steps`` steps, where it is known; this waits for the device."""
        return _mean([None if loss is None else float(loss) for loss in self._losses[-steps:]])

    def condense(self, shares: Sequence[float]) -> None:
        """Move what happened since the last checkpoint into ``entries``.

        ``learning_rate`` is the mean over the parameter groups, each weighted with its share of the trained
        numbers; where the groups differ, ``group_learning_rates`` lists their own.

        The rates go into groups whose sizes differ by at most one and are spread evenly, so that the plain
        mean over the entries is the mean over the steps. ``loss`` stands in the last entry alone and is the
        mean since the last checkpoint: the loss of a few batches says too little about how far it fell.
        The mean inside each group is called ``step_loss``. A loss that is no number stays one in every mean
        it belongs to.
        """
        losses = [None if loss is None else float(loss) for loss in self._losses]
        before, count = self.steps - len(losses), len(losses)
        self._note_nonfinite(before, losses)
        groups = min(count, LOG_ENTRIES)
        for group in range(groups):
            first, end = group * count // groups, (group + 1) * count // groups
            means = [
                math.fsum(column) / (end - first) for column in zip(*self._rates[first:end], strict=True)
            ]
            entry: dict[str, Any] = {
                "step": before + end,
                "epoch": self.plan.epoch(before + end),
                "learning_rate": math.fsum(a * b for a, b in zip(means, shares, strict=True)),
                "step_loss": _mean(losses[first:end]),
            }
            if len({*means}) > 1:
                entry["group_learning_rates"] = means
            self.entries.append(entry)
        if count:
            self.entries[-1]["loss"] = _mean(losses)
        self._rates, self._losses = self._rates[count:], []

    def state(self) -> dict[str, Any]:
        """The keys of ``transformers.TrainerState`` that say something about a plain loop."""
        return {
            "epoch": self.plan.epoch(self.steps),
            "global_step": self.steps,
            "log_history": self.entries,
            "max_steps": self.plan.total_steps or 0,
            "num_train_epochs": self.plan.epochs(),
            "train_batch_size": self.plan.batch_size,
        }

    def _note_nonfinite(self, before: int, losses: Sequence[float | None]) -> None:
        numbered = enumerate(losses, start=before + 1)
        bad = [step for step, loss in numbered if loss is not None and not math.isfinite(loss)]
        if bad and not self.nonfinite:
            warnings.warn(
                f"The training loss was not a finite number at step {bad[0]}.", RuntimeWarning, stacklevel=5
            )
        self.nonfinite += bad


def _mean(losses: Sequence[float | None]) -> float | None:
    known = [loss for loss in losses if loss is not None]
    return sum(known) / len(known) if known else None
