"""Recording checkpoints while training, in the files that the Hugging Face Trainer leaves.

Three lines in a plain loop::

    recorder = CheckpointRecorder("runs/mine", model, optimizer)   # before the loop
    recorder.step(loss)                                            # after optimizer.step()
    recorder.close()                                               # after the loop

``LightningRecorder`` and ``TrainerRecorder`` are callbacks that do the same inside a trainer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracin_viz.record.files import SavesItself
from tracin_viz.record.log import Plan
from tracin_viz.record.recorder import CheckpointRecorder

if TYPE_CHECKING:
    from tracin_viz.record.lightning_recorder import LightningRecorder
    from tracin_viz.record.trainer_recorder import TrainerRecorder

__all__ = ["CheckpointRecorder", "LightningRecorder", "Plan", "SavesItself", "TrainerRecorder"]


def __getattr__(name: str) -> Any:
    # Lightning and transformers take seconds to load, and a plain loop needs neither.
    if name == "LightningRecorder":
        from tracin_viz.record.lightning_recorder import LightningRecorder

        return LightningRecorder
    if name == "TrainerRecorder":
        from tracin_viz.record.trainer_recorder import TrainerRecorder

        return TrainerRecorder
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
