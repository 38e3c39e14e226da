"""From an audit and settings to the plan of its units: content keys, shards, batch partition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tracin_viz.config import CheckpointInfo, ResultSettings, SpeedSettings
from tracin_viz.data.dataset import Dataset
from tracin_viz.errors import InputError
from tracin_viz.explore.checkpoint_choice import steep
from tracin_viz.fingerprint import FORMAT, fingerprint
from tracin_viz.jobs.devices import Machine, check_workers
from tracin_viz.models.bundle import ModelBundle
from tracin_viz.store.plan import RunPlan, SplitPlan


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


def make_plan(
    dataset: Dataset,
    bundle: ModelBundle,
    *,
    settings: ResultSettings,
    speed: SpeedSettings,
    checkpoints: tuple[int, ...],
    previous: RunPlan | None,
) -> RunPlan:
    """The plan of a run; the previous one again where it asks for the same.

    The content of every example is read (and hashed) once, and so is every checkpoint file.
    """
    identity = bundle.identity()
    weights = {index: bundle.weights_key(bundle.checkpoints[index]) for index in checkpoints}
    splits = {
        name: _split_plan(dataset, name, settings, identity, [weights[index] for index in checkpoints])
        for name in dataset.splits
    }
    # The device and the threads of an earlier plan are kept with its batch partition: all three decide about
    # the last bits, and a resumed run must equal an uninterrupted one byte for byte.
    rates = [bundle.checkpoints[index].learning_rate for index in checkpoints]
    map_key = fingerprint({"kind": "map", "format": FORMAT, "units": splits["train"].keys, "rates": rates})
    if previous is not None and previous.splits == splits and previous.settings == settings:
        return _again(replace(previous, map_key=map_key), speed)
    plan = RunPlan(settings, checkpoints, splits, map_key, speed.batch_size or 0, speed.threads or 0, "")
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


def _split_plan(
    dataset: Dataset,
    split: str,
    settings: ResultSettings,
    identity: dict[str, object],
    weights: Sequence[str],
) -> SplitPlan:
    labels = dataset.splits[split].labels
    size = settings.shard_size
    shards = tuple((start, min(start + size, len(labels))) for start in range(0, len(labels), size))
    contents = [
        fingerprint([dataset.digest(split, range(start, stop)), *_labels(dataset, split, start, stop)])
        for start, stop in shards
    ]
    keys = tuple(
        tuple(
            fingerprint(
                {
                    "kind": "gradients",
                    "format": FORMAT,
                    "examples": content,
                    "classes": list(dataset.classes),
                    "model": identity,
                    "weights": weight,
                    "settings": settings.as_dict(),
                }
            )
            for content in contents
        )
        for weight in weights
    )
    return SplitPlan(shards, keys)


def _labels(dataset: Dataset, split: str, start: int, stop: int) -> list[object]:
    """What of the labels decides a unit of these rows."""
    part = dataset.splits[split]
    found: list[object] = [part.labels[start:stop]]
    return found if part.targets is None else [*found, dataset.target, part.targets[start:stop]]
