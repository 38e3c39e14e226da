"""CSV and TSV files as columns of text."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from tracin_viz.data.encoding import TextFile, find_encoding
from tracin_viz.data.formats.columns import HEAD, Feature, Sheet, WithoutPictures
from tracin_viz.data.problems import ProblemList, shown
from tracin_viz.errors import InputError

#: Bytes of a text table; its texts are kept in memory.
MAX_BYTES = 1 << 31
#: Characters of one field; the csv module's own limit, which also stops a quote that is never closed.
MAX_FIELD = 131_072
#: Columns of a table.
MAX_COLUMNS = 20_000
#: Rows turned into Arrow at once, so that only these exist as Python objects.
TOGETHER = 1 << 15
_FORMATS = {
    ",": "CSV table",
    ";": "CSV table with semicolons",
    "\t": "TSV table",
    "|": "CSV table with bars",
}


class Delimited(WithoutPictures):
    """A file of rows with separators, the first row naming the columns (a ``TableSource``).

    Args:
        file: The file.
        problems: Gets a note where the encoding had to be guessed.

    Raises:
        InputError: It is too large, no text, has no column names, or names one twice.
    """

    unit = "line"

    def __init__(self, file: TextFile, problems: ProblemList) -> None:
        check_size(file)
        self._file = file
        self._encoding = find_encoding(file, problems)
        self.name = file.name
        self.features: Mapping[str, Feature] = {}
        self._sign = self._separator()
        self.format = kind = _FORMATS[self._sign]
        if self._encoding not in ("utf-8", "utf-8-sig"):
            shown_as = "Windows-1252" if self._encoding == "cp1252" else self._encoding.upper()
            self.format = f"{kind} in the encoding {shown_as}"
        header = next(self._records(), (1, []))[1]
        self._width = len(header)
        self.names: Sequence[str] = _column_names(header, file.name)

    def head(self) -> Sheet:
        """The first rows that have as many fields as the header."""
        return self._sheet(self.names, itertools.islice(self._rows(None), HEAD))

    def read(self, wanted: Sequence[str], problems: ProblemList) -> Sheet:
        """All rows; those with another number of fields are left out and noted."""
        return self._sheet(wanted, self._rows(problems))

    def _rows(self, problems: ProblemList | None) -> Iterator[tuple[int, list[str]]]:
        records = self._records()
        next(records, None)
        for line, record in records:
            if len(record) == self._width:
                yield line, record
            elif record and problems is not None:  # a blank line is no row
                problems.add(
                    "ragged row",
                    where=f"{self.name} line {line}",
                    message=f"It has {len(record)} fields, not {self._width}. The row was left out.",
                    remedy="Correct that line.",
                )

    def _sheet(self, wanted: Sequence[str], rows: Iterator[tuple[int, list[str]]]) -> Sheet:
        places = [self.names.index(name) for name in wanted]
        parts: list[list[Any]] = [[] for _ in wanted]
        numbers: list[np.ndarray[Any, np.dtype[np.int64]]] = []
        while some := list(itertools.islice(rows, TOGETHER)):
            numbers.append(np.array([line for line, _ in some], dtype=np.int64))
            for part, place in zip(parts, places, strict=True):
                part.append(pa.array([record[place] for _, record in some], pa.large_string()))
        columns = {
            name: pa.chunked_array(part, pa.large_string()) for name, part in zip(wanted, parts, strict=True)
        }
        return Sheet(columns, np.concatenate(numbers) if numbers else np.zeros(0, dtype=np.int64))

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        """Each record with the line it begins on."""
        with self._file.text(self._encoding) as text:
            reader = csv.reader(text, strict=True, delimiter=self._sign)
            line = 1
            try:
                for record in reader:
                    yield line, record
                    line = reader.line_num + 1
            except csv.Error as error:
                raise InputError(
                    f"'{shown(self.name)}' cannot be read from line {line} on ({shown(error)}).",
                    remedy="Close every quote, double the quotes inside a quoted text, and keep a text below "
                    f"{MAX_FIELD:,} characters.",
                ) from error

    def _separator(self) -> str:
        """The sign that makes most columns of the first line; a comma where all are equal."""
        with self._file.text(self._encoding) as text:
            first = text.readline(MAX_FIELD)
        if self.name.lower().endswith((".tsv", ".tab")):
            return "\t"
        return max(_FORMATS, key=lambda sign: _fields(first, sign))


def check_size(file: TextFile) -> None:
    """Refuse a text table that would not fit in memory."""
    if file.size > MAX_BYTES:
        raise InputError(
            f"'{shown(file.name)}' has more than {MAX_BYTES >> 30} GiB.",
            remedy="Give a part of it, or write it as Parquet.",
        )


def _fields(line: str, sign: str) -> int:
    try:
        return len(next(csv.reader([line], delimiter=sign), []))
    except csv.Error:
        return 0


def _column_names(header: list[str], name: str) -> list[str]:
    if len(header) > MAX_COLUMNS:
        raise InputError(
            f"'{shown(name)}' has {len(header):,} columns; at most {MAX_COLUMNS:,} are read.",
            remedy="Put one example in each row.",
        )
    if not any(entry.strip() for entry in header):
        raise InputError(
            f"'{shown(name)}' has no column names; its first line is empty.",
            remedy="The first line must name the columns, such as text,label,split.",
        )
    names = [entry.strip() or f"column {place}" for place, entry in enumerate(header, start=1)]
    doubled = (
        [entry for entry in dict.fromkeys(names) if names.count(entry) > 1]
        if len(set(names)) < len(names)
        else []
    )
    if doubled:
        raise InputError(
            f"'{shown(name)}' has the column {shown(doubled[0])} twice.", remedy="Rename or remove one."
        )
    return names
