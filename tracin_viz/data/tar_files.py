"""Tar archives read in place, plain or packed: the list of files is made once, contents when asked for."""

from __future__ import annotations

import tarfile
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from tracin_viz.data.archives import PIECE, Entry, check_amount, check_entry, kept, refused, unreadable
from tracin_viz.data.files import HEAD, head_checksum, within
from tracin_viz.data.packed_stream import Stream, open_stream
from tracin_viz.data.problems import shown
from tracin_viz.errors import InputError

#: Bytes that ``tarfile`` may ask for at once: its headers of headers are read as a whole, and say themselves
#: how long they are.
_MAX_HEADER = 1 << 20


class TarFiles:
    """The files of a tar archive, by relative path.

    Args:
        path: The archive; it stays open for as long as this object lives.

    Raises:
        InputError: It is damaged, or has anything in it that is refused (see ``archives``).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stream = open_stream(path)
        weakref.finalize(self, self._stream.close)
        self._lock = threading.Lock()
        self._places = self._index()  # name -> (first byte in the stream, bytes)
        self._names = kept(path, list(self._places))

    @property
    def names(self) -> list[str]:
        """All files, sorted."""
        return self._names

    def size(self, name: str) -> int:
        """Bytes of that file."""
        return self._places[name][1]

    def read(self, name: str, limit: int) -> bytes:
        """The file's bytes.

        Raises:
            InputError: It has more than ``limit`` bytes, or is damaged.
        """
        return within(self._read(name, limit + 1), name, limit=limit)

    def checksum(self, name: str) -> int:
        """CRC-32 of the file's beginning and size."""
        return head_checksum(self._read(name, HEAD), self.size(name))

    def pieces(self, name: str) -> Iterator[bytes]:
        """The file's bytes.

        Raises:
            InputError: It is damaged.
        """
        size = self.size(name)
        for begin in range(0, size, PIECE):
            yield self._read(name, min(PIECE, size - begin), begin=begin)

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def _read(self, name: str, count: int, *, begin: int = 0) -> bytes:
        start, size = self._places[name]
        wanted = min(size - begin, count)
        with self._lock:
            self._stream.seek(start + begin)
            content = self._stream.read(wanted)
        if len(content) < wanted:
            raise InputError(
                f"File '{shown(name)}' in '{shown(self._path.name)}' cannot be read (it ends too early).",
                remedy="Make the archive again.",
            )
        return content

    def _index(self) -> dict[str, tuple[int, int]]:
        places: dict[str, tuple[int, int]] = {}
        total = count = 0
        try:
            # The class itself, not tarfile.open, which would try other kinds of packing inside.
            archive: Any = tarfile.TarFile(fileobj=cast(BinaryIO, _Careful(self._stream)))
            while (entry := archive.next()) is not None:
                archive.members.clear()  # it would keep a large object for each file
                if entry.isdir():
                    continue
                name = entry.name.removeprefix("./")
                if entry.issym() or entry.islnk():
                    raise refused(self._path, f"holds '{shown(name)}', which is a link")
                if not entry.isreg() or entry.issparse():
                    raise refused(self._path, f"holds '{shown(name)}', which is no plain file")
                count += 1
                total += entry.size
                check_entry(self._path, Entry(name, entry.size))
                check_amount(self._path, count, total)
                if name in places:
                    raise refused(self._path, "holds two files of the same name")
                places[name] = (entry.offset_data, entry.size)
        except InputError:
            raise
        except Exception as error:  # tarfile raises nearly anything on hostile bytes, and recurses on some
            raise unreadable(self._path, error, "tar") from error
        return places


class _Careful:
    """A stream that refuses to hand out more at once than a header needs."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def read(self, count: int = -1) -> bytes:
        if not 0 <= count <= _MAX_HEADER:
            raise tarfile.ReadError("a header is too long")
        return self._stream.read(count)

    def seek(self, place: int) -> int:
        return self._stream.seek(place)

    def tell(self) -> int:
        return self._stream.tell()
