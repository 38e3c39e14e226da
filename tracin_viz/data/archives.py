"""Zip archives read in place: never unpacked to disk, and checked as a whole before the first byte is read.

What is refused, and what would happen otherwise: names that leave the folder (zip-slip), links (reading
other files), encrypted entries (cannot be read), archives inside (bombs by nesting), and sizes, counts or
ratios that no data set has (decompression bombs, also by overlapping entries).
"""

from __future__ import annotations

import re
import stat
import zipfile
import zlib
from pathlib import Path

from tracin_viz.data.files import is_litter, within
from tracin_viz.data.problems import shown
from tracin_viz.errors import InputError

MAX_FILES = 2_000_000
#: Sum of the sizes of all files once read.
MAX_TOTAL = 1 << 40
#: Unpacked bytes per packed byte, over the whole archive and for a file that is large once unpacked.
MAX_RATIO = 200
#: Below this a high ratio harms nobody: an empty 1 MB bitmap packs a thousandfold.
RATIO_MATTERS = 1 << 24

NESTED = frozenset({".zip", ".tar", ".gz", ".tgz", ".bz2", ".tbz2", ".xz", ".txz", ".zst", ".7z", ".rar"})
_DRIVE = re.compile(r"^[A-Za-z]:")


class ZipFiles:
    """The files of a zip archive, by relative path.

    Args:
        path: The archive; it stays open for as long as this object lives.

    Raises:
        InputError: It is damaged, or has anything in it that is refused (see the module).
    """

    def __init__(self, path: Path) -> None:
        self._archive = _opened(path)
        entries = [entry for entry in self._archive.infolist() if not entry.is_dir()]
        _check_amount(path, entries)
        for entry in entries:
            _check_entry(path, entry)
        kept = [entry for entry in entries if not any(map(is_litter, entry.filename.split("/")))]
        self._entries = {entry.filename: entry for entry in kept}
        if len(self._entries) != len(kept):
            raise _refused(path, "holds two files of the same name")
        self._path = path

    @property
    def names(self) -> list[str]:
        """All files, sorted."""
        return sorted(self._entries)

    def size(self, name: str) -> int:
        """Bytes of that file once read, as the archive declares them."""
        return self._entries[name].file_size

    def read(self, name: str, limit: int) -> bytes:
        """The file's bytes, checked against the archive's checksum.

        Raises:
            InputError: It has more than ``limit`` bytes, or is damaged.
        """
        try:
            with self._archive.open(self._entries[name]) as stream:
                content = stream.read(limit + 1)
                # zipfile compares the checksum only when it reaches the end of the data.
                return within(content, name, limit=limit)
        except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, ValueError) as error:
            raise InputError(
                f"File '{shown(name)}' in '{shown(self._path.name)}' cannot be read ({shown(error)}).",
                remedy="Make the archive again.",
            ) from error

    def checksum(self, name: str) -> int:
        """CRC-32 of the file's bytes, from the archive's directory."""
        return self._entries[name].CRC


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError) as error:
        raise InputError(
            f"'{shown(path.name)}' is not a zip archive that can be read ({shown(error)}).",
            remedy="Make the archive again, or give the folder itself.",
        ) from error


def _check_amount(path: Path, entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MAX_FILES:
        raise _refused(path, f"holds {len(entries):,} files; at most {MAX_FILES:,} are read")
    total = sum(entry.file_size for entry in entries)
    if total > MAX_TOTAL:
        raise _refused(path, f"would be {total >> 30:,} GiB once read; at most {MAX_TOTAL >> 30:,} GiB are")
    # Against the file's own size, not the declared packed sizes: overlapping entries count those twice.
    if total > RATIO_MATTERS and total > MAX_RATIO * path.stat().st_size:
        raise _refused(path, f"grows more than {MAX_RATIO}-fold when it is read")


def _check_entry(path: Path, entry: zipfile.ZipInfo) -> None:
    name = entry.filename
    parts = name.split("/")
    if name.startswith("/") or ".." in name.replace("\\", "/").split("/") or _DRIVE.match(name):
        raise _refused(path, f"holds '{shown(name)}', a name that leads out of its folder")
    if not name.isprintable() or "\\" in name or "" in parts or "." in parts:
        raise _refused(path, f"holds '{shown(name)}', a name that is not a plain path")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise _refused(path, f"holds '{shown(name)}', which is a link")
    if entry.flag_bits & 0x1:
        raise _refused(path, f"holds '{shown(name)}', which is encrypted")
    if Path(name).suffix.lower() in NESTED:
        raise _refused(path, f"holds '{shown(name)}', an archive inside the archive")
    if entry.file_size > RATIO_MATTERS and entry.file_size > MAX_RATIO * max(entry.compress_size, 1):
        raise _refused(path, f"holds '{shown(name)}', which grows more than {MAX_RATIO}-fold when it is read")


def _refused(path: Path, why: str) -> InputError:
    return InputError(
        f"Archive '{shown(path.name)}' {why}; nothing of it was read.",
        remedy="Make a plain zip of the image folder itself, without password, links or archives inside.",
    )
