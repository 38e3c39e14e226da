"""Tables of any format as a data set: texts, pictures by path or in the table, or rows of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tracin_viz.data.contents import Rows
from tracin_viz.data.dataset import Dataset, listed
from tracin_viz.data.files import Files
from tracin_viz.data.formats.candidates import Candidates, finish
from tracin_viz.data.formats.columns import Feature, Places, Sheet, TableSource, as_text
from tracin_viz.data.formats.guessing import Roles, guess
from tracin_viz.data.formats.inspection import Column, inspect_columns
from tracin_viz.data.formats.row_contents import Part, RowContents, row_contents
from tracin_viz.data.mapping import DataMapping
from tracin_viz.data.problems import ProblemList, shown
from tracin_viz.data.splits import TRAIN, known_split, split_name
from tracin_viz.data.strings import strings
from tracin_viz.errors import InputError

_REMEDIES = {
    "one class": "Give at least two different values in the label column, or choose another column.",
    "no train": "Write 'train' in the split column of the training rows, or call their file train.",
}


@dataclass(frozen=True)
class TableFiles:
    """Where a table's pictures are.

    Attributes:
        files: Files that its paths name; ``None`` where there can be none.
        verify: Whether to look for broken pictures.
        kind: What the files are, where they were opened before the tables.
    """

    files: Files | None
    verify: bool
    kind: str = ""


def open_tables(
    parts: Sequence[Part], path: Path, *, mapping: DataMapping, where: TableFiles, problems: ProblemList
) -> Dataset:
    """The data set in one or several tables.

    An example's row is its place among the usable rows of its split, in file order. Rows that cannot be used
    are left out, each with a problem that names its line.

    Args:
        parts: The tables; columns are guessed from the one with the training examples.
        path: What was opened.
        mapping: What the user chose.
        where: The pictures that the tables name.
        problems: Gets one for each row that is left out.

    Raises:
        InputError: No column can be the content or the label, or no row is usable.
    """
    first = next((part for part in parts if part.split == TRAIN), parts[0]).source
    columns = inspect_columns(first.head(), first.names, first.features)
    roles = guess(columns, mapping, name=first.name)
    mapping = roles.mapping
    if mapping.label is None and roles.content != "path":
        raise _no_label(columns, first.name)
    sheets = [_read(part, roles, problems) for part in parts]
    places = Places()
    for part, sheet in zip(parts, sheets, strict=True):
        places.add(part.source, sheet)
    contents = row_contents(
        parts, sheets, roles, files=where.files, verify=where.verify, place=places, problems=problems
    )
    if not len(contents.rows):
        raise InputError(
            f"'{shown(path.name)}' has no row with a {_word(roles)} and a label.",
            remedy="Choose other columns; the problems name each row.",
            problems=problems.as_tuple(),
        )
    names, splits, usable = _splits(parts, sheets, mapping, contents, places, problems)
    rows = contents.rows[usable]
    found = Candidates(
        contents=contents.contents,
        rows=rows,
        place=contents.place or places,
        labels=_labels(parts, sheets, roles, contents, rows),
        split_names=names,
        splits=splits[usable],
        mapping=mapping,
        format=_format(parts, where.kind),
        columns=_described(columns, mapping, first),
        feature=_feature(first, mapping),
        remedies=_REMEDIES,
    )
    return finish(found, path, problems)


def _read(part: Part, roles: Roles, problems: ProblemList) -> Sheet:
    """The columns that are needed, of one table; a query table may lack labels."""
    mapping = roles.mapping
    content = mapping.content if isinstance(mapping.content, tuple) else (str(mapping.content),)
    if missing := [name for name in content if name not in part.source.names]:
        raise InputError(
            f"'{shown(part.source.name)}' has no column {listed(missing)}; it has: "
            f"{listed(list(part.source.names))}.",
            remedy="Name its columns as those of the training table.",
        )
    labels = mapping.label if isinstance(mapping.label, tuple) else (mapping.label,)
    wanted = dict.fromkeys([*content, *(name for name in (*labels, mapping.split) if name is not None)])
    return part.source.read([name for name in wanted if name in part.source.names], problems)


def _labels(
    parts: Sequence[Part], sheets: Sequence[Sheet], roles: Roles, contents: RowContents, rows: Rows
) -> list[Any]:
    """The label columns of ``rows``, one over all tables each; without any, the folders of the images."""
    mapping = roles.mapping
    if mapping.label is None:
        folders = (PurePosixPath(contents.place(row)).parent.name for row in rows.tolist() if contents.place)
        return [strings(["" if known_split(folder) else folder for folder in folders])]
    names = mapping.label if isinstance(mapping.label, tuple) else (mapping.label,)
    return [pc.take(_joined(parts, sheets, name), pa.array(rows)) for name in names]


def _joined(parts: Sequence[Part], sheets: Sequence[Sheet], name: str) -> Any:
    """One column over all tables; null where a table lacks it."""
    kinds = {sheet.columns[name].type for sheet in sheets if name in sheet.columns}
    numbered = any(
        (feature := part.source.features.get(name)) is not None and feature.classes for part in parts
    )
    nested = any(pa.types.is_nested(kind) for kind in kinds)
    if len(kinds) == 1 and (nested or not numbered):
        kind = kinds.pop()
        columns = [
            sheet.columns[name] if name in sheet.columns else pa.chunked_array([pa.nulls(len(sheet), kind)])
            for sheet in sheets
        ]
    else:
        kind = pa.large_string()
        columns = [
            as_text(sheet.columns[name], name, part.source.features.get(name)).cast(kind)
            if name in sheet.columns
            else pa.chunked_array([pa.nulls(len(sheet), kind)])
            for part, sheet in zip(parts, sheets, strict=True)
        ]
    chunks = [
        chunk
        for column in columns
        for chunk in (column.chunks if isinstance(column, pa.ChunkedArray) else [column])
    ]
    return pa.chunked_array(chunks, type=kind)


def _splits(
    parts: Sequence[Part],
    sheets: Sequence[Sheet],
    mapping: DataMapping,
    contents: RowContents,
    places: Places,
    problems: ProblemList,
) -> tuple[list[str], npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Names of the splits, the split of each usable row, and which of these rows have one."""
    if contents.split_names:
        return contents.split_names, contents.splits, np.ones(len(contents.rows), dtype=bool)
    by_file = [part.split for part in parts]
    if any(by_file):
        names = list(dict.fromkeys(by_file))
        lengths = [len(sheet) for sheet in sheets]
        codes = np.repeat([names.index(split) for split in by_file], lengths).astype(np.int64)
        return names, codes[contents.rows], np.ones(len(contents.rows), dtype=bool)
    if mapping.split is None:
        return [], np.zeros(len(contents.rows), dtype=np.int64), np.ones(len(contents.rows), dtype=bool)
    column = pc.take(as_text(_joined(parts, sheets, mapping.split), mapping.split), pa.array(contents.rows))
    encoded = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    encoded = pc.dictionary_encode(pc.fill_null(encoded, ""))
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    values = encoded.dictionary.to_pylist()
    called = [split_name(value) for value in values]
    names = list(dict.fromkeys(name for name in called if name is not None))
    moved = np.array([-1 if name is None else names.index(name) for name in called], dtype=np.int64)
    raw = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    codes = moved[raw]
    for row in np.flatnonzero(codes < 0).tolist():
        problems.add(
            "split name",
            where=places(int(contents.rows[row])),
            message=f"'{shown(values[raw[row]])}' cannot name a split. The row was left out.",
            remedy="Correct that line.",
        )
    return names or [TRAIN], np.maximum(codes, 0), codes >= 0


