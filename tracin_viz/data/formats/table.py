"""Texts in a CSV file with the columns ``text``, ``label`` and, if it has one, ``split``."""

from __future__ import annotations

import codecs
import csv
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tracin_viz.data.dataset import Dataset, Split, listed
from tracin_viz.data.problems import ProblemList, shown
from tracin_viz.data.splits import TRAIN, check_classes, held_out, in_order, note_absent, split_name
from tracin_viz.errors import InputError

#: Bytes of a CSV file; its texts are kept in memory.
MAX_BYTES = 1 << 31
#: Characters of one field; the csv module's own limit, which also stops a quote that is never closed.
MAX_FIELD = 131_072

_NEEDED = ("text", "label")
_FORM = "Give a CSV file in UTF-8 with the columns text, label and split."
_UNDECODED = re.compile("[\udc80-\udcff]")


@dataclass
class _Rows:
    """The usable rows, column by column, with the line each began on."""

    texts: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    splits: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)


class TextReader:
    """Texts that are already in memory.

    Args:
        texts: For each split its texts.
        lines: For each split the line of the file on which each text's row begins (from 1).
        name: Of the file.
    """

    def __init__(self, texts: dict[str, list[str]], lines: dict[str, list[int]], name: str) -> None:
        self._texts = texts
        self._lines = lines
        self._name = name

    def load(self, split: str, row: int) -> str:
        """The text."""
        return self._texts[split][row]

    def raw(self, split: str, row: int) -> str:
        """The text."""
        return self._texts[split][row]

    def place(self, split: str, row: int) -> str:
        """File and line."""
        return f"{self._name} line {self._lines[split][row]}"


def open_table(path: Path) -> Dataset:
    """The data set in a CSV file of texts.

    The example's row is its place among the usable rows of its split, in file order. Without a column
    ``split`` a fifth of the examples, chosen by content, becomes the split ``test``. Rows that cannot be
    used are left out, each with a problem that names its line.

    Raises:
        InputError: A column is missing, the file is not UTF-8, no row is usable, there is one class only,
            or no train split.
    """
    if path.stat().st_size > MAX_BYTES:
        raise InputError(
            f"'{shown(path.name)}' has more than {MAX_BYTES >> 30} GiB.", remedy="Give a part of it."
        )
    problems = ProblemList()
    rows, has_splits = _read(path, problems)
    if not rows.texts:
        raise InputError(
            f"'{shown(path.name)}' has no row with a text and a label.",
            remedy=_FORM,
            problems=problems.as_tuple(),
        )
    classes = check_classes(
        rows.labels, name=path.name, remedy="Give at least two different values in the column label."
    )
    if not has_splits:
        chosen = held_out([zlib.crc32(text.encode()) for text in rows.texts], rows.labels)
        rows.splits = ["test" if test else TRAIN for test in chosen]
    if TRAIN not in rows.splits:
        raise InputError(
            f"'{shown(path.name)}' has no train split, only {listed(in_order(rows.splits))}.",
            remedy="Write 'train' in the column split of the training rows.",
        )
    return _dataset(path, rows, classes=classes, problems=problems)


def _read(path: Path, problems: ProblemList) -> tuple[_Rows, bool]:
    _check_encoding(path)
    records = _records(path)
    header = next(records, (1, []))[1]
    columns = _columns(header, path)
    rows = _Rows()
    for line, record in records:
        where = f"{path.name} line {line}"
        if len(record) != len(header):
            if record:  # a blank line is no row
                _note(
                    problems,
                    "ragged row",
                    where=where,
                    message=f"It has {len(record)} fields, not {len(header)}.",
                )
            continue
        values = {name: record[place] for name, place in columns.items()}
        text, label = values["text"], values["label"].strip()
        split = split_name(values["split"]) if "split" in columns else ""
        if not text.strip():
            _note(problems, "empty text", where=where, message="Its text is empty.")
        elif not label:
            _note(problems, "empty label", where=where, message="Its label is empty.")
        elif split is None:
            _note(
                problems,
                "split name",
                where=where,
                message=f"'{shown(values['split'])}' cannot name a split.",
            )
        else:
            rows.texts.append(text)
            rows.labels.append(label)
            rows.splits.append(split)
            rows.lines.append(line)
    return rows, "split" in columns


