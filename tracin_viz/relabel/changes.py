"""What decisions change about the labels that a model is trained on: new targets, and examples left out.

Labels of decisions are stored as text: the name of a class; a JSON array of names where an example has
several classes; a JSON number where a label is one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tracin_viz.data.dataset import Dataset
from tracin_viz.errors import InputError
from tracin_viz.fingerprint import fingerprint
from tracin_viz.relabel.decisions import Decision

#: Label of an example as it stands in a decision; ``None`` = it is not trained on any more.
NewLabel = str | None


@dataclass(frozen=True)
class Changes:
    """The training examples that decisions change; all others stay as the data give them.

    Attributes:
        rows: (m,) int64 rows of the training split, ascending.
        kept: (m,) bool; False = left out of the training.
        targets: The new label of each, in the form of the data's own: (m,) int64 classes; (m, C) float32 of 0
            and 1; (m,) float32 numbers. Of those left out, the old one.
        key: Content key: equal changes of the labels have equal keys.
    """

    rows: npt.NDArray[np.int64]
    kept: npt.NDArray[np.bool_]
    targets: npt.NDArray[np.int64] | npt.NDArray[np.float32]
    key: str

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def relabelled(self) -> int:
        """Examples with another label than the data give them."""
        return int(self.kept.sum())

    @property
    def excluded(self) -> int:
        """Examples that are left out."""
        return len(self) - self.relabelled

    def applied(
        self, dataset: Dataset
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64] | npt.NDArray[np.float32]]:
        """Which training examples stay, (n,), and the labels of all, in the form of the data's own."""
        stay = np.ones(len(dataset.splits["train"]), dtype=bool)
        stay[self.rows] = self.kept
        targets = given_targets(dataset, "train").copy()
        targets[self.rows] = self.targets
        return stay, targets


def new_labels(decisions: Mapping[str, Decision]) -> dict[int, NewLabel]:
    """The labels that decisions give, by row of the training split; what was kept or put off is not in it."""
    return {
        int(identity.rpartition(":")[2]): decision.label
        for identity, decision in decisions.items()
        if decision.action in ("relabel", "exclude") and identity.startswith("train:")
    }


def read_changes(labels: Mapping[int, NewLabel], dataset: Dataset) -> Changes:
    """The changes that ``labels`` make to the training split.

    Args:
        labels: New label by row; one that says what the data say already is no change.
        dataset: The audit's data.

    Raises:
        InputError: A row does not exist, or a label is none of these data.
    """
    given = given_targets(dataset, "train")
    rows: list[int] = []
    targets = []
    for row in sorted(labels):
        if not 0 <= row < len(given):
            raise InputError(
                f"There is a decision about train:{row}, which does not exist.",
                remedy=f"Training examples are train:0 to train:{len(given) - 1}.",
            )
        label = labels[row]
        target = given[row] if label is None else target_of_label(label, dataset, f"train:{row}")
        if label is None or not _same(target, given[row]):
            rows.append(row)
            targets.append(target)
    kept = np.array([labels[row] is not None for row in rows], dtype=bool)
    found = np.asarray(targets, dtype=given.dtype).reshape((len(rows), *given.shape[1:]))
    where = np.asarray(rows, dtype=np.int64)
    return Changes(where, kept, found, fingerprint(["changes", where, kept, found]))


def given_targets(dataset: Dataset, split: str) -> npt.NDArray[np.int64] | npt.NDArray[np.float32]:
    """The labels of a split as the data give them: (n,) classes, (n, C) of 0 and 1, or (n,) numbers."""
    part = dataset.splits[split]
    return part.labels if dataset.target == "class" or part.targets is None else part.targets


def has_target(targets: npt.NDArray[np.int64] | npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """(n,) whether each example has a label at all."""
    if np.issubdtype(targets.dtype, np.integer):
        return np.asarray(targets >= 0)
    finite = np.isfinite(targets)
    return np.asarray(finite.all(axis=1) if finite.ndim == 2 else finite)


def target_of_label(label: str, dataset: Dataset, where: str) -> int | float | npt.NDArray[np.float32]:
    """The target that a decision's label means.

    Args:
        label: As it is stored.
        dataset: The audit's data.
        where: The example, for messages.

    Raises:
        InputError: It is no label of these data.
    """
    if dataset.target == "class":
        if label in dataset.classes:
            return dataset.classes.index(label)
        raise _unknown(label, where, f"one of its classes: {', '.join(dataset.classes[:12])}")
    try:
        value = json.loads(label)
    except ValueError as error:
        raise _unknown(label, where, "a JSON value") from error
    if dataset.target == "number":
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
        raise _unknown(label, where, "a number")
    if not isinstance(value, list) or not all(name in dataset.classes for name in value):
        raise _unknown(label, where, "a list of its classes")
    found = np.zeros(len(dataset.classes), dtype=np.float32)
    found[[dataset.classes.index(name) for name in value]] = 1.0
    return found


def _same(one: Any, other: Any) -> bool:
    # Comparing arrays takes twenty times as long, and there may be 100,000 decisions.
    return bool(np.array_equal(one, other) if isinstance(one, np.ndarray) else one == other)


def _unknown(label: str, where: str, wanted: str) -> InputError:
    return InputError(
        f"The decision about {where} gives it the label {label!r}, which is not {wanted}.",
        remedy="Undo that decision, or decide again.",
    )
