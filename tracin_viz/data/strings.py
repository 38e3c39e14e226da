"""Millions of texts without a Python object for each: a list of strings over Arrow memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

#: Strings turned into Python objects at once when all are asked for.
_TOGETHER = 1 << 16


class Strings(Sequence[str]):
    """Some rows of a column of texts, by place; missing ones are empty.

    Args:
        column: A ``large_string`` array or chunked array.
        rows: ``(n,)`` rows of ``column``; ``None`` = all.
    """

    __hash__ = None  # type: ignore[assignment]  # as for lists, which they equal

    def __init__(self, column: Any, rows: npt.NDArray[np.int64] | None = None) -> None:
        self._column = column
        self._rows = rows

    def __len__(self) -> int:
        return len(self._column) if self._rows is None else len(self._rows)

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> list[str]: ...

    def __getitem__(self, place: int | slice) -> str | list[str]:
        if isinstance(place, slice):
            start, stop, step = place.indices(len(self))
            if step == 1:
                return self._some(start, max(start, stop))
            return [self[index] for index in range(start, stop, step)]
        count = len(self)
        if not -count <= place < count:
            raise IndexError(f"place {place} of {count} texts")
        place %= count
        return self._column[place if self._rows is None else int(self._rows[place])].as_py() or ""

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), _TOGETHER):
            yield from self._some(start, min(start + _TOGETHER, len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, str):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    def __repr__(self) -> str:
        return f"Strings({self[:3]!r}, {len(self)} in all)"

    def _some(self, start: int, stop: int) -> list[str]:
        if self._rows is None:
            part = self._column.slice(start, stop - start)
        else:
            part = pc.take(self._column, pa.array(self._rows[start:stop]))
        return [value or "" for value in part.to_pylist()]


def strings(values: Sequence[str]) -> Any:
    """An Arrow column of ``values``."""
    return pa.chunked_array([pa.array(values, type=pa.large_string())], type=pa.large_string())