def _described(
    columns: Sequence[Column], mapping: DataMapping, source: TableSource
) -> tuple[dict[str, Any], ...]:
    roles = {mapping.split: "split"}
    for role, value in (("content", mapping.content), ("label", mapping.label)):
        for name in value if isinstance(value, tuple) else (value,):
            roles[name] = role
    return tuple(
        {
            "name": column.name,
            "kind": column.kind,
            "role": roles.get(column.name, ""),
            "values": list(column.values),
        }
        for column in columns
    )


def _feature(source: TableSource, mapping: DataMapping) -> Feature | None:
    return source.features.get(mapping.label) if isinstance(mapping.label, str) else None


def _format(parts: Sequence[Part], files: str) -> str:
    kinds = list(dict.fromkeys(part.source.format for part in parts))
    text = ", ".join(kinds) if len(parts) == 1 else f"{len(parts)} × {', '.join(kinds)}"
    return f"{files} with {text}" if files else text


def _word(roles: Roles) -> str:
    return {"text": "text", "features": "value"}.get(roles.content, "picture")


def _no_label(columns: Sequence[Column], name: str) -> InputError:
    return InputError(
        f"'{shown(name)}' has no column label, and none that looks like one; it has: "
        f"{listed([column.name for column in columns])}.",
        remedy="Name a column label, or choose one.",
    )
