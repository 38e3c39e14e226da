"""A model put together: a network, what it takes, and where its weights are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from tracin_viz.config import CheckpointInfo
from tracin_viz.data.dataset import Content
from tracin_viz.data.problems import shown
from tracin_viz.errors import InputError
from tracin_viz.models.formats.adapters import AdapterDesign
from tracin_viz.models.formats.code import CodeDesign
from tracin_viz.models.formats.design import Design
from tracin_viz.models.formats.dictionaries import sorted_out
from tracin_viz.models.formats.prefixes import stripped
from tracin_viz.models.formats.shards import INDEX, read_sharded
from tracin_viz.models.interface import Inputs, ModelBundle
from tracin_viz.models.safe_load import load_content
from tracin_viz.models.tokenization import Tokenization


class Preparation(Protocol):
    """From contents to what the network takes."""

    def apply(self, contents: Sequence[Content]) -> Any:
        """A tensor ``(n, …)``, an array, or tensors by name."""

    def as_dict(self) -> dict[str, object]:
        """Plain values, for content keys."""


@dataclass(frozen=True)
class Rows:
    """Features of tabular examples, stacked; their standardisation is the network's business."""

    def apply(self, contents: Sequence[Any]) -> torch.Tensor:
        """``(n, features)`` float32.

        Raises:
            InputError: The contents are not rows of numbers of one length.
        """
        rows = [
            np.asarray(content, dtype=np.float32) for content in contents if isinstance(content, np.ndarray)
        ]
        if len(rows) != len(contents) or len({row.shape for row in rows}) != 1:
            raise InputError("The model takes rows of numbers.", remedy="Give tabular data.")
        return torch.from_numpy(np.stack(rows))

    def as_dict(self) -> dict[str, object]:
        """Nothing is decided here."""
        return {"kind": "rows"}


@dataclass(frozen=True)
class ByCode:
    """What the user's ``collate(contents)`` makes of them; the network's key covers the code."""

    collate: Callable[[Any], Any]
    file: Path

    def apply(self, contents: Sequence[Content]) -> Any:
        """What the code returns.

        Raises:
            InputError: It fails.
        """
        try:
            return self.collate(list(contents))
        except Exception as error:  # the user's code raises whatever it likes
            raise InputError(
                f"collate() in '{shown(self.file.name)}' failed: {type(error).__name__}: "
                f"{shown(error, limit=160)}.",
                remedy="It gets a list of contents (images, texts or rows) and returns a tensor or a dict.",
            ) from error

    def as_dict(self) -> dict[str, object]:
        """Nothing beside the code."""
        return {"kind": "code"}


@dataclass(frozen=True)
class RunBundle(ModelBundle):
    """A network, what it takes, and checkpoints in any of the formats that are known.

    Attributes:
        design: The network.
        preparation: What it takes.
        averaged: Whether averaged weights (EMA) are taken where a checkpoint holds them.
        prefix: What stands before each name of the weights; ``None`` = found by what fits.
    """

    design: Design
    preparation: Preparation
    averaged: bool = False
    prefix: str | None = None

    def build(self) -> torch.nn.Module:
        """The architecture in eval mode on the CPU; the random state of the caller is left alone."""
        return self.design.build()

    def collate(self, contents: Sequence[Content]) -> Inputs:
        """``pixel_values (n, channels, height, width)``, ``input_ids (n, tokens)`` …, or one tensor."""
        if not contents:
            raise InputError("No examples were given to the model.")
        made = self.preparation.apply(contents)
        if isinstance(made, np.ndarray):
            tensor = torch.from_numpy(made)
            return tensor if isinstance(self.design, CodeDesign) else {"pixel_values": tensor}
        if isinstance(made, Mapping):
            return dict(made)
        if isinstance(made, torch.Tensor):
            return made
        raise InputError(
            f"The examples became a {type(made).__name__}, not a tensor or tensors by name.",
            remedy="Let collate() return a tensor (n, …) or a dict of such.",
        )

    def pieces(self, text: str) -> list[tuple[int, int]] | None:
        """Where the tokens are, by the tokenizer in the run folder."""
        return self.preparation.pieces(text) if isinstance(self.preparation, Tokenization) else None

    def read_weights(self, checkpoint: CheckpointInfo) -> dict[str, torch.Tensor]:
        """A complete state dict, checked against the architecture name by name and shape by shape."""
        path = Path(checkpoint.path)
        weights, _ = self.renamed(self._tensors(path))
        return self.design.fitted(weights, where=f"{path.parent.name}/{path.name}")

    def renamed(self, weights: Mapping[str, torch.Tensor]) -> tuple[Mapping[str, torch.Tensor], str]:
        """The weights under the network's names, and the prefix that was taken off them."""
        names = set(self.design.names())
        if isinstance(self.design, AdapterDesign) or set(weights) == names:
            return weights, ""
        return stripped(weights, names, prefix=self.prefix)

    def stripped_prefix(self, checkpoint: CheckpointInfo) -> str:
        """The prefix that is taken off a checkpoint's names; "" for none."""
        return self.renamed(self._tensors(Path(checkpoint.path)))[1]

    def identity(self) -> dict[str, object]:
        """Architecture, preprocessing and choice of weights; the same on any computer."""
        return {
            **self.design.identity(),
            "task": self.task,
            "inputs": self.preparation.as_dict(),
            "averaged": self.averaged,
            "prefix": self.prefix,
        }

    def architecture(self) -> str:
        """The name of the network's class."""
        return self.design.name

    def _tensors(self, path: Path) -> Mapping[str, torch.Tensor]:
        if path.name.endswith(INDEX):
            return read_sharded(path)
        held = sorted_out(load_content(path), path)
        if not self.averaged:
            return held.weights
        if held.averaged is None:
            raise InputError(
                f"'{shown(path.name)}' holds no averaged weights (EMA).",
                remedy="Take its ordinary weights, or leave it out with --checkpoints.",
            )
        return held.averaged
