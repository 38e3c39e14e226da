"""Parquet files, also with the pictures in them: columns when asked for, pictures by row group."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tracin_viz.data.formats.columns import HEAD, Blobs, Feature, Sheet
from tracin_viz.data.formats.features import check_rows, damaged, features_of, picture_columns
from tracin_viz.data.problems import ProblemList, shown
from tracin_viz.errors import InputError

#: Bytes of all columns that are read at once, before they are unpacked into Arrow.
MAX_BYTES = 1 << 32
#: Bytes of pictures kept from row groups read last.
KEPT = 1 << 26
#: Bytes of one row group's pictures, which are unpacked together.
MAX_GROUP = 1 << 30

Value = TypeVar("Value")


class Parquet:
    """One Parquet file (a ``TableSource``).

    Args:
        where: Its path, or the file opened for reading bytes where it lies in an archive.
        name: For messages.

    Raises:
        InputError: It is no Parquet file, damaged, or has no columns or rows.
    """

    unit = "row"

    def __init__(self, where: Path | BinaryIO, name: str) -> None:
        self.name = name
        self.format = "Parquet table"
        self._file = self._guarded(lambda: pq.ParquetFile(where, memory_map=False))
        schema = self._guarded(lambda: self._file.schema_arrow)
        self.features: Mapping[str, Feature] = features_of(schema)
        if self.features:
            self.format = "Parquet table of datasets"
        self.names: Sequence[str] = list(schema.names)
        if len(set(self.names)) != len(self.names):
            raise InputError(f"'{shown(self.name)}' has a column twice.", remedy="Rename or remove one.")
        self._pictures = set(picture_columns(schema, self.features))
        for column in self._pictures:
            self.features = {**self.features, column: Feature(image=True)}

    def head(self) -> Sheet:
        """The first rows."""
        names = [name for name in self.names if name not in self._pictures]
        batches = self._file.iter_batches(batch_size=HEAD, columns=names, use_threads=False)
        first = self._guarded(lambda: next(batches, None))
        if first is None:
            return Sheet({name: pa.chunked_array([], pa.null()) for name in names}, np.zeros(0, np.int64))
        columns = {name: pa.chunked_array([first.column(name)]) for name in names}
        check_rows(columns, self.name)
        return Sheet(columns, np.arange(first.num_rows))

    def read(self, wanted: Sequence[str], problems: ProblemList) -> Sheet:
        """All rows of those columns that hold no pictures."""
        names = [name for name in wanted if name not in self._pictures]
        if (size := self._bytes(names)) > MAX_BYTES:
            raise InputError(
                f"Columns {', '.join(map(shown, names))} of '{shown(self.name)}' have {size >> 20:,} MiB, "
                f"at most {MAX_BYTES >> 20:,} MiB are read.",
                remedy="Choose fewer columns, or give a part of the file.",
            )
        table = self._guarded(lambda: self._file.read(columns=names, use_threads=False))
        columns = {name: table.column(name) for name in names}
        check_rows(columns, self.name)
        count = self._guarded(lambda: self._file.metadata.num_rows)
        return Sheet(columns, np.arange(count))

    def blobs(self, column: str) -> Blobs:
        """The pictures in a column."""
        return _ParquetBlobs(self._file, column, self.name)

    def _bytes(self, names: Sequence[str]) -> int:
        meta = self._file.metadata
        wanted = set(names)
        total = 0
        for group in range(meta.num_row_groups):
            for place in range(meta.num_columns):
                part = meta.row_group(group).column(place)
                if part.path_in_schema.split(".")[0] in wanted:
                    total += max(0, part.total_uncompressed_size)
        return total

    def _guarded(self, read: Callable[[], Value]) -> Value:
        try:
            return read()
        except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
            raise damaged(shown(self.name), error) from error


class _ParquetBlobs:
    """Pictures by row; the row groups read last are kept, so that reading in order unpacks each once."""

    def __init__(self, file: Any, column: str, name: str) -> None:
        self._file = file
        self._column = column
        self._name = name
        meta = file.metadata
        counts = [meta.row_group(group).num_rows for group in range(meta.num_row_groups)]
        self._starts = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
        self._kept: OrderedDict[int, Any] = OrderedDict()
        # A ParquetFile is not safe in several threads, and unpacking one group twice at once gains nothing.
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return int(self._starts[-1])

    def read(self, row: int) -> bytes:
        """The bytes of one picture."""
        group = int(np.searchsorted(self._starts, row, side="right")) - 1
        with self._lock:
            if group not in self._kept:
                self._kept[group] = self._unpacked(group)
                while len(self._kept) > 1 and sum(part.nbytes for part in self._kept.values()) > KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(group)
            part = self._kept[group]
        return blob(part[row - int(self._starts[group])], f"{self._name} row {row}")

    def names(self) -> Any:
        """The pictures' own file names, where they were written."""
        if not pa.types.is_struct(self._file.schema_arrow.field(self._column).type):
            return pa.nulls(len(self), pa.large_string())
        try:
            table = self._file.read(columns=[f"{self._column}.path"], use_threads=False)
            found = pc.struct_field(table.column(0), "path") if table.num_columns else None
            if found is None:
                return pa.nulls(len(self), pa.large_string())
            check_rows({"path": found}, self._name)
            return found.cast(pa.large_string())
        except (pa.ArrowException, OSError, ValueError) as error:
            raise damaged(shown(self._name), error) from error

    def _unpacked(self, group: int) -> Any:
        meta = self._file.metadata.row_group(group)
        parts = [meta.column(place) for place in range(meta.num_columns)]
        size = sum(
            part.total_uncompressed_size
            for part in parts
            if part.path_in_schema.split(".")[0] == self._column
        )
        if size > MAX_GROUP:
            raise InputError(
                f"'{shown(self._name)}' keeps {size >> 20:,} MiB of pictures in one row group.",
                remedy="Write it again with row groups of about 100 rows (row_group_size=100).",
            )
        try:
            column = self._file.read_row_group(group, columns=[self._column], use_threads=False).column(0)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise damaged(shown(self._name), error) from error
        check_rows({self._column: column}, self._name)
        return column


def blob(value: Any, where: str) -> bytes:
    """The bytes in an Arrow scalar of a picture: binary, or a structure with ``bytes``.

    Raises:
        InputError: There are none.
    """
    found = value.as_py()
    if isinstance(found, dict):
        path = found.get("path")
        found = found.get("bytes")
        if not found and path:
            raise InputError(
                f"The picture of {shown(where)} is not in the table, only its path '{shown(path)}'.",
                remedy="Write the table with the pictures in it (datasets: embed_external_files=True).",
            )
    if not found:
        raise InputError(
            f"{shown(where)} has no picture.", remedy="Take the row out, or put a picture there."
        )
    return bytes(found)
