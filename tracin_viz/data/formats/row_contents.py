"""Which rows of a table have a content, and where it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tracin_viz.data.contents import BlobContents, Contents, FeatureContents, FileContents, Rows, TextContents
from tracin_viz.data.files import Files
from tracin_viz.data.formats.columns import Blobs, Sheet, TableSource, as_content, as_numbers, as_text
from tracin_viz.data.formats.guessing import Roles
from tracin_viz.data.formats.verification import IMAGES_DECODED, Look, broken, broken_files
from tracin_viz.data.problems import ProblemList, shown
from tracin_viz.data.splits import known_split
from tracin_viz.data.strings import Strings, strings
from tracin_viz.errors import InputError

#: Numbers of all features together: 4 GiB of float32.
MAX_NUMBERS = 1 << 30

Place = Callable[[int], str]


@dataclass(frozen=True)
class Part:
    """One table of a data set.

    Attributes:
        source: The table.
        split: The split that its file or folder names, or empty.
        folder: What its image paths begin in, relative to the files: empty or ending in ``/``.
    """

    source: TableSource
    split: str = ""
    folder: str = ""


@dataclass(frozen=True)
class RowContents:
    """The contents of a table.

    Attributes:
        contents: Of all rows.
        rows: Those that have one.
        place: Where a row's content is, if that says more than its line.
        split_names: Splits that the paths of images name.
        splits: ``(n,)`` place in ``split_names`` of each of ``rows``.
    """

    contents: Contents
    rows: Rows
    place: Place | None = None
    split_names: list[str] = field(default_factory=list)
    splits: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


def row_contents(
    parts: Sequence[Part],
    sheets: Sequence[Sheet],
    roles: Roles,
    *,
    files: Files | None,
    verify: bool,
    place: Place,
    problems: ProblemList,
) -> RowContents:
    """The contents of all rows, as ``roles`` says what they are; rows without one are noted.

    Raises:
        InputError: There can be no such contents in these tables.
    """
    look = Look(place, problems)
    if roles.content == "text":
        return _texts(sheets, str(roles.mapping.content), look)
    if roles.content == "features":
        names = roles.mapping.content
        return _numbers(sheets, names if isinstance(names, tuple) else (str(names),), look)
    if roles.content == "picture":
        return _pictures(parts, str(roles.mapping.content), look, verify=verify)
    if files is None:
        raise InputError(
            "Paths of images can only be followed in a table that lies beside them.",
            remedy="Put the table into the folder of the images, with paths relative to it.",
        )
    found = _paths(parts, sheets, str(roles.mapping.content), files, look)
    return _checked(found, files, look) if verify else found


def _texts(sheets: Sequence[Sheet], name: str, look: Look) -> RowContents:
    chunks = [chunk for sheet in sheets for chunk in as_content(sheet.columns[name], name).chunks]
    column = pa.chunked_array(chunks, type=pa.large_string())
    full = pc.fill_null(pc.match_substring_regex(column, r"\S"), False)
    some = full.to_numpy(zero_copy_only=False).astype(bool) if len(column) else np.zeros(0, dtype=bool)
    look.note("empty text", np.flatnonzero(~some), "Its text is empty.")
    return RowContents(TextContents(column), np.flatnonzero(some))


def _numbers(sheets: Sequence[Sheet], names: Sequence[str], look: Look) -> RowContents:
    count = sum(len(sheet) for sheet in sheets)
    if count * len(names) > MAX_NUMBERS:
        raise InputError(
            f"{count:,} rows of {len(names):,} numbers are more than fit in memory.",
            remedy="Give a part of the rows or columns.",
        )
    matrix = np.empty((count, len(names)), dtype=np.float32)
    odd = np.zeros(count, dtype=bool)
    for place, name in enumerate(names):
        pairs = [as_numbers(sheet.columns[name], name) for sheet in sheets]
        matrix[:, place] = np.concatenate([numbers for numbers, _ in pairs])
        odd |= np.concatenate([wrong for _, wrong in pairs])
    missing = np.isnan(matrix).any(axis=1)
    look.note("not a number", np.flatnonzero(odd), "One of its features is not a number.")
    look.note("missing value", np.flatnonzero(missing & ~odd), "One of its features is missing.")
    return RowContents(FeatureContents(matrix, names), np.flatnonzero(~missing & ~odd))


def _pictures(parts: Sequence[Part], column: str, look: Look, *, verify: bool) -> RowContents:
    blobs = [part.source.blobs(column) for part in parts]
    read = _Joined(blobs)
    named = pa.chunked_array([_flat(some.names()) for some in blobs], type=pa.large_string())
    rows = np.arange(len(named), dtype=np.int64)
    if pc.any(pc.is_null(named)).as_py():
        own = strings([look.place(row) for row in range(len(named))])
        named = pc.coalesce(named, own)
    contents = BlobContents(read, named)
    if verify:
        # One thread: several would unpack the same row groups in turn.
        small = len(rows) <= IMAGES_DECODED
        bad = broken(rows, contents.raw, look.place, problems=look.problems, whole=small, threads=1)
        rows = np.setdiff1d(rows, bad)
    return RowContents(contents, rows)


def _flat(column: Any) -> Any:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


class _Joined:
    """The pictures of several tables as those of one."""

    def __init__(self, blobs: Sequence[Blobs]) -> None:
        self._blobs = blobs
        self._starts = np.concatenate([[0], np.cumsum([len(some) for some in blobs])])

    def __call__(self, row: int) -> bytes:
        part = int(np.searchsorted(self._starts, row, side="right")) - 1
        return self._blobs[part].read(row - int(self._starts[part]))


def _paths(
    parts: Sequence[Part], sheets: Sequence[Sheet], column: str, files: Files, look: Look
) -> RowContents:
    """Rows whose path leads to a file of ``files`` that no row before it names."""
    names: list[str] = []
    texts = [as_text(sheet.columns[column], column) for sheet in sheets]
    written = Strings(pa.chunked_array([chunk for text in texts for chunk in text.chunks], pa.large_string()))
    root = f"{files.root.as_posix()}/" if hasattr(files, "root") else None
    for part, text in zip(parts, texts, strict=True):
        names += [_plain(value, part.folder, root) for value in Strings(text)]
    known = np.zeros(len(names), dtype=bool)
    twice = np.zeros(len(names), dtype=bool)
    seen: set[str] = set()
    for row, name in enumerate(names):
        known[row] = bool(name) and name in files
        twice[row] = known[row] and name in seen
        if known[row]:
            seen.add(name)
    look.note(
        "missing image",
        np.flatnonzero(~known),
        lambda row: f"Its image '{shown(written[row])}' is not there, or not inside the folder of the table.",
    )
    look.note("duplicate file name", np.flatnonzero(twice), "A row before it names the same image.")
    rows = np.flatnonzero(known & ~twice)
    held = strings(names)
    found = Strings(held)
    splits = [_folder_split(names[row]) for row in rows]
    if all(splits) and len(splits):
        by_name = list(dict.fromkeys(splits))
        place = {name: number for number, name in enumerate(by_name)}
        codes = np.array([place[split] for split in splits], dtype=np.int64)
        return RowContents(
            FileContents(files, held), rows, found.__getitem__, [str(n) for n in by_name], codes
        )
    return RowContents(FileContents(files, held), rows, found.__getitem__)


def _plain(value: str, folder: str, root: str | None) -> str:
    """A path as ``Files`` knows it: relative, with ``/``; empty where it leads out."""
    value = value.replace("\\", "/")
    if root is not None and value.startswith(root):
        folder, value = "", value.removeprefix(root)
    parts = [part for part in f"{folder}{value}".split("/") if part not in ("", ".")]
    return "" if ".." in parts or value.startswith("/") or not value else "/".join(parts)


def _folder_split(name: str) -> str | None:
    return next((split for part in name.split("/")[:-1] if (split := known_split(part))), None)


def _checked(found: RowContents, files: Files, look: Look) -> RowContents:
    """``found`` without images that cannot be read."""
    if found.place is None:
        return found
    name = found.place
    bad = broken_files(found.rows, files, name, look.problems)
    keep = ~np.isin(found.rows, bad)
    splits = found.splits[keep] if found.split_names else found.splits
    return RowContents(found.contents, found.rows[keep], found.place, found.split_names, splits)
