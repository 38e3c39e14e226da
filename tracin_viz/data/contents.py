"""Where contents come from once rows are known: texts in memory, files, pictures in tables, numbers."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from tracin_viz.data.files import HEAD, Files, head_checksum
from tracin_viz.data.images import MAX_BYTES, decode
from tracin_viz.data.strings import Strings
from tracin_viz.errors import InputError

Rows = npt.NDArray[np.int64]

#: Threads that read files, and files handed to each at once.
THREADS = 4
TOGETHER = 256


class Contents(Protocol):
    """The contents of all rows of a data set, before splits. Safe from several threads."""

    def load(self, row: int, place: str) -> Image.Image | str | npt.NDArray[np.float32]:
        """One content, decoded; ``place`` is for messages."""

    def raw(self, row: int) -> bytes | str:
        """One content as it is stored."""

    def file(self, row: int) -> str | None:
        """Path of the file that is that content, where it lies in a folder by itself."""

    def checksums(self, rows: Rows) -> Rows:
        """``(n,)`` numbers of 32 bits that equal contents share, quickly made."""

    def sources(self, rows: Rows) -> Sequence[str]:
        """What names each of ``rows`` on screen."""


class TextContents:
    """Texts in Arrow memory."""

    def __init__(self, column: Any) -> None:
        self._column = column
        self._all = Strings(column)

    def load(self, row: int, place: str) -> str:
        """The text."""
        return self._all[row]

    def raw(self, row: int) -> str:
        """The text."""
        return self._all[row]

    def file(self, row: int) -> str | None:
        """None: a text is no file."""
        return None

    def checksums(self, rows: Rows) -> Rows:
        """CRC-32 of each text in UTF-8."""
        texts = Strings(self._column, rows)
        return np.fromiter((zlib.crc32(text.encode()) for text in texts), dtype=np.int64, count=len(rows))

    def sources(self, rows: Rows) -> Sequence[str]:
        """The texts."""
        return Strings(self._column, rows)


class FileContents:
    """Pictures in files.

    Args:
        files: Where.
        names: A column with the name of each row's file.
    """

    def __init__(self, files: Files, names: Any) -> None:
        self._files = files
        self._column = names
        self._names = Strings(names)
        root = getattr(files, "root", None)
        self._root = str(root) if isinstance(root, Path) else None

    def load(self, row: int, place: str) -> Image.Image:
        """The picture, the right way up."""
        return decode(self.raw(row), place)

    def raw(self, row: int) -> bytes:
        """The file's bytes."""
        return self._files.read(self._names[row], MAX_BYTES)

    def file(self, row: int) -> str | None:
        """Path of the file; ``None`` inside an archive, or where the name leads out of the folder."""
        name = self._names[row]
        # Joined as text: an export asks for every row, and path objects would take longer than the links.
        return f"{self._root}{os.sep}{name}" if self._root is not None and name in self._files else None

    def checksums(self, rows: Rows) -> Rows:
        """As ``Files.checksum``."""
        with ThreadPoolExecutor(THREADS) as pool:
            found = pool.map(self._files.checksum, Strings(self._column, rows), chunksize=TOGETHER)
            return np.fromiter(found, dtype=np.int64, count=len(rows))

    def sources(self, rows: Rows) -> Sequence[str]:
        """File names."""
        return Strings(self._column, rows)


class BlobContents:
    """Pictures in a table.

    Args:
        read: The bytes of a row's picture.
        names: A column with the name of each row.
    """

    def __init__(self, read: Callable[[int], bytes], names: Any) -> None:
        self._read = read
        self._names = names

    def load(self, row: int, place: str) -> Image.Image:
        """The picture, the right way up."""
        return decode(self.raw(row), place)

    def raw(self, row: int) -> bytes:
        """The bytes of its file."""
        content = self._read(row)
        if len(content) > MAX_BYTES:
            raise InputError(
                f"The picture in row {row} has more than {MAX_BYTES >> 20} MiB.",
                remedy="Replace it by a smaller one.",
            )
        return content

    def file(self, row: int) -> str | None:
        """None: the pictures are inside a table."""
        return None

    def checksums(self, rows: Rows) -> Rows:
        """As ``Files.checksum``; of a missing picture as of an empty file."""
        return np.fromiter(map(self._checksum, rows.tolist()), dtype=np.int64, count=len(rows))

    def _checksum(self, row: int) -> int:
        try:
            content = self.raw(row)
        except InputError:
            return 0
        return head_checksum(content[:HEAD], len(content))

    def sources(self, rows: Rows) -> Sequence[str]:
        """Names."""
        return Strings(self._names, rows)


class FeatureContents:
    """Rows of numbers.

    Args:
        matrix: ``(n, F)`` float32.
        names: Of the F columns.
    """

    def __init__(self, matrix: npt.NDArray[np.float32], names: Sequence[str]) -> None:
        self._matrix = matrix
        self._names = tuple(names)

    def load(self, row: int, place: str) -> npt.NDArray[np.float32]:
        """``(F,)`` float32."""
        return np.array(self._matrix[row])

    def raw(self, row: int) -> bytes:
        """The numbers' bytes, little-endian."""
        return bytes(self._matrix[row].astype("<f4").tobytes())

    def file(self, row: int) -> str | None:
        """None: a row of numbers is no file."""
        return None

    def checksums(self, rows: Rows) -> Rows:
        """CRC-32 of each row's bytes."""
        found = (zlib.crc32(self.raw(row)) for row in rows.tolist())
        return np.fromiter(found, dtype=np.int64, count=len(rows))

    def sources(self, rows: Rows) -> Sequence[str]:
        """The first numbers with their names."""
        return _Described(self._matrix, self._names, rows)


class _Described(Sequence[str]):
    """Rows of numbers in words, made when asked for."""

    #: Numbers that are written out.
    FIRST = 6

    def __init__(self, matrix: npt.NDArray[np.float32], names: tuple[str, ...], rows: Rows) -> None:
        self._matrix = matrix
        self._names = names
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return [self[index] for index in range(*place.indices(len(self)))]
        values = self._matrix[self._rows[place]]
        told = [f"{name} {value:g}" for name, value in zip(self._names[: self.FIRST], values, strict=False)]
        more = len(self._names) - self.FIRST
        return ", ".join(told) + (f", … ({more} more)" if more > 0 else "")


class RowReader:
    """The ``Reader`` of a data set: contents of all rows, and which rows each split has.

    Args:
        contents: Of all rows.
        rows: For each split its rows.
        place: Where a row is, in words.
    """

    def __init__(self, contents: Contents, rows: Mapping[str, Rows], place: Callable[[int], str]) -> None:
        self._contents = contents
        self._rows = rows
        self._place = place

    def load(self, split: str, row: int) -> Image.Image | str | npt.NDArray[np.float32]:
        """The content, decoded."""
        return self._contents.load(int(self._rows[split][row]), self.place(split, row))

    def raw(self, split: str, row: int) -> bytes | str:
        """The content as it is stored."""
        return self._contents.raw(int(self._rows[split][row]))

    def file(self, split: str, row: int) -> str | None:
        """Path of the file that is the content, where it lies in a folder by itself."""
        return self._contents.file(int(self._rows[split][row]))

    def place(self, split: str, row: int) -> str:
        """File, or file and line."""
        return self._place(int(self._rows[split][row]))

    def checksums(self, split: str) -> Rows:
        """``(n,)`` numbers of 32 bits that equal contents share, one for each row of ``split``."""
        return self._contents.checksums(self._rows[split])
