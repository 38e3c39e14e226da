"""Finding the ``checkpoint-<step>`` folders that the Hugging Face Trainer or a recorder left."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from pathlib import Path

from tracin_viz.data.dataset import listed
from tracin_viz.errors import InputError
from tracin_viz.models.formats.shards import WEIGHTS, weights_file

_NAME = re.compile(r"checkpoint-(\d{1,15})")


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
        file = weights_file(self.folder)
        if file is not None:
            return file
        raise InputError(
            f"'{self.folder.name}' cannot be used: it has none of {listed(list(WEIGHTS))}.",
            remedy="Save the network there as model.safetensors, or leave this checkpoint out with "
            "--checkpoints.",
        )


def find_checkpoints(path: Path) -> list[CheckpointFolder]:
    """All ``checkpoint-<step>`` folders in a run folder, by step; perhaps none.

    Raises:
        InputError: Two are of the same step.
    """
    found = []
    for folder in path.iterdir():
        match = _NAME.fullmatch(folder.name)
        if match and folder.is_dir():
            found.append(CheckpointFolder(int(match[1]), folder))
    found.sort(key=lambda checkpoint: (checkpoint.step, checkpoint.folder.name))
    for before, after in itertools.pairwise(found):
        if before.step == after.step:
            raise InputError(
                f"'{before.folder.name}' and '{after.folder.name}' are of the same step.",
                remedy="Remove one of them.",
            )
    return found
