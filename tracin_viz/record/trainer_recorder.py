"""Recording while the Trainer of transformers trains."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback

from tracin_viz.record.files import SavesItself
from tracin_viz.record.log import Plan
from tracin_viz.record.recorder import CheckpointRecorder


class TrainerRecorder(TrainerCallback):  # type: ignore[misc]
    """Writes checkpoints with every rate used: ``Trainer(…, callbacks=[TrainerRecorder("runs/mine")])``.

    The Trainer's own checkpoints can be read too; these hold the rates and losses of all steps whatever
    ``logging_steps`` is, and are written where they tell most.

    Args:
        folder: The run folder; not the Trainer's ``output_dir``, which holds checkpoints of the same names.
        save_at, beside: As for ``CheckpointRecorder``; ``beside`` takes the image processor or tokenizer.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        save_at: int | str | Iterable[int] | None = None,
        beside: Sequence[SavesItself | Path] = (),
    ) -> None:
        self._folder = folder
        self._arguments: dict[str, Any] = {"save_at": save_at, "beside": beside}
        self._recorder: CheckpointRecorder | None = None
        self._hook: Any = None
        self._loss: torch.Tensor | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        """Begin, on the first process of several."""
        if not state.is_world_process_zero:
            return
        optimizer = getattr(given["optimizer"], "optimizer", given["optimizer"])  # inside accelerate's
        epochs = max(1, state.num_train_epochs)
        plan = Plan(steps_per_epoch=max(1, state.max_steps // epochs), total_steps=state.max_steps)
        self._recorder = CheckpointRecorder(
            self._folder, given["model"], optimizer, plan=plan, **self._arguments
        )
        # No callback is told the loss of a step, but the network computes it from its labels.
        self._hook = given["model"].register_forward_hook(self._keep_loss)

    def _keep_loss(self, model: torch.nn.Module, inputs: Any, outputs: Any) -> None:
        loss = getattr(outputs, "loss", None)
        if model.training and isinstance(loss, torch.Tensor) and loss.numel() == 1:
            self._loss = loss.detach()

    def on_step_end(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        """Note the step."""
        if self._recorder is not None:
            self._recorder.step(self._loss)

    def on_train_end(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        """Keep the last step too."""
        if self._recorder is not None:
            self._hook.remove()
            self._recorder.close()
