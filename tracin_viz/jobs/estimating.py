"""Before retraining: what the decisions would have done to the loss of test examples, to first order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from torch.utils.data import Dataset as TorchDataset

from tracin_viz.data.dataset import Content, Dataset
from tracin_viz.engine import InfluenceEngine
from tracin_viz.engine.label_changes import FirstOrder, LabelledChanges, first_order, steps
from tracin_viz.errors import InputError
from tracin_viz.explore.intervals import over_examples
from tracin_viz.jobs.evidence_settings import EstimateSettings
from tracin_viz.jobs.exposure import Exposure, exposure
from tracin_viz.jobs.loading import Examples, Sources, Target, build_engine, open_sources_of
from tracin_viz.jobs.subject import Subject
from tracin_viz.relabel.changes import Changes, given_targets, has_target

Floats = npt.NDArray[np.float64]
#: Told what is done and how much there is; may raise to stop.
OnProgress = Callable[[int, int, str], None]

#: Decisions listed with their own effect, on each side.
LISTED = 12


def estimate(
    subject: Subject,
    changes: Changes,
    settings: EstimateSettings,
    on_progress: OnProgress,
    *,
    sources: Sources | None = None,
) -> dict[str, Any]:
    """The estimate as a document (``Audit.estimate``).

    Args:
        subject: The audit.
        changes: What decisions change.
        settings: Which test examples.
        on_progress: Told gradients done and to do; may raise.
        sources: The audit's data and model, where they are open already.

    Raises:
        InputError: There is no test example to look at.
    """
    split = subject.held_out
    rows = chosen_tests(subject, split, settings)
    known = _exposure(subject)
    sources = sources or open_sources_of(subject.record, subject.dataset)
    engine = _engine(sources, subject, known)
    tests = Examples(subject.dataset, split, rows.tolist())
    changed = labelled(subject.dataset, changes)
    total = steps(engine, tests, changed)
    on_progress(0, total, "Comparing gradients of changed labels with test examples")
    found = first_order(
        engine, tests, changed, on_batch=lambda done: on_progress(min(done, total), total, "")
    )
    now = subject.measured("loss", split)[-1][rows].astype(np.float64)
    return {
        "audit": subject.record.name,
        "kind": "estimate",
        "split": split,
        "examples": len(rows),
        "of": settings.of,
        "class": settings.class_name,
        "simulated": settings.simulate,
        "changes": counts(changes),
        "unit": "score" if known.unknown else "loss",
        "unit_unknown": known.unknown,
        "batch_size": known.batch_size,
        "momentum": known.momentum,
        "covered": covered(subject),
        "layers": subject.plan.settings.layers,
        "checkpoints": [checkpoint.step for checkpoint in subject.checkpoints],
        "left_out": int(np.isnan(found.changes).sum()),
        "overall": {**over_examples(found.tests).as_dict(), "loss_now": float(now.mean())},
        "classes": _by_class(subject.dataset, split, rows, found.tests, now),
        "decisions": _decisions(changes, found),
    }


def counts(changes: Changes) -> dict[str, int]:
    """How many labels are changed and how many examples left out."""
    return {"relabelled": changes.relabelled, "excluded": changes.excluded}


def chosen_tests(subject: Subject, split: str, settings: EstimateSettings) -> npt.NDArray[np.int64]:
    """Rows of the test examples that are looked at.

    Raises:
        InputError: There are none.
    """
    dataset, rows = subject.dataset, subject.test_rows(split)
    targets = given_targets(dataset, split)
    if settings.class_name is not None:
        if settings.class_name not in dataset.classes:
            raise InputError(
                f"There is no class '{settings.class_name}'.",
                remedy=f"Possible: {', '.join(dataset.classes[:12]) or 'none, labels are numbers'}.",
            )
        place = dataset.classes.index(settings.class_name)
        rows = rows[targets[rows] == place] if targets.ndim == 1 else rows[targets[rows, place] > 0]
    if settings.of == "wrong":
        if dataset.target == "number":
            raise InputError("A predicted number is never simply wrong.", remedy="Look at all test examples.")
        last = "value" if dataset.target == "multi-label" else "predicted"
        said = subject.measured(last, split)[-1]
        rows = rows[said[rows] > 0] if last == "value" else rows[said[rows] != targets[rows]]
    if len(rows) < 2:
        raise InputError(
            f"Only {len(rows)} examples of '{split}' are of that kind: too few to say anything.",
            remedy="Choose all test examples.",
        )
    if len(rows) > settings.most:
        rows = rows[np.linspace(0, len(rows) - 1, settings.most).astype(int)]
    return rows


def labelled(dataset: Dataset, changes: Changes) -> LabelledChanges:
    """Each changed example with its new label (+1), unless left out, and its old (−1), if it had one."""
    old = given_targets(dataset, "train")
    had = has_target(old)
    pairs: list[tuple[int, Target]] = []
    signs, change = [], []
    for place, row in enumerate(changes.rows.tolist()):
        for sign, present, target in (
            (1.0, bool(changes.kept[place]), changes.targets[place]),
            (-1.0, bool(had[row]), old[row]),
        ):
            if present:
                pairs.append((row, _plain(target)))
                signs.append(sign)
                change.append(place)
    return LabelledChanges(_Pairs(dataset, pairs), np.asarray(signs), np.asarray(change, dtype=np.int64))


class _Pairs(TorchDataset[tuple[Content, Target]]):
    """Training examples with labels that need not be those of the data; contents are read when needed."""

    def __init__(self, dataset: Dataset, pairs: list[tuple[int, Target]]) -> None:
        self._dataset = dataset
        self._pairs = pairs

    def __len__(self) -> int:
        return len(self._pairs)

    def __getitem__(self, index: int) -> tuple[Content, Target]:
        row, target = self._pairs[index]
        return self._dataset.load("train", row), target


def _plain(target: Any) -> Target:
    if isinstance(target, np.ndarray):
        return target.astype(np.float32)
    return int(target) if isinstance(target, np.integer) else float(target)


def _exposure(subject: Subject) -> Exposure:
    record = subject.record
    return exposure(
        record.checkpoints, subject.plan.checkpoints, record.splits["train"], record.notes.get("optimizer")
    )


def covered(subject: Subject) -> float:
    """Share of the training's steps that the checkpoints in use stand for."""
    begin, used = 0, 0
    for place, checkpoint in enumerate(subject.record.checkpoints):
        used += (checkpoint.step - begin) * (place in subject.plan.checkpoints)
        begin = checkpoint.step
    return used / begin if begin else 0.0


