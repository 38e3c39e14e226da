"""CSV, JSON Lines and Parquet, written piece by piece so that a large export needs little memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tracin_viz.relabel.exports.json_text import objects
from tracin_viz.relabel.exports.progress import Progress, silent
from tracin_viz.relabel.spreadsheet import csv_text

#: Rows that are turned into text at once.
TOGETHER = 10_000


def write_csv(frame: pd.DataFrame, path: Path, *, told: Progress = silent) -> None:
    """CSV (RFC 4180, UTF-8), safe to open in a spreadsheet: see ``spreadsheet``."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        stream.write(csv_text(frame.iloc[:0]))
        for piece in pieces(frame, told):
            stream.write(csv_text(piece, header=False))


def write_json_lines(frame: pd.DataFrame, path: Path, *, told: Progress = silent) -> None:
    """One JSON object in each line, UTF-8; unknown numbers are null."""
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        for piece in pieces(frame, told):
            stream.writelines(f"{line}\n" for line in json_lines(piece))


def json_lines(frame: pd.DataFrame) -> Iterator[str]:
    """Each row as a JSON object."""
    # Not through pandas: its writer rounds numbers to 10 digits and escapes every slash.
    return objects({name: frame[name].tolist() for name in frame})


def write_parquet(frame: pd.DataFrame, path: Path) -> None:
    """Parquet; unknown numbers are NaN."""
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), path, row_group_size=TOGETHER)


def pieces(frame: pd.DataFrame, told: Progress = silent) -> Iterator[pd.DataFrame]:
    """The frame in pieces of ``TOGETHER`` rows; ``told`` hears of each that was taken and written."""
    for start in range(0, len(frame), TOGETHER):
        yield frame.iloc[start : start + TOGETHER]
        told(min(start + TOGETHER, len(frame)), len(frame))