def _records(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line it begins on."""
    with path.open("r", encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream, strict=True)
        line = 1
        try:
            for record in reader:
                yield line, record
                line = reader.line_num + 1
        except csv.Error as error:
            raise InputError(
                f"'{shown(path.name)}' cannot be read from line {line} on ({shown(error)}).",
                remedy="Close every quote, double the quotes inside a quoted text, and keep a text below "
                f"{MAX_FIELD:,} characters.",
            ) from error


def _check_encoding(path: Path) -> None:
    """Refuse what is not UTF-8, naming the lines: half-read texts would be wrong without anyone noticing."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as stream:
        start = stream.read(4096)
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in start:
            raise InputError(
                f"'{shown(path.name)}' is not in UTF-8 but in UTF-16 or no text at all.", remedy=_FORM
            )
        stream.seek(0)
        try:
            while piece := stream.read(1 << 20):
                decoder.decode(piece)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            raise _wrong_encoding(path) from error


def _wrong_encoding(path: Path) -> InputError:
    """The error for a file that is not UTF-8, with a problem for each such line."""
    problems = ProblemList()
    first = 0
    with path.open("r", encoding="utf-8", errors="surrogateescape", newline="\n") as stream:
        for number, line in enumerate(stream, start=1):
            if _UNDECODED.search(line):
                first = first or number
                _note(
                    problems,
                    "encoding",
                    where=f"{path.name} line {number}",
                    message="It has bytes that are not UTF-8.",
                )
    count = problems.count("encoding")
    return InputError(
        f"'{shown(path.name)}' is not in UTF-8 ({count} line{'s' * (count > 1)}, first line {first}).",
        remedy="Save it as UTF-8 and try again.",
        problems=problems.as_tuple(),
    )


def _columns(header: list[str], path: Path) -> dict[str, int]:
    names = [name.strip().lower() for name in header]
    missing = [name for name in _NEEDED if name not in names]
    if missing:
        found = listed(header) if any(names) else "none"
        raise InputError(
            f"'{shown(path.name)}' has no column {' and no column '.join(missing)}; it has: {found}.",
            remedy="The first line must name the columns text, label and split, separated by commas.",
        )
    doubled = [name for name in (*_NEEDED, "split") if names.count(name) > 1]
    if doubled:
        raise InputError(
            f"'{shown(path.name)}' has the column {doubled[0]} twice.", remedy="Rename or remove one."
        )
    return {name: names.index(name) for name in (*_NEEDED, "split") if name in names}


def _dataset(path: Path, rows: _Rows, *, classes: tuple[str, ...], problems: ProblemList) -> Dataset:
    index = {name: number for number, name in enumerate(classes)}
    members: dict[str, list[int]] = {}
    for row, split in enumerate(rows.splits):
        members.setdefault(split, []).append(row)
    texts = {name: [rows.texts[row] for row in members[name]] for name in in_order(members)}
    lines = {name: [rows.lines[row] for row in members[name]] for name in texts}
    splits = {
        name: Split(
            name,
            texts[name],
            np.array([index[rows.labels[row]] for row in members[name]], dtype=np.int64),
        )
        for name in texts
    }
    note_absent(splits[TRAIN].labels, classes, problems=problems)
    reader = TextReader(texts, lines, path.name)
    return Dataset("text", classes, splits, path, problems.as_tuple(), reader, format="CSV table")


def _note(problems: ProblemList, kind: str, *, where: str, message: str) -> None:
    problems.add(
        kind,
        where=where,
        message=message if kind == "encoding" else f"{message} The row was left out.",
        remedy="Correct that line.",
    )
