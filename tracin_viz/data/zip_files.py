"""Zip archives read in place."""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from tracin_viz.data.archives import PIECE, Entry, check_amount, check_entry, kept, refused, unreadable
from tracin_viz.data.files import HEAD, head_checksum, within
from tracin_viz.data.problems import shown
from tracin_viz.errors import InputError

#: What the library raises for damaged archives, besides its own error.
_DAMAGED = (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, ValueError)


class ZipFiles:
    """The files of a zip archive, by relative path.

    Args:
        path: The archive; it stays open for as long as this object lives.

    Raises:
        InputError: It is damaged, or has anything in it that is refused (see ``archives``).
    """

    def __init__(self, path: Path) -> None:
        self._archive = _opened(path)
        # Not by is_dir(), which fails on an entry without a name; such an archive is refused below.
        entries = [entry for entry in self._archive.infolist() if not entry.filename.endswith("/")]
        check_amount(path, len(entries), sum(entry.file_size for entry in entries))
        for entry in entries:
            check_entry(path, Entry(entry.filename, entry.file_size, max(entry.compress_size, 1)))
            if stat.S_ISLNK(entry.external_attr >> 16):
                raise refused(path, f"holds '{shown(entry.filename)}', which is a link")
            if entry.flag_bits & 0x1:
                raise refused(path, f"holds '{shown(entry.filename)}', which is encrypted")
        self._names = kept(path, [entry.filename for entry in entries])
        self._entries = {entry.filename: entry for entry in entries}
        self._path = path

    @property
    def names(self) -> list[str]:
        """All files, sorted."""
        return self._names

    def size(self, name: str) -> int:
        """Bytes of that file once read, as the archive declares them."""
        return self._entries[name].file_size

    def read(self, name: str, limit: int) -> bytes:
        """The file's bytes, checked against the archive's checksum.

        Raises:
            InputError: It has more than ``limit`` bytes, or is damaged.
        """
        # zipfile compares the checksum only when it reaches the end of the data.
        return within(self._read(name, limit + 1), name, limit=limit)

    def checksum(self, name: str) -> int:
        """CRC-32 of the file's beginning and size; for a small file, from the archive's directory."""
        entry = self._entries[name]
        if entry.file_size <= HEAD:
            return entry.CRC
        return head_checksum(self._read(name, HEAD), entry.file_size)

    def pieces(self, name: str) -> Iterator[bytes]:
        """The file's bytes, checked against the archive's checksum at the end.

        Raises:
            InputError: It is damaged, or has more bytes than the archive declares.
        """
        left = self.size(name)
        try:
            with self._archive.open(self._entries[name]) as stream:
                while piece := stream.read(PIECE):
                    left -= len(piece)
                    if left < 0:
                        raise ValueError("it is longer than declared")
                    yield piece
        except _DAMAGED as error:
            raise self._damaged(name, error) from error

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def _read(self, name: str, count: int) -> bytes:
        try:
            with self._archive.open(self._entries[name]) as stream:
                return stream.read(count)
        except _DAMAGED as error:
            raise self._damaged(name, error) from error

    def _damaged(self, name: str, error: Exception) -> InputError:
        return InputError(
            f"File '{shown(name)}' in '{shown(self._path.name)}' cannot be read ({shown(error)}).",
            remedy="Make the archive again.",
        )


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError) as error:
        raise unreadable(path, error, "zip") from error
