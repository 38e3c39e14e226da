"""From an audit and settings to the plan of its units: content keys, shards, batch partition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tracin_viz.config import CheckpointInfo, ResultSettings, SpeedSettings
from tracin_viz.data.dataset import Dataset
from tracin_viz.errors import InputError
from tracin_viz.explore.checkpoint_choice import steep
from tracin_viz.fingerprint import FORMAT, fingerprint
from tracin_viz.jobs.devices import Machine, check_workers
from tracin_viz.models.bundle import ModelBundle
from tracin_viz.store.plan import BasisPlace, RunPlan, SplitPlan, map_key


def choose_checkpoints(
    checkpoints: Sequence[CheckpointInfo], choice: str, *, classes: int
) -> tuple[int, ...]:
    """Indices of the checkpoints that ``choice`` names.

    Args:
        checkpoints: The audit's checkpoints by rising step.
        choice: ``"all"``, ``"steep:N"`` (where the training loss fell most) or places counted from 1, such as
            ``"1,3,5"``.
        classes: Number of classes: before training the loss is taken to be its logarithm.

    Raises:
        InputError: Something else, a place that does not exist, or steep without known losses.
    """
    count = len(checkpoints)
    if choice == "all":
        return tuple(range(count))
    if choice.startswith("steep"):
        wanted = choice.partition(":")[2] or "5"
        losses = [checkpoint.train_loss for checkpoint in checkpoints]
        known = [loss for loss in losses if loss is not None]
        if not wanted.isdigit() or not int(wanted) >= 1 or len(known) != count:
            raise InputError(
                f"Checkpoints '{choice}': the training loss is known for {len(known)} of {count} only.",
                remedy="Use steep:5 with a run that logged its loss, or name them: all, or 1,3,5.",
            )
        return tuple(
            steep([checkpoint.step for checkpoint in checkpoints], known, count=int(wanted), classes=classes)
        )
    places = choice.split(",")
    if not all(place.strip().isdigit() and 1 <= int(place) <= count for place in places):
        raise InputError(
            f"Checkpoints '{choice}' do not exist.",
            remedy=f"This audit has checkpoints 1 to {count}; name them such as 1,3 or use all or steep:5.",
        )
    return tuple(sorted({int(place) - 1 for place in places}))


@dataclass(frozen=True)
class Wanted:
    """What a run is asked for, and the content keys of all that decides it.

    Attributes:
        dataset: The audit's data.
        bundle: Its model.
        settings: What changes the answer.
        checkpoints: Places of the chosen checkpoints.
        identity: Of the architecture and preprocessing.
        weights: Key of each chosen checkpoint.
        shards: First and past-the-last row of each shard, by split.
        contents: Key of each shard's examples, by split.
    """

    dataset: Dataset
    bundle: ModelBundle
    settings: ResultSettings
    checkpoints: tuple[int, ...]
    identity: dict[str, object]
    weights: tuple[str, ...]
    shards: dict[str, tuple[tuple[int, int], ...]]
    contents: dict[str, tuple[str, ...]]

    @classmethod
    def of(
        cls, dataset: Dataset, bundle: ModelBundle, settings: ResultSettings, checkpoints: tuple[int, ...]
    ) -> Wanted:
        """Reads (and hashes) the content of every example once, and every checkpoint file."""
        size = settings.shard_size
        shards = {
            name: tuple(
                (start, min(start + size, len(split.labels))) for start in range(0, len(split.labels), size)
            )
            for name, split in dataset.splits.items()
        }
        contents = {
            name: tuple(
                fingerprint([dataset.digest(name, range(*edges)), *_labels(dataset, name, slice(*edges))])
                for edges in edges_of
            )
            for name, edges_of in shards.items()
        }
        weights = tuple(bundle.weights_key(bundle.checkpoints[index]) for index in checkpoints)
        return cls(dataset, bundle, settings, checkpoints, bundle.identity(), weights, shards, contents)

    def labels(self, split: str, rows: Sequence[int]) -> list[object]:
        """What of the labels of these rows decides what is computed from them."""
        return _labels(self.dataset, split, np.asarray(rows))

    def splits(self, basis: BasisPlace | None) -> dict[str, SplitPlan]:
        """The units by split, where sketches have ``basis``."""
        fitted = {} if basis is None else {"basis": basis.digest}
        common = {
            "kind": "gradients",
            "format": FORMAT,
            "classes": list(self.dataset.classes),
            "model": self.identity,
            "settings": self.settings.key_parts(),
            **fitted,
        }
        return {
            name: SplitPlan(
                shards,
                tuple(
                    tuple(
                        fingerprint({**common, "examples": content, "weights": weight})
                        for content in self.contents[name]
                    )
                    for weight in self.weights
                ),
            )
            for name, shards in self.shards.items()
        }


def make_plan(
    wanted: Wanted, *, speed: SpeedSettings, previous: RunPlan | None, basis: BasisPlace | None
) -> RunPlan:
    """The plan of a run; the previous one again where it asks for the same.

    Args:
        wanted: What is asked for.
        speed: Device, processes, batch size.
        previous: The plan before.
        basis: The basis of the sketches; ``None`` = random maps.
    """
    bundle, settings, checkpoints = wanted.bundle, wanted.settings, wanted.checkpoints
    splits = wanted.splits(basis)
    # The device and the threads of an earlier plan are kept with its batch partition: all three decide about
    # the last bits, and a resumed run must equal an uninterrupted one byte for byte.
    rates = [bundle.checkpoints[index].learning_rate for index in checkpoints]
    of_map = map_key(splits["train"], rates)
    if previous is not None and previous.splits == splits and previous.settings == settings:
        return _again(replace(previous, map_key=of_map, basis=basis), speed)
    plan = RunPlan(
        settings, checkpoints, splits, of_map, speed.batch_size or 0, speed.threads or 0, "", basis=basis
    )
    machine = Machine.here()
    check_workers(speed, machine)
    device = machine.chosen(speed.device)
    model_bytes = max(Path(bundle.checkpoints[index].path).stat().st_size for index in checkpoints)
    workers = speed.workers or machine.most_workers(device, model_bytes=model_bytes, units=len(plan.units))
    return replace(plan, device=device, threads=speed.threads or machine.threads(workers))


def _again(previous: RunPlan, speed: SpeedSettings) -> RunPlan:
    """The plan of an earlier run, on its device unless another is asked for, or that one is gone."""
    machine = Machine.here()
    check_workers(speed, machine)
    asked = machine.chosen(speed.device)
    if asked == previous.device or (speed.device == "auto" and machine.has(previous.device)):
        return previous
    return replace(previous, device=asked, batch_size=speed.batch_size or 0)


def _labels(dataset: Dataset, split: str, rows: slice | npt.NDArray[np.int64]) -> list[object]:
    part = dataset.splits[split]
    found: list[object] = [part.labels[rows]]
    return found if part.targets is None else [*found, dataset.target, part.targets[rows]]