def _engine(sources: Sources, subject: Subject, known: Exposure) -> InfluenceEngine:
    """The audit's engine with each learning rate multiplied by how often an example was seen."""
    checkpoints = list(sources.bundle.checkpoints)
    for index, factor in zip(subject.plan.checkpoints, known.factors, strict=True):
        rate = checkpoints[index].learning_rate * factor
        checkpoints[index] = replace(checkpoints[index], learning_rate=rate)
    weighted = replace(sources, bundle=replace(sources.bundle, checkpoints=tuple(checkpoints)))
    # No sketch is made here, so none needs its fitted maps.
    return build_engine(weighted, subject.plan, subject.store, sketch="random")


def _by_class(
    dataset: Dataset, split: str, rows: npt.NDArray[np.int64], values: Floats, now: Floats
) -> list[dict[str, Any]]:
    targets = given_targets(dataset, split)[rows]
    entries = []
    for place, name in enumerate(dataset.classes):
        mine = targets == place if targets.ndim == 1 else targets[:, place] > 0
        if mine.any():
            found = over_examples(values[mine]).as_dict()
            entries.append({"class": name, **found, "loss_now": float(now[mine].mean())})
    return entries


def _decisions(changes: Changes, found: FirstOrder) -> dict[str, list[dict[str, Any]]]:
    """The decisions that are estimated to lower the mean loss most, and those that raise it most."""
    usable = np.flatnonzero(np.isfinite(found.changes))
    falling = usable[np.argsort(-found.changes[usable], kind="stable")]
    sides = {"lower": falling[:LISTED], "raise": falling[::-1][:LISTED]}
    signs = {"lower": 1, "raise": -1}
    return {
        side: [
            {
                "id": f"train:{changes.rows[place]}",
                "action": "relabel" if changes.kept[place] else "exclude",
                "value": float(found.changes[place]),
            }
            for place in places.tolist()
            if found.changes[place] * signs[side] > 0
        ]
        for side, places in sides.items()
    }
