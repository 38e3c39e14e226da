"""CSV that a spreadsheet program can open without running anything.

Excel, LibreOffice and Google Sheets take a cell that begins with = + - @ (or with a tab or line break before
them) for a formula, which can call out to other programs and addresses. Such text gets an apostrophe in
front, and so does text that begins with an apostrophe, so that reading can take exactly one away again.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from tracin_viz.errors import InputError

#: Full-width forms too: some programs read them as the plain ones.
_RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "'")


def neutral(text: str) -> str:
    """The text as a cell that no spreadsheet runs; ``original`` is the way back."""
    return f"'{text}" if text.startswith(_RISKY) else text


def original(cell: str) -> str:
    """The text that ``neutral`` made this cell of."""
    return cell[1:] if cell.startswith("'") else cell


def csv_text(frame: pd.DataFrame) -> str:
    """The frame as CSV with a header line; numbers in full precision, flags as true and false."""
    stream = io.StringIO(newline="")
    # RFC 4180 line ends; the writer quotes a lone carriage return only when it is part of the line end.
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(frame.columns)
    columns = [[_cell(value) for value in frame[name].tolist()] for name in frame.columns]
    writer.writerows(zip(*columns, strict=True))
    return stream.getvalue()


def read_csv(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """The named columns of a CSV file written by ``csv_text``, as text.

    Raises:
        InputError: The file cannot be read as CSV or lacks a column.
    """
    try:
        frame = pd.read_csv(
            path, dtype=str, keep_default_na=False, na_filter=False, encoding="utf-8", lineterminator=None
        )
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise InputError(
            f"{path} cannot be read as CSV ({error}).", remedy="Give an exported file."
        ) from error
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise InputError(
            f"{path} lacks the column {', '.join(missing)}.",
            remedy=f"An export has the columns {', '.join(columns)}.",
        )
    return pd.DataFrame({name: [original(cell) for cell in frame[name]] for name in columns}, dtype="str")


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return "" if math.isnan(value) else repr(value)
    return neutral(str(value))
