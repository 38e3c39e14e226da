"""From an audit's record to the things a computation needs: data, model, engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Dataset as TorchDataset

from tracin_viz.data.dataset import Content, Dataset
from tracin_viz.engine import Checkpoint, InfluenceEngine
from tracin_viz.errors import InputError
from tracin_viz.models.bundle import ModelBundle, open_run_folder
from tracin_viz.store.checkpoint_choice import weighted
from tracin_viz.store.plan import RunPlan
from tracin_viz.store.registry import AuditRecord, open_registered


@dataclass(frozen=True)
class Sources:
    """An audit's data and model, opened."""

    record: AuditRecord
    dataset: Dataset
    bundle: ModelBundle


def open_sources(record: AuditRecord) -> Sources:
    """Open the data set and run folder of an audit as they are now.

    Raises:
        InputError: They are gone or no longer fit what was registered.
    """
    dataset = open_registered(record)
    found = {name: len(split.labels) for name, split in dataset.splits.items()}
    if found != record.splits:
        raise InputError(
            f"The data in {record.data} changed since audit '{record.name}' was created: "
            f"{record.splits} examples then, {found} now.",
            remedy="Create a new audit of the changed data.",
        )
    bundle = open_run_folder(Path(record.model), **record.choices())
    # A person may have changed learning rates since the creation; gradients are stored without them.
    bundle = replace(bundle, checkpoints=weighted(record, bundle.checkpoints))
    return Sources(record, dataset, bundle)


class Examples(TorchDataset[tuple[Content, int]]):
    """Rows of a split as (content, label) for the engine, each read from its file once.

    Args:
        dataset: The audit's data.
        split: Name of the split.
        rows: Rows, in the order wanted.
        keep: Keep what was read in memory (for a shard that several checkpoints are measured on).
    """

    def __init__(self, dataset: Dataset, split: str, rows: Sequence[int], *, keep: bool = True) -> None:
        self._dataset = dataset
        self._split = split
        self._rows = rows
        self._kept: dict[int, Content] | None = {} if keep else None

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> tuple[Content, int]:
        row = self._rows[index]
        label = int(self._dataset.splits[self._split].labels[row])
        if self._kept is None:
            return self._dataset.load(self._split, row), label
        if row not in self._kept:
            self._kept[row] = self._dataset.load(self._split, row)
        return self._kept[row], label


class Contents(TorchDataset[tuple[Content, int]]):
    """Contents that are no row of a split (uploaded or typed queries), with labels."""

    def __init__(self, contents: Sequence[Content], labels: Sequence[int]) -> None:
        self._pairs = list(zip(contents, labels, strict=True))

    def __len__(self) -> int:
        return len(self._pairs)

    def __getitem__(self, index: int) -> tuple[Content, int]:
        return self._pairs[index]


class Collate:
    """Turn a list of (content, label) into model inputs and targets."""

    def __init__(self, bundle: ModelBundle) -> None:
        self._bundle = bundle

    def __call__(self, batch: Sequence[tuple[Content, int]]) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        """Inputs by name, each (B, …), and targets (B,)."""
        contents = [content for content, _ in batch]
        labels = torch.tensor([label for _, label in batch], dtype=torch.long)  # (B,)
        return self._bundle.collate(contents), labels


def build_engine(sources: Sources, plan: RunPlan, **overrides: Any) -> InfluenceEngine:
    """The influence engine for the checkpoints and settings of ``plan``.

    Args:
        sources: Opened data and model.
        plan: Which checkpoints, layers and sketches.
        overrides: Engine arguments to change (``loss=`` for prediction scores).
    """
    bundle = sources.bundle
    chosen = [bundle.checkpoints[index] for index in plan.checkpoints]
    arguments: dict[str, Any] = {
        "layers": None if plan.settings.layers == "all" else plan.settings.layers,
        "sketch_dim": plan.settings.sketch_dim,
        "seed": plan.settings.seed,
        "device": plan.device,
        "batch_size": plan.batch_size,
        "collate_fn": Collate(bundle),
        "on_nonfinite": "record",
    }
    arguments.update(overrides)
    return InfluenceEngine(
        bundle.build(),
        [
            Checkpoint(
                weights=bundle.read_weights(checkpoint),
                learning_rate=checkpoint.learning_rate,
                step=checkpoint.step,
            )
            for checkpoint in chosen
        ],
        **arguments,
    )
