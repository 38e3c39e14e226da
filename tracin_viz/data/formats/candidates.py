"""The last step of every format: rows with contents, labels and split names become a ``Dataset``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tracin_viz.data.contents import Contents, RowReader, Rows
from tracin_viz.data.dataset import Dataset, Split, listed
from tracin_viz.data.formats.columns import Feature
from tracin_viz.data.formats.labels import Labels, read_labels
from tracin_viz.data.mapping import DataMapping
from tracin_viz.data.problems import ProblemList, shown
from tracin_viz.data.splits import QUERY_FRACTION, TRAIN, check_classes, held_out, in_order, note_absent
from tracin_viz.errors import InputError

#: Query split of the examples without a label where the data name no splits.
UNLABELLED_SPLIT = "unlabelled"


@dataclass(frozen=True)
class Candidates:
    """Rows that have a usable content.

    Attributes:
        contents: Of all rows of the files.
        rows: ``(n,)`` those that can be used.
        place: Where a row is, in words.
        labels: The label column, or several of 0 and 1, one value for each of ``rows``.
        split_names: Names of the splits; empty where the data name none.
        splits: ``(n,)`` the split of each of ``rows``, a place in ``split_names``.
        mapping: Complete.
        format: In plain words.
        columns: For the preview.
        feature: What the file says about the label column.
        remedies: What to do about ``"one class"`` and ``"no train"``.
    """

    contents: Contents
    rows: Rows
    place: Callable[[int], str]
    labels: Sequence[Any]
    split_names: Sequence[str]
    splits: npt.NDArray[np.int64]
    mapping: DataMapping
    format: str
    columns: tuple[dict[str, Any], ...] = ()
    feature: Feature | None = None
    remedies: dict[str, str] = field(default_factory=dict)


def finish(found: Candidates, path: Path, problems: ProblemList) -> Dataset:
    """The data set made of ``found``; rows without a usable label are left out of ``train`` and noted.

    Raises:
        InputError: There are no labels, one class only, or no train split.
    """
    labels = read_labels(found.labels, found.mapping, found.feature, problems)
    if labels.missing.all():
        raise InputError(
            f"'{shown(path.name)}' has no row with a {_content_word(found)} and a label.",
            remedy=found.remedies["one class"],
            problems=problems.as_tuple(),
        )
    if labels.target == "class":
        check_classes(labels.classes, name=path.name, remedy=found.remedies["one class"])
    names, splits, fraction = _splits(found, labels)
    mapping = replace(found.mapping, query_fraction=fraction, target=labels.target)
    if TRAIN not in names or not (splits == names.index(TRAIN)).any():
        raise InputError(
            f"'{shown(path.name)}' has no train split, only {listed(in_order(_used(names, splits)))}.",
            remedy=found.remedies["no train"],
            problems=problems.as_tuple(),
        )
    keep = _usable(found, labels, splits == names.index(TRAIN), problems)
    members = {name: np.flatnonzero(keep & (splits == names.index(name))) for name in in_order(names)}
    members = {name: rows for name, rows in members.items() if len(rows)}
    if TRAIN not in members:
        raise InputError(
            f"None of the training examples of '{shown(path.name)}' has a label.",
            remedy=found.remedies["one class"],
            problems=problems.as_tuple(),
        )
    _note_unlabelled(labels, members, problems)
    parts = {name: _part(found, labels, name, rows) for name, rows in members.items()}
    if labels.target == "class":
        note_absent(parts[TRAIN].labels, labels.classes, problems=problems)
    reader = RowReader(
        found.contents, {name: found.rows[rows] for name, rows in members.items()}, found.place
    )
    return Dataset(
        task=str(mapping.task),
        classes=labels.classes,
        splits=parts,
        path=path,
        problems=problems.as_tuple(),
        reader=reader,
        target=labels.target,
        format=found.format,
        columns=found.columns,
        mapping=mapping,
    )


def _splits(found: Candidates, labels: Labels) -> tuple[list[str], npt.NDArray[np.int64], float | None]:
    """Names of the splits, the split of each row, and the share that was held out, if any was."""
    names, splits = list(found.split_names), found.splits
    only_train = _used(names, splits) == {TRAIN}
    if names and not (only_train and found.mapping.query_fraction):
        return names, splits, found.mapping.query_fraction
    fraction = found.mapping.query_fraction or QUERY_FRACTION
    codes = labels.labels if labels.target == "class" else np.zeros(len(found.rows), dtype=np.int64)
    labelled = np.flatnonzero(~labels.missing)
    splits = np.full(len(found.rows), 2, dtype=np.int64)
    chosen = held_out(found.contents.checksums(found.rows[labelled]), codes[labelled], fraction=fraction)
    splits[labelled] = chosen
    return [TRAIN, "test", UNLABELLED_SPLIT], splits, fraction


def _usable(
    found: Candidates, labels: Labels, train: npt.NDArray[np.bool_], problems: ProblemList
) -> npt.NDArray[np.bool_]:
    """Which rows stay; the others are noted."""
    empty = np.flatnonzero(labels.missing & train)
    problems.add_many(
        "empty label",
        where=lambda place: found.place(int(found.rows[empty[place]])),
        count=len(empty),
        message="Its label is empty. The row was left out.",
        remedy="Give it a label.",
    )
    odd = np.flatnonzero(labels.odd)
    what = "a number" if labels.target == "number" else "0 or 1 in every label column"
    problems.add_many(
        "odd label",
        where=lambda place: found.place(int(found.rows[odd[place]])),
        count=len(odd),
        message=f"Its label is not {what}. The row was left out.",
        remedy="Correct that label, or say what the labels are.",
    )
    return ~(labels.missing & train) & ~labels.odd


def _note_unlabelled(labels: Labels, members: dict[str, Rows], problems: ProblemList) -> None:
    for name, rows in members.items():
        if count := int(labels.missing[rows].sum()):
            problems.add(
                "unlabelled",
                where=f"split {name}",
                message=f"{count:,} of its {len(rows):,} examples have no label; of those "
                "the class that the model predicts is explained.",
                remedy="Nothing has to be done; labels can be added to the data.",
            )


def _part(found: Candidates, labels: Labels, name: str, rows: Rows) -> Split:
    targets = None if labels.targets is None else labels.targets[rows]
    return Split(name, found.contents.sources(found.rows[rows]), labels.labels[rows], targets)


def _used(names: Sequence[str], splits: npt.NDArray[np.int64]) -> set[str]:
    return {names[place] for place in np.unique(splits).tolist()} if names else set()


def _content_word(found: Candidates) -> str:
    return {"image": "picture", "text": "text"}.get(str(found.mapping.task), "value")
