"""Reading anywhere in a packed file without unpacking it to disk.

gzip: the state of the decompressor is kept every few megabytes (as in zlib's ``examples/zran.c``), and a
read goes on from the nearest one. That takes about 25 MB of memory and one pass when the file is opened,
and nothing is written anywhere. bzip2 and xz have no such states in Python; small files of these kinds are
unpacked in memory, larger ones refused.
"""

from __future__ import annotations

import bz2
import io
import lzma
import weakref
import zlib
from bisect import bisect_right
from pathlib import Path
from typing import Any, Protocol

from tracin_viz.data import archives
from tracin_viz.data.archives import refused, unreadable
from tracin_viz.data.problems import shown
from tracin_viz.errors import InputError

#: States kept at most; each takes about 50 KB. With more, every second one is forgotten.
STATES = 512
#: Unpacked bytes between two states at first.
SPACING = 1 << 20
#: Unpacked bytes of a bzip2 or xz file.
MAX_IN_MEMORY = 1 << 28
_PIECE = 1 << 16


class Stream(Protocol):
    """Bytes that can be read from any place."""

    def read(self, count: int = -1, /) -> bytes:
        """The next ``count`` bytes; fewer at the end."""

    def seek(self, place: int, /) -> int:
        """Go to ``place``."""

    def tell(self) -> int:
        """The place of the next byte."""

    def close(self) -> None:
        """Close the file."""


def open_stream(path: Path) -> Stream:
    """The unpacked bytes of ``path``, by the ending of its name.

    Raises:
        InputError: It is damaged, a bomb, or of a kind that cannot be read in place and too large.
    """
    ending = path.suffix.lower()
    if ending in (".gz", ".tgz"):
        return GzipStream(path)
    if ending in (".bz2", ".tbz2"):
        return _in_memory(path, bz2.BZ2Decompressor, "bzip2")
    if ending in (".xz", ".txz"):
        return _in_memory(path, lzma.LZMADecompressor, "xz")
    return path.open("rb")


class GzipStream:
    """The unpacked bytes of a gzip file, from any place; not safe from several threads.

    Raises:
        InputError: It is damaged or grows too much.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("rb")
        weakref.finalize(self, self._file.close)
        self._spacing = SPACING
        self._limit = max(archives.RATIO_MATTERS, archives.MAX_RATIO * path.stat().st_size)
        self._inner: Any = zlib.decompressobj(wbits=31)
        self._waiting = b""  # read from the file and not unpacked yet
        self._piece = b""  # what was unpacked last
        self._start = 0  # place of its first byte
        # Place, place in the file, and the decompressor as it was there.
        self._states: list[tuple[int, int, Any]] = [(0, 0, self._inner.copy())]
        self._place = 0
        self._size = self._through()

    def read(self, count: int = -1, /) -> bytes:
        """The next bytes."""
        start = self._place
        end = self._size if count < 0 else min(start + count, self._size)
        if not self._start <= start <= self._start + 2 * self._spacing:
            self._restart(start)
        found = bytearray()
        while start + len(found) < end:
            place = start + len(found) - self._start
            if place < len(self._piece):
                found += self._piece[place : end - self._start]
            elif not self._advance():
                break
        self._place = start + len(found)
        return bytes(found)

    def seek(self, place: int, /) -> int:
        """Go to ``place``; nothing is read yet."""
        self._place = place
        return place

    def tell(self) -> int:
        """The place of the next byte."""
        return self._place

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _through(self) -> int:
        """Unpack everything once, keeping states; the number of bytes."""
        while self._advance():
            reached = self._start + len(self._piece)
            if reached > self._limit:
                raise refused(self._path, f"grows more than {archives.MAX_RATIO}-fold when it is read")
            if reached - self._states[-1][0] >= self._spacing and not self._inner.eof:
                self._states.append((reached, self._file.tell() - len(self._waiting), self._inner.copy()))
                if len(self._states) > STATES:
                    self._states = self._states[::2]
                    self._spacing *= 2
        return self._start

    def _restart(self, place: int) -> None:
        """Go to the last state before ``place``."""
        nearest = bisect_right(self._states, place, key=lambda state: state[0]) - 1
        self._start, packed, kept = self._states[nearest]
        self._file.seek(packed)
        self._inner, self._waiting, self._piece = kept.copy(), b"", b""

    def _advance(self) -> bool:
        """Unpack the next piece, at most 1 MiB; false at the end."""
        self._start += len(self._piece)
        self._piece = b""
        try:
            while not self._piece:
                if self._inner.eof:
                    # Several gzip files one after the other are one; zeros may fill up the last block.
                    rest = (self._inner.unused_data + self._waiting).lstrip(b"\0")
                    while not rest and (more := self._file.read(_PIECE)):
                        rest = more.lstrip(b"\0")
                    if not rest:
                        return False
                    self._inner, self._waiting = zlib.decompressobj(wbits=31), rest
                packed = self._waiting or self._file.read(_PIECE)
                if not packed:
                    raise EOFError("it ends too early")
                self._piece = self._inner.decompress(packed, 1 << 20)
                self._waiting = self._inner.unconsumed_tail
        except (zlib.error, EOFError) as error:
            raise unreadable(self._path, error, "gzip") from error
        return True


def _in_memory(path: Path, kind: Any, word: str) -> io.BytesIO:
    limit = min(MAX_IN_MEMORY, max(archives.RATIO_MATTERS, archives.MAX_RATIO * path.stat().st_size))
    inner = kind()
    unpacked = io.BytesIO()
    try:
        with path.open("rb") as stream:
            while not inner.eof:
                packed = stream.read(_PIECE) if inner.needs_input else b""
                if inner.needs_input and not packed:
                    raise EOFError("it ends too early")
                unpacked.write(inner.decompress(packed, 1 << 20))
                if unpacked.tell() > limit:
                    raise InputError(
                        f"'{shown(path.name)}' has more than {limit >> 20} MiB once unpacked, and {word} "
                        "cannot be read in place.",
                        remedy="Make a .zip or .tar.gz of the folder, or give the folder itself.",
                    )
    except (OSError, EOFError, lzma.LZMAError, ValueError) as error:
        raise unreadable(path, error, word) from error
    unpacked.seek(0)
    return unpacked
