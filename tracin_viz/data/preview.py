"""What a data set would become: shown before anything is registered, so that the mapping can be changed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tracin_viz.data.dataset import Dataset, open_dataset
from tracin_viz.data.duplicates import find_duplicates
from tracin_viz.data.mapping import DataMapping
from tracin_viz.errors import Problem

#: Kinds of problems that are about files.
UNREADABLE = ("unreadable image", "missing image", "left out")


@dataclass(frozen=True)
class DataPreview:
    """A data set as it would be opened.

    Attributes:
        format: What the files are, in plain words.
        task: ``"image"``, ``"text"`` or ``"tabular"``.
        target: ``"class"``, ``"multi-label"`` or ``"number"``.
        columns: For tables, each column as ``{name, kind, role, values}``: ``role`` is ``"content"``,
            ``"label"``, ``"split"`` or ``""``, ``values`` the first few as text.
        mapping: Complete: what was asked for, and guesses for the rest.
        classes: Class names in the data's own order.
        splits: Number of examples by split, ``train`` first.
        class_counts: For each split the number of examples of each class; those without are ``""``.
        examples: Some of each split in turn, ``{split, row, source, label}``; ``label`` is a class
            name, a list of them, a number or ``None``.
        duplicates: Examples with the same content, ``{places, ids, splits, count}`` for each group.
        unreadable: Files that cannot be read, and why.
        problems: Everything that was left out or looks wrong, those files and duplicates included.
    """

    format: str
    task: str
    target: str
    columns: tuple[dict[str, Any], ...]
    mapping: DataMapping
    classes: tuple[str, ...]
    splits: dict[str, int]
    class_counts: dict[str, dict[str, int]]
    examples: tuple[dict[str, Any], ...]
    duplicates: tuple[dict[str, Any], ...]
    unreadable: tuple[Problem, ...]
    problems: tuple[Problem, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "mapping": self.mapping.as_dict()}


def preview_data(path: Path, *, mapping: DataMapping | None = None, limit: int = 10) -> DataPreview:
    """Open the data set at ``path`` and describe it.

    Args:
        path: Folder or file.
        mapping: What the user chose; the rest is guessed.
        limit: How many examples to show.

    Raises:
        InputError: The path holds no data set that can be used (see ``open_dataset``).
    """
    dataset = open_dataset(path, mapping=mapping)
    duplicates = find_duplicates(dataset)
    return DataPreview(
        format=dataset.format,
        task=dataset.task,
        target=dataset.target,
        columns=dataset.columns,
        mapping=dataset.mapping,
        classes=dataset.classes,
        splits={name: len(split) for name, split in dataset.splits.items()},
        class_counts=class_counts(dataset),
        examples=_examples(dataset, limit),
        duplicates=duplicates.groups,
        unreadable=tuple(problem for problem in dataset.problems if problem.kind in UNREADABLE),
        problems=(*dataset.problems, *duplicates.problems),
    )


def class_counts(dataset: Dataset) -> dict[str, dict[str, int]]:
    """For each split how many examples each class has; ``""`` counts those without a label."""
    counts: dict[str, dict[str, int]] = {}
    for name, split in dataset.splits.items():
        if dataset.target == "multi-label" and split.targets is not None:
            found = np.nan_to_num(split.targets).sum(axis=0).astype(int).tolist()
        elif dataset.target == "class":
            found = np.bincount(split.labels[split.labels >= 0], minlength=len(dataset.classes)).tolist()
        else:
            found = []
        counts[name] = dict(zip(dataset.classes, found, strict=False))
        if missing := int(np.count_nonzero(split.labels < 0)) if dataset.target == "class" else 0:
            counts[name][""] = missing
    return counts


def label_of(dataset: Dataset, split: str, row: int) -> str | float | list[str] | None:
    """The label of one example for display: a class, several classes, a number, or ``None`` without one."""
    part = dataset.splits[split]
    if dataset.target == "class" or part.targets is None:
        label = int(part.labels[row])
        return dataset.classes[label] if label >= 0 else None
    target = part.targets[row]
    if np.isnan(target).any():
        return None
    if dataset.target == "number":
        return float(target)
    return [name for name, given in zip(dataset.classes, target, strict=True) if given]


def _examples(dataset: Dataset, limit: int) -> tuple[dict[str, Any], ...]:
    """Examples spread over each split, the splits in turn: the first ones are often all of one class."""
    deepest = -(-limit // len(dataset.splits))
    places = (
        (name, place * len(split) // min(deepest, len(split)))
        for place in range(deepest)
        for name, split in dataset.splits.items()
        if place < len(split)
    )
    return tuple(
        {
            "split": name,
            "row": row,
            "source": dataset.splits[name].sources[row],
            "label": label_of(dataset, name, row),
        }
        for (name, row), _ in zip(places, range(limit), strict=False)
    )
