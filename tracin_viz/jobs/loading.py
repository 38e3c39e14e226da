"""From an audit's record to the things a computation needs: data, model, engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import Dataset as TorchDataset

from tracin_viz.config import CheckpointInfo
from tracin_viz.data.dataset import Content, Dataset
from tracin_viz.engine import Checkpoint, InfluenceEngine
from tracin_viz.errors import InputError
from tracin_viz.jobs.bases import sketch_of
from tracin_viz.models.bundle import ModelBundle, open_run_folder
from tracin_viz.models.interface import Inputs
from tracin_viz.store.artifacts import ArtifactStore
from tracin_viz.store.checkpoint_choice import weighted
from tracin_viz.store.plan import RunPlan
from tracin_viz.store.registry import AuditRecord, open_registered

#: Weights of checkpoints that stay in memory between units; reading them again takes little beside a unit.
KEPT_BYTES = 256 << 20


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
    return open_sources_of(record, open_registered(record))


def open_sources_of(record: AuditRecord, dataset: Dataset) -> Sources:
    """The same, where the data are open already (``registry.open_registered``)."""
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


#: What an example is to be: a class, several classes (C,) of 0 and 1, or a number.
Target = int | float | npt.NDArray[np.float32]

#: Loss by what a label is (names of ``engine.losses``); classes have cross entropy.
LOSSES = {"class": None, "multi-label": "bce", "number": "mse"}


def target_of(dataset: Dataset, split: str, row: int) -> Target:
    """The target of one example; class -1 and NaN = none."""
    part = dataset.splits[split]
    if dataset.target == "class" or part.targets is None:
        return int(part.labels[row])
    target = part.targets[row]
    return float(target) if dataset.target == "number" else np.asarray(target, dtype=np.float32)


def targets_tensor(targets: Sequence[Target]) -> torch.Tensor:
    """Targets of a batch: (B,) int64 of classes, (B, C) or (B,) float32."""
    if isinstance(targets[0], int):
        return torch.tensor(targets, dtype=torch.long)
    return torch.from_numpy(np.stack([np.asarray(target, dtype=np.float32) for target in targets]))


class Examples(TorchDataset[tuple[Content, Target]]):
    """Rows of a split as (content, target) for the engine, each read from its file once.

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

    def __getitem__(self, index: int) -> tuple[Content, Target]:
        row = self._rows[index]
        label = target_of(self._dataset, self._split, row)
        if self._kept is None:
            return self._dataset.load(self._split, row), label
        if row not in self._kept:
            self._kept[row] = self._dataset.load(self._split, row)
        return self._kept[row], label


class Contents(TorchDataset[tuple[Content, Target]]):
    """Contents that are no row of a split (uploaded or typed queries), with targets."""

    def __init__(self, contents: Sequence[Content], targets: Sequence[Target]) -> None:
        self._pairs = list(zip(contents, targets, strict=True))

    def __len__(self) -> int:
        return len(self._pairs)

    def __getitem__(self, index: int) -> tuple[Content, Target]:
        return self._pairs[index]


class Collate:
    """Turn a list of (content, target) into model inputs and targets."""

    def __init__(self, bundle: ModelBundle) -> None:
        self._bundle = bundle

    def __call__(self, batch: Sequence[tuple[Content, Target]]) -> tuple[Inputs, torch.Tensor]:
        """Inputs, by name or one tensor, each (B, …), and targets (B,) or (B, C)."""
        contents = [content for content, _ in batch]
        return self._bundle.collate(contents), targets_tensor([target for _, target in batch])


class StoredWeights(Mapping[str, torch.Tensor]):
    """The state dict of a checkpoint, read when it is needed.

    A run over many checkpoints of a large model, in several processes, would otherwise hold all of them in
    each. The newest few that fit into ``KEPT_BYTES`` together stay in memory.

    Args:
        bundle: Reads them.
        checkpoint: Which.
        kept: Shared by all checkpoints of an engine: what is in memory, the oldest first.
    """

    def __init__(
        self, bundle: ModelBundle, checkpoint: CheckpointInfo, kept: dict[int, dict[str, torch.Tensor]]
    ) -> None:
        self._bundle = bundle
        self._checkpoint = checkpoint
        self._kept = kept

    def __getitem__(self, name: str) -> torch.Tensor:
        return self._state()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._state())

    def __len__(self) -> int:
        return len(self._state())

    def _state(self) -> dict[str, torch.Tensor]:
        step = self._checkpoint.step
        if step not in self._kept:
            state = self._bundle.read_weights(self._checkpoint)
            room = KEPT_BYTES - _bytes(state)
            while self._kept and sum(map(_bytes, self._kept.values())) > room:
                self._kept.pop(next(iter(self._kept)))
            self._kept[step] = state
        return self._kept[step]


def _bytes(state: Mapping[str, torch.Tensor]) -> int:
    return sum(tensor.nbytes for tensor in state.values())


def build_engine(sources: Sources, plan: RunPlan, store: ArtifactStore, **overrides: Any) -> InfluenceEngine:
    """The influence engine for the checkpoints and settings of ``plan``.

    Args:
        sources: Opened data and model.
        plan: Which checkpoints, layers and sketches.
        store: Where the basis of the sketches is.
        overrides: Engine arguments to change (``loss=`` for prediction scores, ``device=``).

    Raises:
        StoreError: The basis is missing or damaged.
    """
    bundle = sources.bundle
    kept: dict[int, dict[str, torch.Tensor]] = {}
    arguments: dict[str, Any] = {
        "layers": None if plan.settings.layers == "all" else plan.settings.layers,
        "sketch_dim": plan.settings.sketch_dim,
        "seed": plan.settings.seed,
        "device": plan.device,
        "batch_size": plan.batch_size or "auto",
        "collate_fn": Collate(bundle),
        "on_nonfinite": "record",
        "loss": LOSSES[sources.dataset.target],
    }
    arguments.update(overrides)
    if "sketch" not in arguments:
        arguments["sketch"] = sketch_of(store, plan)
    return InfluenceEngine(
        bundle.build(),
        [
            Checkpoint(
                weights=StoredWeights(bundle, checkpoint, kept),
                learning_rate=checkpoint.learning_rate,
                step=checkpoint.step,
            )
            for checkpoint in (bundle.checkpoints[index] for index in plan.checkpoints)
        ],
        **arguments,
    )
