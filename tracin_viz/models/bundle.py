"""A model with its checkpoints, as the rest of the package sees it, whatever files it comes from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from tracin_viz.config import CheckpointInfo
from tracin_viz.data.dataset import Content
from tracin_viz.data.problems import shown
from tracin_viz.errors import InputError


@dataclass(frozen=True)
class ModelBundle(ABC):
    """An architecture, its preprocessing and its checkpoints.

    Attributes:
        task: ``"image"`` or ``"text"``.
        classes: Names by output index.
        checkpoints: By step, ascending.
        path: The run folder.
    """

    task: str
    classes: tuple[str, ...]
    checkpoints: tuple[CheckpointInfo, ...]
    path: Path

    @abstractmethod
    def build(self) -> torch.nn.Module:
        """The architecture in eval mode on the CPU, weights unset.

        Called as ``model(**inputs)``; the result has ``logits`` of shape ``(n, len(classes))``.
        """

    @abstractmethod
    def collate(self, contents: Sequence[Content]) -> dict[str, torch.Tensor]:
        """What ``build()`` takes for these ``n`` contents: each tensor begins with ``n``.

        Raises:
            InputError: A content is of the wrong kind, or images of different sizes stay different.
        """

    @abstractmethod
    def read_weights(self, checkpoint: CheckpointInfo) -> dict[str, torch.Tensor]:
        """A complete state dict for ``build()``, on the CPU, in the architecture's own number types.

        Raises:
            InputError: The file cannot be read safely, or is of another network.
        """

    @abstractmethod
    def identity(self) -> dict[str, object]:
        """All that decides what ``build()`` computes from a content, but no weights; JSON-able."""

    @abstractmethod
    def architecture(self) -> str:
        """Name of the network's class, for people."""


def open_run_folder(
    path: Path, *, checkpoints: str | None = None, learning_rates: Sequence[float] | None = None
) -> ModelBundle:
    """Open the folder that a training run left behind; no code in it is executed.

    Args:
        path: Folder with ``checkpoint-<step>`` folders.
        checkpoints: Pattern on the names of those folders (``checkpoint-*00``); ``None`` = all.
        learning_rates: One weight per chosen checkpoint, by step; ``None`` = the mean of the rates that
            the run logged since the checkpoint before (DESIGN §2).

    Raises:
        InputError: Something is missing, does not fit together or would need code to be run.
    """
    # The formats build a ModelBundle, so they import this module: they can only be imported later.
    from tracin_viz.models.formats.huggingface import open_huggingface

    path = Path(path)
    if not path.is_dir():
        what = "is a file" if path.exists() else "does not exist"
        raise InputError(
            f"The run folder '{shown(path, limit=300)}' {what}.",
            remedy="Give the folder that the training wrote its checkpoint-<step> folders into.",
        )
    try:
        return open_huggingface(path, pattern=checkpoints, learning_rates=learning_rates)
    except OSError as error:
        raise InputError(
            f"The run folder '{shown(path, limit=300)}' cannot be read: {shown(error.strerror or error)}.",
            remedy="Check that its files may be read.",
        ) from error
