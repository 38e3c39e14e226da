"""Recording checkpoints while training, in the files that the Hugging Face Trainer leaves.

Three lines in a plain loop::

    recorder = CheckpointRecorder("runs/mine", model, optimizer)   # before the loop
    recorder.step(loss)                                            # after optimizer.step()
    recorder.close()                                               # after the loop
"""

from __future__ import annotations

from tracin_viz.record.files import SavesItself
from tracin_viz.record.log import Plan
from tracin_viz.record.recorder import CheckpointRecorder

__all__ = ["CheckpointRecorder", "Plan", "SavesItself"]
