"""What the columns of a table look like, from its first rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from tracin_viz.data.files import ending
from tracin_viz.data.formats.columns import Feature, Sheet, as_numbers, as_text
from tracin_viz.data.images import SUFFIXES
from tracin_viz.data.problems import shown
from tracin_viz.errors import InputError

#: Values shown of each column, and characters of each.
SHOWN = 5
SHOWN_LENGTH = 80
#: Different values of each column that guesses look at.
DIFFERENT = 200
#: Share of values that may be no numbers in a column of numbers: mistakes, which are named when it is read.
ODD = 0.02
#: Columns that are described; of wider tables (numbers, as a rule) the rest is only counted.
DESCRIBED = 2000


@dataclass(frozen=True)
class Column:
    """One column, as its first rows show it.

    Attributes:
        name: As in the file.
        kind: ``"picture"`` (bytes), ``"image path"``, ``"list"``, ``"0/1"``, ``"whole number"``,
            ``"number"``, ``"category"`` (a few short texts), ``"text"``, ``"empty"`` or ``"other"``.
        values: The first few, as text.
        different: Different ones, up to ``DIFFERENT``.
        distinct: How many different ones there are.
        rows: How many rows have one.
        length: Mean number of characters.
        classes: Names that the file gives to the numbers in it.
    """

    name: str
    kind: str
    values: tuple[str, ...] = ()
    different: tuple[str, ...] = ()
    distinct: int = 0
    rows: int = 0
    length: float = 0.0
    classes: tuple[str, ...] = ()


def inspect_columns(head: Sheet, names: Sequence[str], features: Mapping[str, Feature]) -> list[Column]:
    """Each column of a table, in its order."""
    return [_column(head, name, features.get(name)) for name in names[:DESCRIBED]]


def is_image_name(value: str) -> bool:
    """Whether a text ends like the name of an image file."""
    return ending(value.strip()) in SUFFIXES


def _column(head: Sheet, name: str, feature: Feature | None) -> Column:
    classes = feature.classes if feature is not None else ()
    if name not in head.columns:
        return Column(name, "picture", rows=len(head))
    column = head.columns[name]
    if pa.types.is_nested(column.type):
        kind = "list" if _is_list(column.type) else "other"
        some = [shown(value, limit=SHOWN_LENGTH) for value in column.slice(0, SHOWN).to_pylist()]
        return Column(name, kind, tuple(some), rows=len(column) - column.null_count, classes=classes)
    try:
        texts = [value for value in as_text(column, name, feature).to_pylist() if value]
    except (InputError, pa.ArrowException):
        return Column(name, "other")
    values = tuple(shown(value, limit=SHOWN_LENGTH) for value in texts[:SHOWN])
    different = tuple(dict.fromkeys(texts))
    distinct = len(different)
    length = sum(map(len, texts)) / max(1, len(texts))
    kind = "category" if classes else _kind(column, name, texts, distinct, length)
    return Column(name, kind, values, different[:DIFFERENT], distinct, len(texts), length, classes)


def _kind(column: Any, name: str, texts: list[str], distinct: int, length: float) -> str:
    if not texts:
        return "empty"
    numbers, odd = as_numbers(column, name)
    if odd.mean() <= ODD:
        known = numbers[~np.isnan(numbers)]
        if known.size and np.isin(known, (0, 1)).all():
            return "0/1"
        if known.size:
            return "whole number" if (known == np.round(known)).all() else "number"
    if sum(map(is_image_name, texts)) > 0.8 * len(texts):
        return "image path"
    few = distinct <= max(10, len(texts) // 5)
    return "category" if (few and length <= 60) or length <= 3 else "text"


def _is_list(kind: Any) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))
