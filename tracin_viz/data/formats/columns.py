"""Tables of every format in one shape: Arrow columns, what is known about them, and where each row is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tracin_viz.data.problems import ProblemList, shown
from tracin_viz.errors import InputError

#: Rows that guesses are made from.
HEAD = 1000
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_NO_NUMBER = ("", "na", "n/a", "nan", "none", "null", "?")


@dataclass(frozen=True)
class Feature:
    """What a Hugging Face file says about a column.

    Attributes:
        image: It holds pictures.
        classes: Names of the numbers in it, or in its lists.
    """

    image: bool = False
    classes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """Rows of a table.

    Attributes:
        columns: By name, all of one length; columns of pictures are left out (see ``TableSource.blobs``).
        numbers: ``(n,)`` int64: the line each row begins on, or its number.
    """

    columns: Mapping[str, Any]
    numbers: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.numbers)


class Blobs(Protocol):
    """The pictures of a table, stored in the table itself. Reading is safe from several threads."""

    def __len__(self) -> int: ...

    def read(self, row: int) -> bytes:
        """The bytes of one picture's file.

        Raises:
            InputError: There are none.
        """

    def names(self) -> Any:
        """A ``large_string`` column with the file name of each, where it has one."""


class TableSource(Protocol):
    """One file (or several that continue each other) with rows in columns.

    Attributes:
        name: Of the file, for messages.
        format: What it is, in plain words.
        unit: What a row's number counts, ``"line"`` or ``"row"``.
        names: Of all columns.
        features: What is known about some of them.
    """

    name: str
    format: str
    unit: str
    names: Sequence[str]
    features: Mapping[str, Feature]

    def head(self) -> Sheet:
        """The first ``HEAD`` usable rows."""

    def read(self, wanted: Sequence[str], problems: ProblemList) -> Sheet:
        """All usable rows of the columns ``wanted``."""

    def blobs(self, column: str) -> Blobs:
        """The pictures in a column, one for each row of ``read``."""


class WithoutPictures:
    """A source that is a text file: none of its columns holds pictures."""

    name: str

    def blobs(self, column: str) -> Blobs:
        """A text file stores no pictures.

        Raises:
            InputError: Always.
        """
        raise InputError(f"Column '{shown(column)}' of '{shown(self.name)}' holds no image bytes.")


@dataclass
class Places:
    """Where each row of several tables together is, in words.

    Attributes:
        names: Of the files.
        units: What their numbers count.
        starts: First row of each.
        numbers: ``(n,)`` number of each row within its file.
    """

    names: list[str] = field(default_factory=list)
    units: list[str] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    numbers: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def add(self, source: TableSource, sheet: Sheet) -> None:
        """The rows of ``sheet`` come next."""
        self.names.append(source.name)
        self.units.append(source.unit)
        self.starts.append(len(self.numbers))
        self.numbers = np.concatenate([self.numbers, sheet.numbers])

    def __call__(self, row: int) -> str:
        """File and number of ``row``."""
        place = int(np.searchsorted(self.starts, row, side="right")) - 1
        return f"{self.names[place]} {self.units[place]} {self.numbers[row]}"


def as_text(column: Any, name: str, feature: Feature | None = None) -> Any:
    """A column as ``large_string``, without spaces around; missing values are null.

    Whole numbers keep their plain form also where a missing value made them fractions (``1.0`` is "1").

    Raises:
        InputError: It holds lists, structures or bytes.
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if feature is not None and feature.classes and pa.types.is_integer(kind):
        return _named(column, feature.classes)
    if pa.types.is_floating(kind):
        column = pc.if_else(pc.is_finite(column), column, pa.scalar(None, kind))
        if (
            pc.all(pc.equal(column, pc.round(column))).as_py()
            and (pc.max(pc.abs(column)).as_py() or 0) < 1e15
        ):
            column = column.cast(pa.int64())
    elif pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        raise InputError(
            f"Column '{shown(name)}' holds {shown(kind)}, not single values.",
            remedy="Choose another column.",
        )
    return pc.utf8_trim_whitespace(column.cast(pa.large_string()))


def as_content(column: Any, name: str) -> Any:
    """A column of texts as it is, as ``large_string``; spaces belong to a text."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return column.cast(pa.large_string())
    return as_text(column, name)


def as_numbers(column: Any, name: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """A column as numbers.

    Returns:
        ``(n,)`` float64, NaN where there is none; and ``(n,)`` bool, true where there is something else.

    Raises:
        InputError: It holds lists, structures or bytes.
    """
    kind = column.type
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind):
        values = column.cast(pa.uint8()) if pa.types.is_boolean(kind) else column
        numbers = values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False).astype(np.float64)
        infinite = np.isinf(numbers)
        return np.where(infinite, np.nan, numbers), infinite
    text = as_text(column, name)
    known = pc.fill_null(pc.match_substring_regex(text, _NUMBER), False)
    clean = pc.replace_substring(pc.if_else(known, text, pa.scalar(None, pa.large_string())), "+", "")
    numbers = clean.cast(pa.float64()).to_numpy(zero_copy_only=False).astype(np.float64)
    missing = pc.is_in(
        pc.utf8_lower(pc.fill_null(text, "")), value_set=pa.array(_NO_NUMBER, pa.large_string())
    )
    odd = ~known.to_numpy(zero_copy_only=False) & ~missing.to_numpy(zero_copy_only=False)
    infinite = np.isinf(numbers)  # 1e999 is written like a number
    return np.where(infinite, np.nan, numbers), odd.astype(bool) | infinite


def _named(column: Any, classes: tuple[str, ...]) -> Any:
    """Class numbers as class names; a number without a name (-1 by convention) is no label."""
    known = pc.and_(pc.greater_equal(column, 0), pc.less(column, len(classes)))
    places = pc.if_else(known, column, pa.scalar(None, column.type)).cast(pa.int64())
    names = pa.array(classes, pa.large_string())
    return pc.utf8_trim_whitespace(pc.take(names, places))
