"""Files of labels in any of the export formats, as columns of text.

They come from outside like data do, so they are read by the bounded readers of ``data``: nothing is
unpickled, unpacked or followed, and what is too large is refused before it is read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tracin_viz.data.encoding import TextFile
from tracin_viz.data.formats.columns import Places, TableSource
from tracin_viz.data.formats.json_lines import JsonLines
from tracin_viz.data.formats.parquet import Parquet
from tracin_viz.data.formats.saved import is_saved, saved_sources
from tracin_viz.data.problems import ProblemList, shown
from tracin_viz.errors import InputError
from tracin_viz.relabel.exports.delimited_labels import DelimitedLabels
from tracin_viz.relabel.exports.pictures import LABELS, METADATA

#: Columns that an import looks at; a file may have any others.
WANTED = (
    *("id", "source", "given_label", "label", "corrected_label", "action", "excluded", "needs_review"),
    *(
        "annotator",
        "decided_at",
        "note",
        "suggested_label",
        "decisions",
        "data",
        "annotations",
        "completions",
    ),
)
#: Rows of one file; an audit has at most some millions of examples.
MAX_ROWS = 20_000_000
_REMEDY = "Give a file or folder that an export wrote: CSV, JSONL, Parquet, Label Studio's JSON, or a folder."


@dataclass(frozen=True)
class LabelFile:
    """The rows of a file.

    Attributes:
        path: What was read.
        format: What it is, in plain words.
        columns: Those of ``WANTED`` that it has, as text, missing values empty.
        place: Where a row is, in words.
    """

    path: Path
    format: str
    columns: dict[str, list[str]]
    place: Callable[[int], str]

    def __len__(self) -> int:
        return max((len(column) for column in self.columns.values()), default=0)

    def column(self, name: str) -> list[str]:
        """A column; empty texts where the file has none."""
        return self.columns.get(name) or [""] * len(self)


def read_labels(path: Path) -> LabelFile:
    """The labels in a file or folder, of whatever export format it is.

    Raises:
        InputError: It is none, is damaged or too large; ``problems`` names single lines.
    """
    problems = ProblemList()
    try:
        sources = _sources(path, problems)
        places = Places()
        tables = []
        for source in sources:
            sheet = source.read([name for name in source.names if name in WANTED], problems)
            places.add(source, sheet)
            tables.append({name: _texts(column, name) for name, column in sheet.columns.items()})
    except OSError as error:
        raise InputError(f"'{shown(path)}' cannot be read: {error.strerror or error}.") from error
    # A line that was left out is a decision lost: here, unlike in data, nothing may be skipped.
    if found := problems.as_tuple():
        raise InputError(
            f"'{shown(path.name)}' has lines that cannot be read: {found[0].where}. {found[0].message}",
            remedy="Correct them; nothing was imported.",
            problems=found,
        )
    if len(places.numbers) > MAX_ROWS:
        raise _too_many(path)
    names = dict.fromkeys(name for table in tables for name in table)
    lengths = np.diff([*places.starts, len(places.numbers)]).tolist()
    columns = {
        name: [
            value
            for table, length in zip(tables, lengths, strict=True)
            for value in table.get(name, [""] * length)
        ]
        for name in names
    }
    return LabelFile(path, sources[0].format, columns, places)


def _sources(path: Path, problems: ProblemList) -> Sequence[TableSource]:
    if not path.exists():
        raise InputError(f"There is no file or folder '{shown(path, limit=300)}'.", remedy="Check the path.")
    if path.is_dir():
        return _in_folder(path, problems)
    kind = path.suffix.lower()
    if kind in (".csv", ".tsv", ".tab", ".txt"):
        return [DelimitedLabels(path)]
    if kind in (".jsonl", ".ndjson", ".json"):
        return [JsonLines(TextFile.at(path), problems)]
    if kind in (".parquet", ".pq"):
        return [_parquet(path)]
    raise InputError(f"'{shown(path.name)}' is no file of labels that is known.", remedy=_REMEDY)


def _in_folder(path: Path, problems: ProblemList) -> Sequence[TableSource]:
    if is_saved(path):
        return [source for _, source in saved_sources(path)]
    for name in (LABELS, f"train/{METADATA}", METADATA):
        if (path / name).is_file():
            return [JsonLines(TextFile.at(path / name, name), problems)]
    raise InputError(f"The folder '{shown(path.name)}' holds no export of labels.", remedy=_REMEDY)


def _parquet(path: Path) -> Parquet:
    source = Parquet(path, path.name)
    # A column of equal values takes no room in the file and all of it in memory.
    if pq.read_metadata(path).num_rows > MAX_ROWS:
        raise _too_many(path)
    return source


def _too_many(path: Path) -> InputError:
    return InputError(
        f"'{shown(path.name)}' has more than {MAX_ROWS:,} rows.", remedy="Give the labels of one audit."
    )


def _texts(column: Any, name: str) -> list[str]:
    """A column as text: flags as true and false, lists and objects as JSON, missing values empty."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return [value or "" for value in column.to_pylist()]
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_temporal(kind):
        raise InputError(
            f"Column '{shown(name)}' holds {shown(kind)}, not text.",
            remedy="Write it as text; times as ISO 8601.",
        )
    if pa.types.is_large_list(kind) and pa.types.is_large_string(kind.value_type):
        # Lists of a JSON file: each entry is JSON, or a text.
        return ["" if value is None else f"[{', '.join(map(_entry, value))}]" for value in column.to_pylist()]
    return ["" if value is None else json.dumps(value, default=str) for value in column.to_pylist()]


def _entry(text: str) -> str:
    return text if text.startswith(("{", "[")) else json.dumps(text, ensure_ascii=False)
