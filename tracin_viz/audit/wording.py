"""Labels and predictions in words, whatever they are: one class, several classes at once, or a number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tracin_viz.data.dataset import Dataset

Words = npt.NDArray[np.object_]


def given_words(dataset: Dataset, split: str, rows: Sequence[int] | None = None) -> Words:
    """The label of each example of a split, or of some rows, (n,) of str; ``None`` where there is none."""
    part = dataset.splits[split]
    chosen = slice(None) if rows is None else np.asarray(rows, dtype=np.int64)
    if dataset.target == "class" or part.targets is None:
        return _named(dataset.classes, np.asarray(part.labels)[chosen])
    if dataset.target == "number":
        return _objects(
            [None if np.isnan(value) else f"{value:g}" for value in part.targets[chosen].tolist()]
        )
    return _objects([_several(dataset.classes, row) for row in part.targets[chosen]])


def predicted_words(
    target: str, classes: Sequence[str], predicted: npt.ArrayLike, value: npt.ArrayLike
) -> Words:
    """What the model says about each example, (n,) of str; ``None`` where it says nothing.

    Args:
        target: "class", "multi-label" or "number".
        classes: Names by output index.
        predicted: (n,) most probable class; -1 = none.
        value: (n,) the predicted number, or how many labels the model would set otherwise.
    """
    values = np.asarray(value, dtype=np.float64).tolist()
    if target == "number":
        return _objects([None if np.isnan(each) else f"{each:.4g}" for each in values])
    names = _named(classes, predicted)
    if target == "class":
        return names
    return _objects(
        [
            f"{name} first; {each:.0f} of {len(classes)} otherwise" if each else f"{name} first; all as given"
            for name, each in zip(names, values, strict=True)
        ]
    )


def disagrees(
    target: str, labels: npt.ArrayLike, predicted: npt.ArrayLike, value: npt.ArrayLike
) -> npt.NDArray[np.bool_]:
    """Where the model says something else than the label; never without a label, nor about numbers.

    Args:
        target: "class", "multi-label" or "number".
        labels: (n,) class given; -1 = none.
        predicted: (n,) or (K, n) most probable class.
        value: Of the shape of ``predicted``: labels that the model would set otherwise.
    """
    if target == "class":
        given = np.asarray(labels)
        return np.asarray((np.asarray(predicted) != given) & (given >= 0))
    values = np.asarray(value, dtype=np.float64)
    return np.asarray(values > 0) if target == "multi-label" else np.zeros(values.shape, dtype=bool)


def suggestion_words(dataset: Dataset, row: int, other: int, value: float) -> str:
    """What the label of training example ``row`` might be instead; empty where nothing speaks for another.

    Args:
        dataset: The audit's data.
        row: Row of the training split.
        other: The class that speaks most against the label; -1 = none.
        value: The number that the model predicts.
    """
    if dataset.target == "number":
        return "" if np.isnan(value) else f"{value:.4g}"
    if other < 0:
        return ""
    name, targets = dataset.classes[other], dataset.splits["train"].targets
    if dataset.target == "class" or targets is None:
        return name
    return f"without {name}" if targets[row, other] else f"with {name}"


def _named(classes: Sequence[str], indices: npt.ArrayLike) -> Words:
    # The extra last place is what -1, "none", points to.
    names: Words = np.array([*classes, None], dtype=object)[np.asarray(indices)]
    return names


def _several(classes: Sequence[str], row: npt.NDArray[np.float32]) -> str | None:
    if np.isnan(row).any():
        return None
    return ", ".join(name for name, given in zip(classes, row, strict=True) if given) or "(no class)"


def _objects(values: Sequence[Any]) -> Words:
    found: Words = np.empty(len(values), dtype=object)
    found[:] = values
    return found
