"""JSON Lines (one object per line) and JSON arrays of objects, as columns of text or of lists."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from tracin_viz.data.encoding import TextFile, find_encoding
from tracin_viz.data.formats.columns import HEAD, Feature, Sheet, WithoutPictures
from tracin_viz.data.formats.delimited import MAX_COLUMNS, TOGETHER, check_size
from tracin_viz.data.problems import ProblemList, shown
from tracin_viz.errors import InputError

#: Characters of one line: an object on one line is an example, not a file.
MAX_LINE = 1 << 24
#: Bytes of a JSON array, which can only be read as a whole.
MAX_ARRAY = 1 << 28

_Row = tuple[int, dict[str, Any]]


class JsonLines(WithoutPictures):
    """Objects, one per line or in one array (a ``TableSource``); keys are columns, missing ones are empty.

    Raises:
        InputError: It is too large, no text, or nothing in it is a JSON object.
    """

    def __init__(self, file: TextFile, problems: ProblemList) -> None:
        check_size(file)
        self._file = file
        self._encoding = find_encoding(file, problems)
        self.name = file.name
        self.features: Mapping[str, Feature] = {}
        self._array = _begins_with_bracket(file, self._encoding)
        self.format = "JSON array" if self._array else "JSON Lines"
        self.unit = "entry" if self._array else "line"
        self._kept: list[_Row] | None = None
        found = dict.fromkeys(
            itertools.chain.from_iterable(row for _, row in itertools.islice(self._rows(None), HEAD))
        )
        if not found:
            raise InputError(
                f"'{shown(file.name)}' holds no JSON objects.",
                remedy='Write one object per line, such as {"text": "…", "label": "…"}.',
            )
        if len(found) > MAX_COLUMNS:
            raise InputError(
                f"'{shown(file.name)}' has {len(found):,} different keys; at most {MAX_COLUMNS:,}."
            )
        self.names: Sequence[str] = list(found)
        self._lists = {
            name
            for _, row in itertools.islice(self._rows(None), HEAD)
            for name, value in row.items()
            if isinstance(value, list)
        }

    def head(self) -> Sheet:
        """The first rows."""
        return self._sheet(self.names, itertools.islice(self._rows(None), HEAD))

    def read(self, wanted: Sequence[str], problems: ProblemList) -> Sheet:
        """All rows; lines that are no JSON object are left out and noted."""
        return self._sheet(wanted, self._rows(problems))

    def _sheet(self, wanted: Sequence[str], rows: Iterator[_Row]) -> Sheet:
        kinds = {
            name: pa.large_list(pa.large_string()) if name in self._lists else pa.large_string()
            for name in wanted
        }
        parts: dict[str, list[Any]] = {name: [] for name in wanted}
        numbers: list[np.ndarray[Any, np.dtype[np.int64]]] = []
        while some := list(itertools.islice(rows, TOGETHER)):
            numbers.append(np.array([number for number, _ in some], dtype=np.int64))
            for name in wanted:
                plain = _entries if name in self._lists else _text
                parts[name].append(pa.array([plain(row.get(name)) for _, row in some], kinds[name]))
        columns = {name: pa.chunked_array(part, kinds[name]) for name, part in parts.items()}
        return Sheet(columns, np.concatenate(numbers) if numbers else np.zeros(0, dtype=np.int64))

    def _rows(self, problems: ProblemList | None) -> Iterator[_Row]:
        if self._array:
            if self._kept is None:
                self._kept = list(self._entries_of_array())
            yield from self._kept
            return
        for number, line in self._lines():
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                row, why = None, f"is no JSON ({shown(error)})"
            else:
                why = "is no JSON object"
            if isinstance(row, dict):
                yield number, row
            elif problems is not None:
                problems.add(
                    "broken line",
                    where=f"{self.name} line {number}",
                    message=f"It {why}. The row was left out.",
                    remedy="Correct that line.",
                )

    def _lines(self) -> Iterator[tuple[int, str]]:
        with self._file.text(self._encoding, newline="\n") as text:
            for number in itertools.count(1):
                line = text.readline(MAX_LINE)
                if len(line) >= MAX_LINE:
                    raise InputError(
                        f"'{shown(self.name)}' line {number} has more than {MAX_LINE:,} characters.",
                        remedy="Write one object per line.",
                    )
                if not line:
                    return
                yield number, line

    def _entries_of_array(self) -> Iterator[_Row]:
        if self._file.size > MAX_ARRAY:
            raise InputError(
                f"'{shown(self.name)}' is one JSON array of more than {MAX_ARRAY >> 20} MiB.",
                remedy="Write it as JSON Lines: one object per line, without the brackets around.",
            )
        with self._file.text(self._encoding) as stream:
            text = stream.read()
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InputError(
                f"'{shown(self.name)}' is no JSON that can be read ({shown(error)}).",
                remedy="Correct that place, or write one object per line.",
            ) from error
        for number, row in enumerate(found if isinstance(found, list) else ()):
            if isinstance(row, dict):
                yield number, row


def _begins_with_bracket(file: TextFile, encoding: str) -> bool:
    with file.text(encoding) as text:
        return text.read(1024).lstrip().startswith("[")


def _text(value: Any) -> str | None:
    """A JSON value as a CSV file would have it."""
    if value is None or value != value:  # JSON as Python writes it has NaN
        return None
    if isinstance(value, str):
        # A lone half of a surrogate pair is valid in JSON and nowhere else.
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    try:
        return json.dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError):
        return None


def _entries(value: Any) -> list[str] | None:
    if value is None:
        return None
    values = value if isinstance(value, list) else [value]
    return [text for text in map(_text, values) if text is not None]
