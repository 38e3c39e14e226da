"""CSV that a spreadsheet program can open without running anything.

Excel, LibreOffice and Google Sheets take a cell that begins with = + - @ (or with a tab or line break before
them) for a formula, which can call out to other programs and addresses. Such text gets an apostrophe in
front, and so does text that begins with an apostrophe, so that reading can take exactly one away again.
"""

from __future__ import annotations

import csv
import io

import pandas as pd

#: Full-width forms too: some programs read them as the plain ones.
_RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "'")


def neutral(text: str) -> str:
    """The text as a cell that no spreadsheet runs; ``original`` is the way back."""
    return f"'{text}" if text.startswith(_RISKY) else text


def original(cell: str) -> str:
    """The text that ``neutral`` made this cell of."""
    return cell[1:] if cell.startswith("'") else cell


def csv_text(frame: pd.DataFrame, *, header: bool = True) -> str:
    """The frame as CSV; numbers in full precision, flags as true and false."""
    stream = io.StringIO(newline="")
    # RFC 4180 line ends; the writer quotes a lone carriage return only when it is part of the line end.
    writer = csv.writer(stream, lineterminator="\r\n")
    if header:
        writer.writerow([neutral(name) for name in frame.columns])
    columns = [_cells(frame[name].tolist()) for name in frame.columns]
    writer.writerows(zip(*columns, strict=True))
    return stream.getvalue()


def _cells(values: list[object]) -> list[str]:
    """The values of one column as cells; they are all of one kind."""
    first = next((value for value in values if value is not None), None)
    if isinstance(first, bool):
        return ["true" if value else "false" for value in values]
    if isinstance(first, float):
        return ["" if value != value else repr(value) for value in values]
    texts = map(str, values)
    return [f"'{text}" if text.startswith(_RISKY) else text for text in texts]
