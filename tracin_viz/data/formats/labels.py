"""Label columns as numbers: one class, several classes, or an amount for each row."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tracin_viz.data.dataset import listed
from tracin_viz.data.formats.columns import Feature, as_numbers, as_text
from tracin_viz.data.mapping import DataMapping
from tracin_viz.data.problems import ProblemList, shown
from tracin_viz.data.splits import in_class_order
from tracin_viz.errors import InputError

#: More different labels than this are names of examples, not classes.
MAX_CLASSES = 10_000


@dataclass(frozen=True)
class Labels:
    """The labels of all rows of a table.

    Attributes:
        target: ``"class"``, ``"multi-label"`` or ``"number"``.
        classes: Names, in order; empty for numbers.
        labels: ``(n,)`` int64, -1 = none (and everywhere if the target is not ``"class"``).
        targets: As in ``Split.targets``.
        odd: ``(n,)`` bool: there is something, but it is no label of this kind.
        raw: The values as text, for messages.
    """

    target: str
    classes: tuple[str, ...]
    labels: npt.NDArray[np.int64]
    targets: npt.NDArray[np.float32] | None
    odd: npt.NDArray[np.bool_]
    raw: Any

    @property
    def missing(self) -> npt.NDArray[np.bool_]:
        """``(n,)`` bool: no label at all."""
        if self.targets is None:
            return (self.labels < 0) & ~self.odd
        nothing = np.isnan(self.targets if self.targets.ndim == 1 else self.targets[:, :1].ravel())
        return nothing & ~self.odd


def read_labels(
    columns: Sequence[Any], mapping: DataMapping, feature: Feature | None, problems: ProblemList
) -> Labels:
    """The labels in ``columns``, as ``mapping.target`` says.

    Args:
        columns: One label column, or several of 0 and 1.
        mapping: Complete.
        feature: What the file says about the column.
        problems: Gets a note for class names that differ in case or spaces only.

    Raises:
        InputError: There are too many classes, or the column cannot hold such labels.
    """
    names = mapping.label if isinstance(mapping.label, tuple) else (str(mapping.label),)
    if mapping.target == "number":
        return _amounts(columns[0], names[0])
    if len(columns) > 1:
        return _flags(columns, names, mapping)
    if mapping.target == "multi-label":
        found = _several(columns[0], names[0], mapping, feature)
    else:
        found = _one(columns[0], names[0], mapping, feature)
    _note_alike(found.classes, problems)
    return found


def _amounts(column: Any, name: str) -> Labels:
    numbers, odd = as_numbers(column, name)
    none = np.full(len(numbers), -1, dtype=np.int64)
    return Labels("number", (), none, numbers.astype(np.float32), odd, column)


def _flags(columns: Sequence[Any], names: Sequence[str], mapping: DataMapping) -> Labels:
    given = mapping.class_names or {}
    numbers, odd = zip(
        *(as_numbers(column, name) for column, name in zip(columns, names, strict=True)), strict=True
    )
    targets = np.stack(numbers, axis=1).astype(np.float32)  # (n, C)
    no_flag = np.stack(odd, axis=1) | ~(np.isnan(targets) | np.isin(targets, (0, 1)))
    # Some columns empty and others not is a mistake of that row, not a row without labels.
    partly = np.isnan(targets).any(axis=1) & ~np.isnan(targets).all(axis=1)
    wrong = np.asarray(no_flag.any(axis=1) | partly)
    targets[wrong | np.isnan(targets).any(axis=1)] = np.nan
    classes = tuple(given.get(name, name) for name in names)
    none = np.full(len(targets), -1, dtype=np.int64)
    raw = pa.array([""] * len(targets), pa.large_string()) if wrong.any() else None
    return Labels("multi-label", classes, none, targets, wrong, raw)


def _one(column: Any, name: str, mapping: DataMapping, feature: Feature | None) -> Labels:
    text = as_text(column, name, feature)
    codes, values = _encoded(text, name)
    classes, moved = _classes(values, mapping, column=name)
    labels = moved[codes]
    return Labels("class", classes, labels, None, np.zeros(len(labels), dtype=bool), text)


def _several(column: Any, name: str, mapping: DataMapping, feature: Feature | None) -> Labels:
    lists = _lists(column, name, mapping)
    flat = pa.chunked_array(
        [pc.list_flatten(part) for part in lists.chunks] or [], type=lists.type.value_type
    )
    codes, values = _encoded(as_text(flat, name, feature), name)
    classes, moved = _classes(values, mapping, column=name)
    if not classes:
        raise InputError(f"Column '{shown(name)}' holds no labels.", remedy="Choose another label column.")
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False).astype(np.int64)
    rows = np.repeat(np.arange(len(lengths)), lengths)
    size = len(lengths) * len(classes) * 4
    if size > 1 << 30:
        raise InputError(
            f"Column '{shown(name)}' has {len(classes):,} classes in {len(lengths):,} rows, a table of "
            f"{size >> 20:,} MiB.",
            remedy="Choose a column with fewer classes.",
        )
    targets = np.zeros((len(lengths), len(classes)), dtype=np.float32)
    found = moved[codes]
    targets[rows[found >= 0], found[found >= 0]] = 1
    unlabelled = ~lists.is_valid().to_numpy(zero_copy_only=False).astype(bool)
    # A value that only says "no label" is not the empty set of labels.
    only_marks = (np.bincount(rows, minlength=len(lengths)) > 0) & (targets.sum(axis=1) == 0)
    targets[unlabelled | only_marks] = np.nan
    none = np.full(len(targets), -1, dtype=np.int64)
    return Labels("multi-label", classes, none, targets, np.zeros(len(targets), dtype=bool), None)


def _lists(column: Any, name: str, mapping: DataMapping) -> Any:
    """A column of lists, also from texts with separators or JSON lists."""
    kind = column.type
    if pa.types.is_fixed_size_list(kind):
        column = column.cast(pa.large_list(kind.value_type))
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        return column
    text = as_text(column, name)
    if mapping.separator:
        return pc.split_pattern(text, mapping.separator)
    parsed = [_json_list(value) for value in text.to_pylist()]
    return pa.chunked_array([pa.array(parsed, pa.large_list(pa.large_string()))])


def _json_list(value: str | None) -> list[str] | None:
    if not value:
        return None
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        found = value
    return [str(entry) for entry in found] if isinstance(found, list) else [str(value)]


def _encoded(text: Any, name: str) -> tuple[npt.NDArray[np.int64], list[str | None]]:
    """Codes of the values and the different values; a null's code is that of ``None``, the last."""
    encoded = text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text
    encoded = pc.dictionary_encode(encoded)
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    values = encoded.dictionary
    if len(values) > MAX_CLASSES:
        raise InputError(
            f"Column '{shown(name)}' has {len(values):,} different values; that many cannot be classes.",
            remedy="Choose another label column, or say that its target is a number.",
        )
    codes = pc.fill_null(encoded.indices, len(values)).to_numpy(zero_copy_only=False).astype(np.int64)
    return codes, [*values.to_pylist(), None]


