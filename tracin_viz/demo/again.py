"""A demo's training once more, with other labels: what a full retraining after decisions looks like."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch

from tracin_viz.data.dataset import Dataset
from tracin_viz.demo import commands, digits
from tracin_viz.demo.files import MANIFEST
from tracin_viz.demo.training import Inputs, Recipe, Run, logits, one_thread, train

OnShare = Callable[[float], None]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class DemoTraining(ABC):
    """How a demo's network was trained.

    Attributes:
        dataset: The demo's data as an audit has them.
        epochs: Of the training.
        folder: Of the demo.
    """

    dataset: Dataset
    epochs: int
    folder: Path

    def train(
        self,
        stay: npt.NDArray[np.bool_],
        labels: npt.NDArray[Any],
        seed: int,
        on_share: OnShare,
        *,
        run: Path | None = None,
    ) -> torch.nn.Module:
        """Train a new network, from first weights that ``seed`` chooses.

        Args:
            stay: (N,) training examples that are used.
            labels: (N,) their classes.
            seed: Of the first weights, the order and the variation of the examples.
            on_share: Told the share done before each epoch; may raise to stop.
            run: Takes a run folder with checkpoints, where those are wanted.
        """
        rows = np.flatnonzero(stay)
        chosen = {name: tensor[torch.from_numpy(rows)] for name, tensor in self._train_inputs.items()}
        data = (chosen, torch.from_numpy(np.ascontiguousarray(labels[rows]).astype(np.int64)))
        kept = None if run is None else Run(run, self._kept, self._beside())
        with one_thread():
            model = self._network(seed)
            recipe = self._recipe(seed)
            train(model, data, recipe, run=kept, on_progress=lambda _, share: on_share(share))
        return model

    def outputs(self, model: torch.nn.Module, split: str, rows: Rows) -> npt.NDArray[np.float32]:
        """(m, classes) logits on rows of a split."""
        with one_thread():
            found: npt.NDArray[np.float32] = logits(model, self._inputs(split, rows.tolist())).numpy()
        return found

    @cached_property
    def _train_inputs(self) -> Inputs:
        return self._inputs("train", range(len(self.dataset.splits["train"])))

    _kept: ClassVar[tuple[float, ...]] = ()

    @abstractmethod
    def _inputs(self, split: str, rows: Sequence[int]) -> Inputs: ...

    @abstractmethod
    def _network(self, seed: int) -> torch.nn.Module: ...

    @abstractmethod
    def _recipe(self, seed: int) -> Recipe: ...

    @abstractmethod
    def _beside(self) -> list[Any]: ...


class DigitsTraining(DemoTraining):
    """The training of the digits demo."""

    _kept = digits.KEPT

    def _inputs(self, split: str, rows: Sequence[int]) -> Inputs:
        return digits.inputs(np.stack([np.asarray(self.dataset.load(split, row)) for row in rows]))

    def _network(self, seed: int) -> torch.nn.Module:
        return digits.network(seed)

    def _recipe(self, seed: int) -> Recipe:
        return digits.recipe(epochs=self.epochs, seed=seed)

    def _beside(self) -> list[Any]:
        return [self.folder / "preprocessor_config.json"]


class CommandsTraining(DemoTraining):
    """The training of the commands demo."""

    _kept = commands.KEPT

    @cached_property
    def _tokenizer(self) -> Any:
        return commands.tokenizer_of(self.dataset.splits["train"].sources)

    def _inputs(self, split: str, rows: Sequence[int]) -> Inputs:
        texts = [str(self.dataset.load(split, row)) for row in rows]
        return commands.inputs(self._tokenizer, texts)

    def _network(self, seed: int) -> torch.nn.Module:
        return commands.network(len(self._tokenizer), self._tokenizer.pad_token_id, seed)

    def _recipe(self, seed: int) -> Recipe:
        return commands.recipe(epochs=self.epochs, seed=seed)

    def _beside(self) -> list[Any]:
        return [self._tokenizer]


def demo_training(dataset: Dataset) -> DemoTraining | None:
    """How the network of these data was trained; ``None`` where they are no demo's."""
    folder = dataset.path.parent
    try:
        settings = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["settings"]
        kind = {"digits": DigitsTraining, "commands": CommandsTraining}[settings["demo"]]
        return kind(dataset, int(settings["epochs"]), folder)
    except (OSError, ValueError, KeyError, TypeError):
        return None
