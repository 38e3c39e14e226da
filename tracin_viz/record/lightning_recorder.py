"""Recording while Lightning trains."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch

from tracin_viz.errors import InputError
from tracin_viz.record.files import SavesItself
from tracin_viz.record.log import Plan
from tracin_viz.record.recorder import CheckpointRecorder

# The two names of Lightning hold two unrelated classes: the one that the training uses is the right one.
if "pytorch_lightning" in sys.modules and "lightning.pytorch" not in sys.modules:
    from pytorch_lightning import Callback
else:
    from lightning.pytorch import Callback


class LightningRecorder(Callback):  # type: ignore[misc]
    """Writes checkpoints that TracIn-Viz reads: ``Trainer(callbacks=[LightningRecorder("runs/mine")])``.

    Args:
        folder: The run folder; made where it is missing.
        network: Attribute of the module that holds the network (``"model"``), so that the weights have its
            own names; ``None`` = the module itself.
        save_at, beside: As for ``CheckpointRecorder``.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        network: str | None = None,
        save_at: int | str | Iterable[int] | None = None,
        beside: Sequence[SavesItself | Path] = (),
    ) -> None:
        self._arguments: dict[str, Any] = {"save_at": save_at, "beside": beside}
        self._folder = folder
        self._network = network
        self._recorder: CheckpointRecorder | None = None

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Begin, on the first process of several."""
        if not trainer.is_global_zero:
            return
        if len(trainer.optimizers) != 1:
            raise InputError(
                f"The module uses {len(trainer.optimizers)} optimizers.",
                remedy="A checkpoint is weighted with one learning rate: use one optimizer.",
            )
        model = pl_module if self._network is None else getattr(pl_module, self._network)
        expected = trainer.estimated_stepping_batches
        steps = int(expected) if math.isfinite(expected) else None  # endless data or training
        epochs = trainer.max_epochs or 0
        per_epoch = steps // epochs if steps and epochs > 0 else None
        plan = Plan(steps_per_epoch=per_epoch or None, total_steps=steps or None)
        self._recorder = CheckpointRecorder(
            self._folder, model, _inner(trainer.optimizers[0]), plan=plan, **self._arguments
        )

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, *_: Any) -> None:
        """Note the loss; batches that only gather gradients are passed over by the recorder."""
        if self._recorder is not None:
            loss = outputs.get("loss") if isinstance(outputs, dict) else outputs
            self._recorder.step(loss if isinstance(loss, torch.Tensor | float) else None)

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """Keep the last step too."""
        if self._recorder is not None:
            self._recorder.close()


def _inner(optimizer: Any) -> torch.optim.Optimizer:
    """The optimizer of torch inside Lightning's."""
    inner: torch.optim.Optimizer = getattr(optimizer, "optimizer", optimizer)
    return inner
