"""The recorder that a training loop calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import torch

from tracin_viz.errors import InputError
from tracin_viz.record.files import SavesItself, prepare, write_checkpoint
from tracin_viz.record.log import Plan, TrainingLog

#: The first step that is kept where the caller names none; each later one has twice as many steps.
FIRST_KEPT = 16


class CheckpointRecorder:
    """Writes ``checkpoint-<step>`` folders with weights, settings and the learning rates really used.

    The rate is read at the moment when the optimizer takes its step, whatever the loop does with its
    schedule before or after. A checkpoint is written under another name and renamed when it is whole, so a
    crash leaves complete checkpoints only. It also is a context manager: leaving the block closes it, and
    after an error nothing more is written.

    Args:
        folder: The run folder; made where it is missing.
        model: The network. One from transformers is saved with its ``config.json``; wrappers
            (``DistributedDataParallel``, ``torch.compile``) are seen through.
        optimizer: What takes the steps. All its parameter groups must share one learning rate.
        save_at: The steps to keep, or a number n for every n-th; without it steps 16, 32, 64, …: the loss
            falls most at the start, and those checkpoints tell most. ``close`` adds the last step.
        beside: What else a checkpoint needs to be read: tokenizers, image processors, single files.
        plan: Length of the training, for the epochs in the log.

    Attributes:
        folder: The run folder.
        saved: Steps of the checkpoints written so far.

    Raises:
        InputError: The folder holds checkpoints already, or the arguments make no sense.
    """

    def __init__(
        self,
        folder: str | Path,
        model: torch.nn.Module,
        optimizer: torch.optim.Optimizer,
        *,
        save_at: int | Iterable[int] | None = None,
        beside: Sequence[SavesItself | Path] = (),
        plan: Plan | None = None,
    ) -> None:
        self.folder = Path(folder)
        self.saved: list[int] = []
        self._model = _unwrapped(model)
        self._beside = tuple(beside)
        self._wanted = _wanted(save_at)
        _common_rate(optimizer)
        prepare(self.folder, self._beside)
        self._optimizer = {"name": type(optimizer).__name__, **_plain(optimizer.defaults)}
        self._log = TrainingLog(plan or Plan())
        self._hook = optimizer.register_step_pre_hook(self._before_step)
        self._open = True

    def step(self, loss: torch.Tensor | float) -> None:
        """Note the loss of the optimizer step just taken, and keep a checkpoint where one is wanted.

        With gradient accumulation call it once per optimizer step. A call without a new optimizer step (a
        gradient scaler skipped it) is ignored, since the weights are still those of the step before.

        Args:
            loss: The mean training loss of that step, a number or a tensor with one entry. It is looked at
                only when a checkpoint is written, so that a GPU need not wait.

        Raises:
            InputError: The recorder is closed, or the loss is not one number.
        """
        if not self._open:
            raise InputError("This recorder is closed.", remedy="Make a new one for another training.")
        if isinstance(loss, torch.Tensor) and loss.numel() != 1:
            raise InputError(
                f"`loss` has {loss.numel()} entries, not one.", remedy="Give the mean over the batch."
            )
        if any(self._wanted(step) for step in self._log.add_loss(loss)):
            self._save()

    def close(self) -> None:
        """Keep the last step too, if it is not kept yet, and let go of the optimizer."""
        if not self._open:
            return
        self._release()
        if self._log.steps and self._log.steps not in self.saved:
            self._save()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._release()

    def _release(self) -> None:
        self._open = False
        self._hook.remove()

    def _before_step(self, optimizer: torch.optim.Optimizer, *_: Any) -> None:
        self._log.add_rate(_common_rate(optimizer))

    def _save(self) -> None:
        self._log.condense()
        ours = {"optimizer": self._optimizer, "nonfinite_loss_steps": self._log.nonfinite}
        target = self.folder / f"checkpoint-{self._log.steps}"
        write_checkpoint(target, self._model, {**self._log.state(), "tracin_viz": ours}, self._beside)
        self.saved.append(self._log.steps)


def _wanted(save_at: int | Iterable[int] | None) -> Callable[[int], bool]:
    """Whether a step is to be kept."""
    if save_at is None:
        return _is_doubled
    if isinstance(save_at, int):
        if save_at < 1:
            raise InputError(f"`save_at` must be positive, got {save_at}.")
        return lambda step: step % save_at == 0
    steps = frozenset(save_at)
    if not steps or any(not isinstance(step, int) or step < 1 for step in steps):
        raise InputError(
            "`save_at` must name steps from 1 on.", remedy="Example: save_at=(50, 100, 200), or save_at=100."
        )
    return steps.__contains__


def _is_doubled(step: int) -> bool:
    times, rest = divmod(step, FIRST_KEPT)
    return times > 0 and rest == 0 and times & (times - 1) == 0


def _common_rate(optimizer: torch.optim.Optimizer) -> float:
    """The learning rate of all parameter groups."""
    rates = sorted({float(group["lr"]) for group in optimizer.param_groups})
    if len(rates) > 1:
        raise InputError(
            f"The optimizer's parameter groups use {len(rates)} different learning rates "
            f"({', '.join(f'{rate:g}' for rate in rates[:4])}), but a checkpoint has one weight.",
            remedy="Give all groups the same learning rate; other settings may differ.",
        )
    return rates[0]


def _unwrapped(model: torch.nn.Module) -> torch.nn.Module:
    """The network inside wrappers, whose names would stand before every weight's."""
    wrappers = (torch.nn.DataParallel, torch.nn.parallel.DistributedDataParallel)
    while True:
        inner = model.module if isinstance(model, wrappers) else getattr(model, "_orig_mod", None)
        if not isinstance(inner, torch.nn.Module):
            return model
        model = inner


def _plain(settings: dict[str, Any]) -> dict[str, Any]:
    """Those of an optimizer's settings that JSON can hold, without the rate: that is in the log."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in settings.items()
        if name != "lr" and isinstance(value, bool | int | float | str | tuple | type(None))
    }
