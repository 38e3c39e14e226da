"""JSON of very many small rows, put together from the texts of their cells.

``json.dumps`` makes a new encoder at each call, which takes longer than a row itself. What comes out here is
what it would write with ``ensure_ascii=False, allow_nan=False``; a test holds the two against each other.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from json.encoder import encode_basestring
from typing import Any

#: A text as a JSON string, characters outside ASCII as they are.
quoted = encode_basestring


def objects(columns: Mapping[str, Sequence[Any]]) -> Iterator[str]:
    """Each row as a JSON object of texts, flags and numbers; NaN and ``None`` are null.

    Args:
        columns: By name, equally long, each of values of one kind.

    Raises:
        ValueError: A number is infinite.
    """
    names = (quoted(str(name)).replace("%", "%%") for name in columns)
    row = "{" + ", ".join(f"{name}: %s" for name in names) + "}"
    for values in zip(*(_cells(values) for values in columns.values()), strict=True):
        yield row % values


def _cells(values: Sequence[Any]) -> list[str]:
    if all(type(value) is str for value in values):
        return [quoted(value) for value in values]
    return [_cell(value) for value in values]


def _cell(value: object) -> str:
    if value is None or value != value:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"JSON has no number {value}.")
    return quoted(value) if isinstance(value, str) else repr(value)
