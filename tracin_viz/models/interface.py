"""A model with its checkpoints, as the rest of the package sees it, whatever files it comes from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from tracin_viz.config import CheckpointInfo
from tracin_viz.data.dataset import Content


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
