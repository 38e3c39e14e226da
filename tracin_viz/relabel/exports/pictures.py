"""Folders of pictures: Hugging Face's imagefolder with its table, and a cleaned copy by class.

Pictures are copied as they are stored, or linked: nothing is decoded or encoded again. A hard link is the
source file itself under a second name, so whoever edits one edits both: copies are the default.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from tracin_viz.data.dataset import Dataset
from tracin_viz.data.files import ending
from tracin_viz.data.images import SUFFIXES
from tracin_viz.errors import InputError
from tracin_viz.portable import sync_file
from tracin_viz.relabel.exports.placing import LINKS, place_all
from tracin_viz.relabel.exports.progress import Progress, shifted, silent
from tracin_viz.relabel.exports.safe_names import SafeNames
from tracin_viz.relabel.exports.tabular import json_lines, pieces

#: The table beside the pictures of an imagefolder; Hugging Face's name for it.
METADATA = "metadata.jsonl"
#: The table of a cleaned folder, outside the folders that loaders take for splits.
LABELS = "tracin-viz-labels.jsonl"
#: Pictures in one folder of an imagefolder: file managers and some systems get slow beyond.
_TOGETHER = 1000


def write_image_folder(
    frame: pd.DataFrame, dataset: Dataset, folder: Path, *, links: str, told: Progress = silent
) -> None:
    """``train/`` with every picture and ``metadata.jsonl``, for ``datasets.load_dataset("imagefolder", …)``.

    Args:
        frame: Columns of ``SCHEMA``; excluded examples are in it, marked as such.
        dataset: Where the pictures are.
        folder: Where to write; it must not exist.
        links: A word of ``LINKS``.
        told: Called as pictures come into the folder; it may raise, which stops the rest.

    Raises:
        InputError: These are no pictures, or one can no longer be read.
    """
    _check(dataset, links)
    root = folder / "train"
    root.mkdir(parents=True)
    names = SafeNames()
    files: list[str] = []
    wanted: list[tuple[int, str]] = []
    for place, (row, source) in enumerate(_numbered(frame)):
        part = f"{place // _TOGETHER:04d}"
        if place % _TOGETHER == 0:
            (root / part).mkdir()
        # Under its row, so that pictures of the same name in two classes stay apart and in order.
        name = f"{part}/{names(f'{row:06d}-{_file_name(dataset, row, source)}')}"
        wanted.append((row, name))
        files.append(name)
    total = len(wanted) + len(files)
    place_all(dataset, wanted, root, links=links, told=shifted(told, before=0, total=total))
    rest = shifted(told, before=len(wanted), total=total)
    _table(frame.assign(file_name=files), root / METADATA, told=rest)


def write_cleaned(
    frame: pd.DataFrame, dataset: Dataset, folder: Path, *, links: str, told: Progress = silent
) -> None:
    """``train/<label>/<file>``: decided labels as folders, excluded examples left out.

    Besides the pictures there is one table of all examples, ``tracin-viz-labels.jsonl``, which names the file
    of each and brings the decisions back.

    Args:
        frame: Columns of ``SCHEMA``.
        dataset: Where the pictures are.
        folder: Where to write; it must not exist.
        links: A word of ``LINKS``.
        told: Called as pictures come into the folder; it may raise, which stops the rest.

    Raises:
        InputError: These are no pictures of one class each, or one can no longer be read.
    """
    _check(dataset, links)
    if dataset.target != "class":
        raise InputError(
            "A folder for each class needs one class for each picture; this audit has other labels.",
            remedy="Export as imagefolder: its metadata.jsonl holds any label.",
        )
    (folder / "train").mkdir(parents=True)
    files = _by_label(frame, dataset)
    for place in sorted({name.rpartition("/")[0] for name in files if name}):
        (folder / place).mkdir()
    wanted = [(row, name) for (row, _), name in zip(_numbered(frame), files, strict=True) if name]
    total = len(wanted) + len(files)
    place_all(dataset, wanted, folder, links=links, told=shifted(told, before=0, total=total))
    rest = shifted(told, before=len(wanted), total=total)
    _table(frame.assign(file_name=files), folder / LABELS, told=rest)


def _by_label(frame: pd.DataFrame, dataset: Dataset) -> list[str]:
    """``train/<label>/<file>`` of each example, empty where it is excluded."""
    folders = SafeNames()
    inside: dict[str, SafeNames] = {}
    rows, labels, excluded = list(_numbered(frame)), frame["label"].tolist(), frame["excluded"].tolist()
    files = [""] * len(rows)
    # Who stays in a folder keeps the name there; relabelled pictures of the same name get another.
    for place in np.argsort(frame["changed"].to_numpy(), kind="stable").tolist():
        if excluded[place]:
            continue
        row, source = rows[place]
        part = f"train/{folders(labels[place])}"
        name = inside.setdefault(part, SafeNames())(_file_name(dataset, row, source), of=str(row))
        files[place] = f"{part}/{name}"
    return files


def _check(dataset: Dataset, links: str) -> None:
    if links not in LINKS:
        raise InputError(f"'{links}' is no way to place pictures.", remedy=f"Possible: {', '.join(LINKS)}.")
    if dataset.task != "image":
        raise InputError(
            "A folder of pictures needs pictures; the examples of this audit are something else.",
            remedy="Export as csv, jsonl, parquet or hf.",
        )


def _numbered(frame: pd.DataFrame) -> Iterator[tuple[int, str]]:
    """Row of the training split and source of each example."""
    for identifier, source in zip(frame["id"].tolist(), frame["source"].tolist(), strict=True):
        yield int(identifier.rpartition(":")[2]), source


def _file_name(dataset: Dataset, row: int, source: str) -> str:
    """The picture's own file name, with an ending that says what it is."""
    name = source.replace("\\", "/").rpartition("/")[2]
    if ending(name) in SUFFIXES:
        return name
    return f"{name}{_kind(dataset.reader.raw('train', row))}"


def _kind(content: bytes | str) -> str:
    """The ending that fits a picture's first bytes."""
    if isinstance(content, str):
        return ""
    return next((end for start, end in _BEGINNINGS if content.startswith(start)), ".png")


_BEGINNINGS = (
    (b"\x89PNG", ".png"),
    (b"\xff\xd8", ".jpg"),
    (b"GIF8", ".gif"),
    (b"RIFF", ".webp"),
    (b"BM", ".bmp"),
    (b"II*\0", ".tif"),
    (b"MM\0*", ".tif"),
    (b"P", ".ppm"),
)


def _table(frame: pd.DataFrame, path: Path, *, told: Progress) -> None:
    """The frame as JSON lines, the file names first."""
    ordered = frame[["file_name", *(name for name in frame.columns if name != "file_name")]]
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        for piece in pieces(ordered, told):
            stream.writelines(f"{line}\n" for line in json_lines(piece))
    sync_file(path)