def _classes(
    values: Sequence[str | None], mapping: DataMapping, *, column: str
) -> tuple[tuple[str, ...], npt.NDArray[np.int64]]:
    """Class names in order, and for each value its class (-1 = no label)."""
    given = mapping.class_names or {}
    unlabelled = {value.strip() for value in mapping.unlabelled} | {"nan", "NaN", "NAN"}
    if unused := sorted(set(given) - {value for value in values if value is not None}):
        raise InputError(
            f"Column '{shown(column)}' has no value {listed(unused)} to name as a class; it has: "
            f"{listed([value for value in values if value])}.",
            remedy="Take them out of class_names, or spell them as the file does.",
        )
    names = [
        None if value is None or value in unlabelled else given.get(value, value).strip() or None
        for value in values
    ]
    classes = in_class_order(name for name in names if name is not None)
    place = {name: number for number, name in enumerate(classes)}
    return classes, np.array([-1 if name is None else place[name] for name in names], dtype=np.int64)


def _note_alike(classes: Sequence[str], problems: ProblemList) -> None:
    """Note classes that look alike: nearly always one class written in two ways.

    macOS, for one, writes the accents of file names as signs of their own, so that "é" is not "é".
    """
    alike: dict[str, list[str]] = {}
    for name in classes:
        alike.setdefault(_seen(name), []).append(name)
    for names in alike.values():
        if len(names) > 1:
            spelled = ", ".join(f"'{shown(name, limit=40)}'" for name in names)
            problems.add(
                "similar classes",
                where=spelled,
                message="These class names differ by case, spaces or signs that cannot be seen only and are "
                "taken as different classes.",
                remedy="Give them one name in the class names, or correct the labels.",
            )


def _seen(name: str) -> str:
    """``name`` without what a reader does not see: case, spaces, invisible signs, how accents are written."""
    signs = unicodedata.normalize("NFC", name).casefold()
    return "".join(sign for sign in signs if not sign.isspace() and unicodedata.category(sign) != "Cf")
