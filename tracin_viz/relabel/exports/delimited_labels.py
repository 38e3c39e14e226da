"""Labels in CSV, also as a spreadsheet saved them again: semicolons, another encoding, flags in capitals."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from tracin_viz.data.encoding import TextFile, find_encoding
from tracin_viz.data.formats.columns import Feature, Sheet, WithoutPictures
from tracin_viz.data.formats.delimited import MAX_COLUMNS, check_size
from tracin_viz.data.problems import ProblemList, shown
from tracin_viz.errors import InputError
from tracin_viz.relabel.spreadsheet import original

_SIGNS = ",;\t|"
_PIECE = 1 << 20
#: Bytes that name columns, where a zero means another encoding.
_BEGINNING = 16
#: Bytes of one row.
_MAX_ROW = 1 << 26
#: Characters of the first line, which names the columns.
_MAX_HEADER = 1 << 20


class DelimitedLabels(WithoutPictures):
    """A CSV file of labels (a ``TableSource``); its first row names the columns.

    Not the reader of data: a text may be longer here than the csv module takes, and a row with another number
    of fields stops the import instead of being left out.

    Raises:
        InputError: It is too large, no text, or not built as CSV.
    """

    unit = "row"
    format = "CSV table"

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self.features: Mapping[str, Feature] = {}
        self._path = path
        file = TextFile.at(path)
        check_size(file)
        self._encoding = _encoding(file)
        with file.text(self._encoding) as stream:
            first = stream.readline(_MAX_HEADER)
        self._sign = max(_SIGNS, key=first.count)
        names = [original(name.strip()) for name in next(csv.reader([first], delimiter=self._sign), [])]
        if len(names) > MAX_COLUMNS or len(set(names)) != len(names):
            raise InputError(
                f"'{shown(self.name)}' has too many columns, or one twice.",
                remedy="Rename or remove it.",
            )
        self.names: Sequence[str] = names
        # Only our own files have the apostrophe that keeps a spreadsheet from running a cell.
        self._ours = {"given_label", "decisions"} <= set(names)

    def head(self) -> Sheet:
        """All rows: the file is small enough to be read at once."""
        return self.read(self.names, ProblemList())

    def read(self, wanted: Sequence[str], problems: ProblemList) -> Sheet:
        """All rows of those columns; a row's number is the one that a spreadsheet shows."""
        table = self._table()
        columns = {name: self._cells(table.column(name)) for name in wanted}
        return Sheet(columns, np.arange(table.num_rows, dtype=np.int64) + 2)

    def _cells(self, column: Any) -> Any:
        if not self._ours:
            return column
        return pc.if_else(pc.starts_with(column, "'"), pc.utf8_slice_codeunits(column, 1), column)

    def _table(self) -> Any:
        kinds = {name: pa.large_string() for name in self.names}
        try:
            return pacsv.read_csv(
                self._path,
                read_options=pacsv.ReadOptions(
                    column_names=list(self.names),
                    skip_rows=1,
                    block_size=_MAX_ROW,
                    encoding=self._encoding,
                    use_threads=False,
                ),
                parse_options=pacsv.ParseOptions(delimiter=self._sign, newlines_in_values=True),
                convert_options=pacsv.ConvertOptions(column_types=kinds, strings_can_be_null=False),
            )
        except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
            raise InputError(
                f"'{shown(self.name)}' cannot be read as CSV ({shown(error, limit=200)}).",
                remedy="Close every quote, give each row as many fields as the first. Nothing was imported.",
            ) from error


def _encoding(file: TextFile) -> str:
    """As in data; but zero signs may stand in texts of a file that is UTF-8, as they may in JSON."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with file.open() as stream:
        piece = stream.read(_PIECE)
        if b"\0" in piece[:_BEGINNING]:
            return find_encoding(file)
        try:
            while piece:
                decoder.decode(piece)
                piece = stream.read(_PIECE)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return find_encoding(file)
    return "utf-8-sig"
