"""The recorder that a training loop calls."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import torch

from tracin_viz.errors import InputError
from tracin_viz.record.files import STATE, SavesItself, prepare, write_checkpoint
from tracin_viz.record.log import Plan, TrainingLog
from tracin_viz.record.moments import LOOKED_AT, Falling, wanted_steps


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
        optimizer: What takes the steps. Its parameter groups may have different learning rates.
        save_at: The steps to keep, a number n for every n-th, or ``"falling"``: wherever the mean loss of 16
            steps has fallen by a fifth since the last checkpoint (looking waits for the device, every 16
            steps). Without it steps 16, 32, 64, …: the loss falls most at the start, and those checkpoints
            tell most. ``close`` adds the last step.
        beside: What else a checkpoint needs to be read: tokenizers, image processors, single files.
        plan: Length of the training, for the epochs in the log, and the step to resume from.

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
        save_at: int | str | Iterable[int] | None = None,
        beside: Sequence[SavesItself | Path] = (),
        plan: Plan | None = None,
    ) -> None:
        self.folder = Path(folder)
        self.saved: list[int] = []
        self._model = _unwrapped(model)
        self._beside = tuple(beside)
        self._plan = plan or Plan()
        self._falling = Falling() if save_at == "falling" else None
        self._wanted = wanted_steps(None if isinstance(save_at, str) else save_at, name=save_at)
        prepare(self.folder, self._beside, resume_from=self._plan.resume_from)
        self._optimizer = {"name": type(optimizer).__name__, **_plain(optimizer.defaults)}
        self._log = TrainingLog(self._plan)
        if self._plan.resume_from is not None:
            self._resume(self._plan.resume_from)
        self._depth = 0
        self._hooks = (
            optimizer.register_step_pre_hook(self._before_step),
            optimizer.register_step_post_hook(self._after_step),
        )
        self._open = True
        self._shares: list[float] = [1.0]

    def step(self, loss: torch.Tensor | float | None) -> None:
        """Note the loss of the optimizer step just taken, and keep a checkpoint where one is wanted.

        With gradient accumulation call it once per optimizer step. A call without a new optimizer step (a
        gradient scaler skipped it) is ignored, since the weights are still those of the step before.

        Args:
            loss: The mean training loss of that step, a number or a tensor with one entry; ``None`` where it
                is not known. It is looked at only when a checkpoint is written, so that a GPU need not wait.

        Raises:
            InputError: The recorder is closed, or the loss is not one number.
        """
        if not self._open:
            raise InputError("This recorder is closed.", remedy="Make a new one for another training.")
        if isinstance(loss, torch.Tensor) and loss.numel() != 1:
            raise InputError(
                f"`loss` has {loss.numel()} entries, not one.", remedy="Give the mean over the batch."
            )
        self._depth = 0  # a step that failed in the middle did not come to its end
        taken = self._log.add_loss(loss)
        if self._falling is not None:
            if any(step % LOOKED_AT == 0 for step in taken) and self._falling.has(self._log):
                self._save()
        elif any(self._wanted(step) for step in taken):
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
        for hook in self._hooks:
            hook.remove()

    def _resume(self, step: int) -> None:
        state = json.loads((self.folder / f"checkpoint-{step}" / STATE).read_bytes())
        ours = state.get("tracin_viz") or {}
        self._log.resume(step, state["log_history"], list(ours.get("nonfinite_loss_steps", ())))
        steps = [path.name[11:] for path in self.folder.glob("checkpoint-*")]
        self.saved = sorted(int(name) for name in steps if name.isdigit())

    def _before_step(self, optimizer: torch.optim.Optimizer, *_: Any) -> None:
        # The step of a class that calls its parent's step runs the hooks of both: one step all the same.
        self._depth += 1
        if self._depth > 1:
            return
        self._log.add_rates([float(group["lr"]) for group in optimizer.param_groups])
        self._shares = _shares(optimizer)

    def _after_step(self, *_: Any) -> None:
        self._depth = max(0, self._depth - 1)

    def _save(self) -> None:
        self._log.condense(self._shares)
        ours = {"optimizer": self._optimizer, "nonfinite_loss_steps": self._log.nonfinite}
        target = self.folder / f"checkpoint-{self._log.steps}"
        write_checkpoint(target, self._model, {**self._log.state(), "tracin_viz": ours}, self._beside)
        self.saved.append(self._log.steps)


def _shares(optimizer: torch.optim.Optimizer) -> list[float]:
    """Share of the trained numbers in each parameter group."""
    counts = [sum(parameter.numel() for parameter in group["params"]) for group in optimizer.param_groups]
    return [count / max(1, sum(counts)) for count in counts]


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
