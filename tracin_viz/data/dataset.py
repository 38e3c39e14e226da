"""A labelled data set as the rest of the package sees it, whatever files it comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from tracin_viz.data.mapping import DataMapping
from tracin_viz.data.problems import shown
from tracin_viz.errors import InputError, NotFoundError, Problem
from tracin_viz.fingerprint import fingerprint

#: What an example is: a picture, a text, or (n_features,) float32 numbers.
Content = Image.Image | str | npt.NDArray[np.float32]


class Reader(Protocol):
    """Where the contents of a data set come from. Every method may be called from several threads."""

    def load(self, split: str, row: int) -> Content:
        """The content of one example, decoded."""

    def raw(self, split: str, row: int) -> bytes | str:
        """The content of one example as it is stored: file bytes, or text."""

    def file(self, split: str, row: int) -> str | None:
        """Path of the file that is the content of one example, where it lies in a folder by itself."""

    def place(self, split: str, row: int) -> str:
        """Where a person finds that example: a file, or a line of a file."""

    def checksums(self, split: str) -> npt.NDArray[np.int64]:
        """``(n,)`` numbers of 32 bits that equal contents share, one for each row."""


@dataclass(frozen=True)
class Split:
    """One named part of a data set.

    Attributes:
        name: ``"train"``, or the name of a query split.
        sources: For each example its relative file path (images) or its full text.
        labels: ``(n,)`` int64, index into ``Dataset.classes``; −1 = no label (in query splits only, and
            wherever ``Dataset.target`` is not ``"class"``).
        targets: float32, where ``Dataset.target`` is not ``"class"``: ``(n, C)`` of 0 and 1 for
            ``"multi-label"``, ``(n,)`` for ``"number"``; NaN = no label.
    """

    name: str
    sources: Sequence[str]
    labels: npt.NDArray[np.int64]
    targets: npt.NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.sources)


@dataclass(frozen=True)
class Dataset:
    """A labelled data set; contents are read when asked for and never kept.

    Attributes:
        task: ``"image"``, ``"text"`` or ``"tabular"``.
        classes: Names of the classes; a label is a place in this list. Empty where the target is a number.
        splits: ``"train"`` first, then the query splits.
        path: The folder or file that was opened.
        problems: What was left out or looks wrong; none of it prevents the use of the rest.
        reader: Where contents come from.
        target: ``"class"``, ``"multi-label"`` or ``"number"``.
        format: What the files are, in plain words.
        columns: For tables, each column as ``{name, kind, role, values}``.
        mapping: How files became examples, complete.
    """

    task: str
    classes: tuple[str, ...]
    splits: Mapping[str, Split]
    path: Path
    problems: tuple[Problem, ...]
    reader: Reader
    target: str = "class"
    format: str = ""
    columns: tuple[dict[str, Any], ...] = ()
    mapping: DataMapping = field(default_factory=DataMapping)

    def load(self, split: str, row: int) -> Content:
        """The content of one example: an ``RGB`` or ``L`` image the right way up, a text, or numbers.

        Raises:
            NotFoundError: There is no such split or row.
            InputError: The file cannot be read (any more).
        """
        self._check(split, row)
        return self.reader.load(split, row)

    def digest(self, split: str, rows: Sequence[int]) -> str:
        """Content key of those rows: of file bytes or texts, not of labels, names or places."""
        for row in (rows[0], rows[-1]) if rows else ():
            self._check(split, row)
        # Each file is hashed by itself: a shard of large images never lies in memory as a whole.
        return fingerprint([fingerprint(self.reader.raw(split, row)) for row in rows])

    def checksums(self, split: str) -> npt.NDArray[np.int64]:
        """``(n,)`` numbers that equal contents of a split share, and others rarely do; quickly made."""
        return self.reader.checksums(split)

    def file(self, split: str, row: int) -> str | None:
        """Path of the file that is the content of one example; ``None`` in tables and archives."""
        self._check(split, row)
        return self.reader.file(split, row)

    def place(self, split: str, row: int) -> str:
        """Where a person finds that example, for messages."""
        self._check(split, row)
        return self.reader.place(split, row)

    def reordered(self, classes: Sequence[str]) -> Dataset:
        """The same data with labels as places in ``classes``; without classes, unchanged.

        Raises:
            InputError: ``classes`` are not this data set's classes in another order.
        """
        if sorted(classes) != sorted(self.classes):
            raise InputError(
                f"The classes of the data are {listed(self.classes)}, not {listed(classes)}.",
                remedy="Give the same names in another order.",
            )
        if not classes:
            return self
        place = {name: index for index, name in enumerate(classes)}
        # The last entry is what -1, no label, looks up.
        moved = np.array([*(place[name] for name in self.classes), -1], dtype=np.int64)
        order = np.argsort(moved[:-1])
        splits = {
            name: replace(
                part,
                labels=moved[part.labels],
                targets=None if part.targets is None else part.targets[..., order],
            )
            for name, part in self.splits.items()
        }
        return replace(self, classes=tuple(classes), splits=splits)

    def _check(self, split: str, row: int) -> None:
        if split not in self.splits:
            raise NotFoundError(
                f"The data have no split '{shown(split)}'.", remedy=f"Possible: {', '.join(self.splits)}."
            )
        if not 0 <= row < len(self.splits[split]):
            raise NotFoundError(
                f"Split '{split}' has no row {row}.",
                remedy=f"Possible: 0 to {len(self.splits[split]) - 1}.",
            )


def listed(names: Sequence[str], *, limit: int = 12) -> str:
    """Names for a message, the rest of a long list counted."""
    text = ", ".join(shown(name, limit=40) for name in names[:limit])
    return text if len(names) <= limit else f"{text} and {len(names) - limit} more"


def open_dataset(
    path: Path, *, task: str | None = None, mapping: DataMapping | None = None, verify: bool = True
) -> Dataset:
    """Open a data set by what it is: images in folders, archives or tables, texts, or rows of numbers.

    Names and labels are read, contents only as far as they must be to name broken ones; nothing is
    written or unpacked.

    Args:
        path: Folder or file.
        task: ``"image"``, ``"text"`` or ``"tabular"`` where the caller insists on one; ``None`` = what
            the files say.
        mapping: What the user chose about columns, splits and classes; the rest is guessed.
        verify: Look for broken images and leave them out. Only data that were found whole before may go
            without: a broken one would otherwise keep its row and be named when it is read.

    Raises:
        InputError: The path holds no data set that can be used; the message is one line, ``problems``
            names the single files or lines.
    """
    # The formats build a Dataset, so they import this module: they can only be imported later than it.
    from tracin_viz.data.formats.detection import open_any

    path = Path(path)
    mapping = mapping or DataMapping()
    if task is not None:
        mapping = replace(mapping, task=task)
    try:
        if not path.exists():
            raise InputError(
                f"There is no file or folder '{shown(path, limit=300)}'.",
                remedy="Check the path; it must be one that this computer can see.",
            )
        return open_any(path, mapping=mapping, verify=verify)
    except OSError as error:
        raise InputError(
            f"'{shown(path, limit=300)}' cannot be read: {shown(error.strerror or error)}.",
            remedy="Check that the file or folder may be read.",
        ) from error
