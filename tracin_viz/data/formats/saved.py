"""Folders of ``datasets.save_to_disk``: Arrow files mapped into memory, read without that library."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tracin_viz.data.formats.columns import HEAD, Blobs, Feature, Sheet
from tracin_viz.data.formats.features import (
    check_rows,
    damaged,
    features_in,
    features_of,
    picture_columns,
)
from tracin_viz.data.formats.parquet import blob
from tracin_viz.data.problems import ProblemList, shown
from tracin_viz.data.splits import split_name
from tracin_viz.errors import InputError

#: Bytes of one of the small JSON files.
_MAX_JSON = 1 << 26
_AGAIN = "Save it again with save_to_disk."


def is_saved(folder: Path) -> bool:
    """Whether ``folder`` was written by ``save_to_disk`` (one data set, or several by split)."""
    return (folder / "dataset_dict.json").is_file() or (folder / "state.json").is_file()


def saved_sources(folder: Path) -> list[tuple[str, Saved]]:
    """The data sets in ``folder`` with the name of each one's split, empty where there is only one.

    Raises:
        InputError: A file is missing or damaged, or names something outside of the folder.
    """
    if not (folder / "dataset_dict.json").is_file():
        return [("", Saved(folder, folder.name))]
    splits = _json(folder / "dataset_dict.json").get("splits")
    if not isinstance(splits, list) or not splits:
        raise InputError(f"'{shown(folder.name)}' names no splits in dataset_dict.json.", remedy=_AGAIN)
    found = []
    for split in splits:
        name = split_name(split) if isinstance(split, str) else None
        if name is None or not (folder / split).is_dir():
            raise InputError(
                f"'{shown(folder.name)}' has no folder for its split '{shown(split)}'.", remedy=_AGAIN
            )
        found.append((name, Saved(folder / split, split)))
    return found


class Saved:
    """One saved data set (a ``TableSource``). Its columns stay in the files until they are used."""

    unit = "row"
    format = "folder of datasets.save_to_disk"

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self._table = _table(folder, _files(folder), name)
        self.names: Sequence[str] = list(self._table.column_names)
        if len(set(self.names)) != len(self.names):
            raise InputError(f"'{shown(name)}' has a column twice.", remedy=_AGAIN)
        info = folder / "dataset_info.json"
        described = features_in(_json(info).get("features")) if info.is_file() else {}
        features = {**features_of(self._table.schema), **described}
        self._pictures = set(picture_columns(self._table.schema, features))
        self.features: Mapping[str, Feature] = {
            **features,
            **{column: Feature(image=True) for column in self._pictures},
        }

    def head(self) -> Sheet:
        """The first rows."""
        return self._sheet(self.names, self._table.slice(0, HEAD))

    def read(self, wanted: Sequence[str], problems: ProblemList) -> Sheet:
        """All rows of those columns that hold no pictures."""
        return self._sheet(wanted, self._table)

    def blobs(self, column: str) -> Blobs:
        """The pictures in a column."""
        return _ArrowBlobs(self._table.column(column), self.name)

    def _sheet(self, wanted: Sequence[str], table: Any) -> Sheet:
        columns = {name: table.column(name) for name in wanted if name not in self._pictures}
        check_rows(columns, self.name)
        return Sheet(columns, np.arange(table.num_rows))


class _ArrowBlobs:
    """Pictures in mapped memory."""

    def __init__(self, column: Any, name: str) -> None:
        check_rows({name: column}, name)
        self._column = column
        self._name = name

    def __len__(self) -> int:
        return len(self._column)

    def read(self, row: int) -> bytes:
        """The bytes of one picture."""
        return blob(self._column[row], f"{self._name} row {row}")

    def names(self) -> Any:
        """The pictures' own file names, where they were written."""
        kind = self._column.type
        if not pa.types.is_struct(kind) or kind.get_field_index("path") < 0:
            return pa.nulls(len(self), pa.large_string())
        return pc.struct_field(self._column, "path").cast(pa.large_string())


def _files(folder: Path) -> list[Path]:
    """The Arrow files in their order."""
    listed = _json(folder / "state.json").get("_data_files")
    names = [entry.get("filename") if isinstance(entry, dict) else None for entry in listed or ()]
    if not names:
        raise InputError(f"'{shown(folder.name)}' names no data files in state.json.", remedy=_AGAIN)
    found = []
    for name in names:
        if not isinstance(name, str) or Path(name).name != name or (folder / name).is_symlink():
            raise InputError(
                f"state.json of '{shown(folder.name)}' names the data file '{shown(name)}', "
                "which is no plain file of that folder.",
                remedy=_AGAIN,
            )
        if not (folder / name).is_file():
            raise InputError(f"'{shown(folder.name)}' lacks its data file '{shown(name)}'.", remedy=_AGAIN)
        found.append(folder / name)
    return found


def _table(folder: Path, files: Sequence[Path], name: str) -> Any:
    tables = []
    for file in files:
        try:
            # Mapped, not read: memory grows only by what is looked at.
            tables.append(pa.ipc.open_stream(pa.memory_map(str(file))).read_all())
        except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
            raise damaged(f"{shown(name)}/{shown(file.name)}", error) from error
    try:
        return pa.concat_tables(tables)
    except (pa.ArrowException, ValueError) as error:
        raise damaged(shown(name), error) from error


def _json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MAX_JSON:
            raise ValueError("too large")
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"'{shown(path.name)}' cannot be read ({shown(error)}).", remedy=_AGAIN) from error
    if not isinstance(found, dict):
        raise InputError(f"'{shown(path.name)}' is no JSON object.", remedy=_AGAIN)
    return found
