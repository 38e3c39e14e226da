"""Examples with the same content: within a split they count twice, across splits the test is leaked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tracin_viz.data.dataset import Dataset
from tracin_viz.data.problems import ProblemList
from tracin_viz.data.splits import TRAIN
from tracin_viz.errors import InputError, Problem
from tracin_viz.fingerprint import fingerprint

#: Groups that are compared byte by byte and listed; of more only the number of examples is told.
GROUPS = 1000
#: Examples named of each group.
NAMED = 10


@dataclass(frozen=True)
class Duplicates:
    """What was found.

    Attributes:
        groups: For each group ``{places, ids, splits, count}``: where its first examples are, what they are
            called (``split:row``), the splits that have any, and how many there are.
        problems: One for leakage between splits, one for repetition within one, one for contradicting
            labels.
    """

    groups: tuple[dict[str, Any], ...]
    problems: tuple[Problem, ...]


def find_duplicates(dataset: Dataset) -> Duplicates:
    """Groups of examples with equal content, those that cross splits first.

    Contents are first compared by a checksum (of the beginning and size, for files), then as a whole.
    """
    checksums = {name: dataset.checksums(name) for name in dataset.splits}
    if not all(len(values) for values in checksums.values()):
        return Duplicates((), ())
    names = list(checksums)
    values = np.concatenate([checksums[name] for name in names])
    splits = np.repeat(np.arange(len(names)), [len(checksums[name]) for name in names])
    rows = np.concatenate([np.arange(len(checksums[name])) for name in names])
    groups: list[list[tuple[str, int]]] = []
    for members in _equal(values)[:GROUPS]:
        by_content: dict[str, list[tuple[str, int]]] = {}
        for place in members.tolist():
            split, row = names[splits[place]], int(rows[place])
            if (key := _key(dataset, split, row)) is not None:
                by_content.setdefault(key, []).append((split, row))
        groups += [found for found in by_content.values() if len(found) > 1]
    groups.sort(key=lambda found: -len({split for split, _ in found}))
    return Duplicates(tuple(_described(dataset, found) for found in groups), _problems(dataset, groups))


def _equal(values: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    """Places of values that occur more than once, one array for each value."""
    order = np.argsort(values, kind="stable")
    ends = np.flatnonzero(np.diff(values[order])) + 1
    return [part for part in np.split(order, ends) if len(part) > 1]


def _key(dataset: Dataset, split: str, row: int) -> str | None:
    try:
        return fingerprint(dataset.reader.raw(split, row))
    except InputError:
        return None


def _described(dataset: Dataset, found: list[tuple[str, int]]) -> dict[str, Any]:
    return {
        "places": [dataset.place(split, row) for split, row in found[:NAMED]],
        "ids": [f"{split}:{row}" for split, row in found[:NAMED]],
        "splits": sorted({split for split, _ in found}),
        "count": len(found),
    }


def _problems(dataset: Dataset, groups: list[list[tuple[str, int]]]) -> tuple[Problem, ...]:
    problems = ProblemList()
    for found in groups:
        splits = {split for split, _ in found}
        first, second = found[0], next((pair for pair in found if pair[0] != found[0][0]), found[1])
        where = dataset.place(*first)
        if len(splits) > 1 and TRAIN in splits:
            problems.add(
                "leakage",
                where=where,
                message=f"The same content is in split {first[0]} and, at {dataset.place(*second)}, in split "
                f"{second[0]}: a test on it says nothing.",
                remedy="Take it out of one of the splits.",
            )
        else:
            problems.add(
                "duplicate",
                where=where,
                message=f"The same content occurs {len(found)} times, again at {dataset.place(*second)}.",
                remedy="Keep one of them, unless the model was trained on all.",
            )
        labels = {int(dataset.splits[split].labels[row]) for split, row in found} - {-1}
        if len(labels) > 1:
            said = ", ".join(sorted(dataset.classes[label] for label in labels))
            problems.add(
                "contradicting labels",
                where=where,
                message=f"The same content has different labels: {said}.",
                remedy="Give all of them the right one.",
            )
    return problems.as_tuple()
