"""Finding the checkpoints that the Hugging Face Trainer left in a run folder."""

from __future__ import annotations

import fnmatch
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tracin_viz.data.dataset import listed
from tracin_viz.data.problems import shown
from tracin_viz.errors import InputError

_NAME = re.compile(r"checkpoint-(\d{1,15})")
#: Files of weights, the safest first.
WEIGHTS = ("model.safetensors", "pytorch_model.bin")
#: What a checkpoint may hold instead, with the reason why it cannot be used yet.
_OTHER = {
    "model.safetensors.index.json": "its weights are split over several files",
    "pytorch_model.bin.index.json": "its weights are split over several files",
    "adapter_model.safetensors": "it holds an adapter without the network that it belongs to",
    "adapter_model.bin": "it holds an adapter without the network that it belongs to",
}


@dataclass(frozen=True)
class CheckpointFolder:
    """A folder ``checkpoint-<step>``."""

    step: int
    folder: Path

    def weights(self) -> Path:
        """The file of its weights.

        Raises:
            InputError: There is none that can be read.
        """
        for name in WEIGHTS:
            if (self.folder / name).is_file():
                return self.folder / name
        reason = next(
            (why for name, why in _OTHER.items() if (self.folder / name).exists()),
            f"it has neither {' nor '.join(WEIGHTS)}",
        )
        raise InputError(
            f"'{self.folder.name}' cannot be used: {reason}.",
            remedy="Save the whole network in one model.safetensors, or leave this checkpoint out with "
            "--checkpoints.",
        )


def find_checkpoints(path: Path) -> list[CheckpointFolder]:
    """All ``checkpoint-<step>`` folders in a run folder, by step.

    Raises:
        InputError: There are none, or two of the same step.
    """
    found = []
    for folder in path.iterdir():
        match = _NAME.fullmatch(folder.name)
        if match and folder.is_dir():
            found.append(CheckpointFolder(int(match[1]), folder))
    found.sort(key=lambda checkpoint: (checkpoint.step, checkpoint.folder.name))
    if not found:
        raise _none(path)
    for before, after in itertools.pairwise(found):
        if before.step == after.step:
            raise InputError(
                f"'{before.folder.name}' and '{after.folder.name}' are of the same step.",
                remedy="Remove one of them.",
            )
    return found


def choose(found: Sequence[CheckpointFolder], pattern: str | None) -> list[CheckpointFolder]:
    """The checkpoints whose folder names fit ``pattern`` (``*`` and ``?`` stand for any signs).

    Raises:
        InputError: None fits.
    """
    if pattern is None:
        return list(found)
    wanted = pattern.rstrip("/").rpartition("/")[2]
    chosen = [checkpoint for checkpoint in found if fnmatch.fnmatchcase(checkpoint.folder.name, wanted)]
    if not chosen:
        raise InputError(
            f"No checkpoint fits '{shown(pattern)}'.",
            remedy=f"There are {listed([checkpoint.folder.name for checkpoint in found])}.",
        )
    return chosen


def _none(path: Path) -> InputError:
    if _NAME.fullmatch(path.name):
        return InputError(
            f"'{shown(path.name)}' is a single checkpoint.",
            remedy="Give the folder that it lies in; TracIn needs the checkpoints along the training.",
        )
    return InputError(
        f"'{shown(path.name)}' holds no checkpoint-<step> folders.",
        remedy="Give the output folder of a Hugging Face Trainer that saved checkpoints, or record them with "
        "tracin_viz.record.CheckpointRecorder.",
    )
