"""A model with its checkpoints, as the rest of the package sees it, whatever files it comes from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from tracin_viz.config import CheckpointInfo
from tracin_viz.data.dataset import Content
from tracin_viz.errors import Problem
from tracin_viz.fingerprint import fingerprint, fingerprint_file
from tracin_viz.models.formats.shards import INDEX, parts_of

#: What a network takes: one tensor ``(n, …)``, or several by name.
Inputs = torch.Tensor | dict[str, torch.Tensor]


@dataclass(frozen=True)
class Description:
    """What is said about a run on the page, and decides nothing.

    Attributes:
        format: Who wrote the checkpoints, in plain words.
        reason: Why the run is opened this way.
        averaged: The entry in which the newest checkpoint holds averaged weights (EMA); "" for none.
        optimizer: Name and settings of the optimizer, where known.
        problems: What was noticed and does not stop the use.
    """

    format: str = ""
    reason: str = ""
    averaged: str = ""
    optimizer: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class ModelBundle(ABC):
    """An architecture, its preprocessing and its checkpoints.

    Attributes:
        task: ``"image"``, ``"text"`` or ``"tabular"``.
        classes: Names by output index; empty where the outputs are numbers.
        checkpoints: By step, ascending.
        path: The run folder.
        target: What is learned: ``"class"``, ``"multi-label"`` or ``"number"``.
        about: What people are told.
    """

    task: str
    classes: tuple[str, ...]
    checkpoints: tuple[CheckpointInfo, ...]
    path: Path
    target: str = field(default="class", kw_only=True)
    about: Description = field(default_factory=Description, kw_only=True)

    @abstractmethod
    def build(self) -> torch.nn.Module:
        """The architecture in eval mode on the CPU, weights unset.

        Its outputs (or their ``logits``) have the shape ``(n, len(classes))``.
        """

    @abstractmethod
    def collate(self, contents: Sequence[Content]) -> Inputs:
        """What ``build()`` takes for these ``n`` contents: each tensor begins with ``n``.

        Raises:
            InputError: A content is of the wrong kind, or images of different sizes stay different.
        """

    def pieces(self, text: str) -> list[tuple[int, int]] | None:
        """Where in ``text`` each of its tokens is: first and past-the-last character, in the model's order.

        ``None`` where the model does not take texts as tokens, or where they are is not known.
        """
        return None

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

    def weights_key(self, checkpoint: CheckpointInfo) -> str:
        """Content key of a checkpoint: of its file, or of all files that its weights are split over."""
        path = Path(checkpoint.path)
        if not path.name.endswith(INDEX):
            return fingerprint_file(path)
        return fingerprint([fingerprint_file(part) for part in (path, *parts_of(path))])
