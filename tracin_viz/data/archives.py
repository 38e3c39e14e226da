"""What no archive may hold, whatever its kind, and which kind a file is.

Archives are read in place, never unpacked to disk, and checked as a whole before the first byte is read.
What is refused, and what would happen otherwise: names that leave the folder (zip-slip), links (reading
other files), encrypted entries (cannot be read), archives inside (bombs by nesting), and sizes, counts or
ratios that no data set has (decompression bombs, also by overlapping entries).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tracin_viz.data.files import Files, is_litter, is_readable
from tracin_viz.data.problems import shown
from tracin_viz.errors import InputError

#: Endings of the archives that are read.
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
MAX_FILES = 2_000_000
#: Sum of the sizes of all files once read.
MAX_TOTAL = 1 << 40
#: Unpacked bytes per packed byte, over the whole archive and for a file that is large once unpacked.
MAX_RATIO = 200
#: Below this a high ratio harms nobody: an empty 1 MB bitmap packs a thousandfold.
RATIO_MATTERS = 1 << 24

NESTED = frozenset({".zip", ".tar", ".gz", ".tgz", ".bz2", ".tbz2", ".xz", ".txz", ".zst", ".7z", ".rar"})
#: Checkpoints that are called so by custom and are no archives.
_NO_ARCHIVE = (".pth.tar", ".pt.tar")
#: Bytes that ``Archive.pieces`` gives at once.
PIECE = 1 << 20
_DRIVE = re.compile(r"^[A-Za-z]:")


@dataclass(frozen=True)
class Entry:
    """One file in an archive.

    Attributes:
        name: As the archive has it.
        size: Bytes once read.
        packed: Bytes in the archive; 0 where files are packed together.
    """

    name: str
    size: int
    packed: int = 0


class Archive(Files, Protocol):
    """The files of an archive, which can also be read piece by piece."""

    def pieces(self, name: str) -> Iterator[bytes]:
        """The bytes of one file, ``PIECE`` at once; InputError where they are damaged."""


def is_archive(path: Path) -> bool:
    """Whether a file of this name is an archive that can be read."""
    return path.name.lower().endswith(ARCHIVES) and not path.is_dir()


def open_archive(path: Path) -> Archive:
    """The files of an archive, by the ending of its name.

    Raises:
        InputError: It is damaged, or has anything in it that is refused (see the module).
    """
    from tracin_viz.data.tar_files import TarFiles  # both import the checks of this module
    from tracin_viz.data.zip_files import ZipFiles

    return ZipFiles(path) if path.suffix.lower() == ".zip" else TarFiles(path)


def check_amount(path: Path, files: int, total: int) -> None:
    """Refuse an archive of so many files or bytes."""
    if files > MAX_FILES:
        raise refused(path, f"holds {files:,} files; at most {MAX_FILES:,} are read")
    if total > MAX_TOTAL:
        raise refused(path, f"would be {total >> 30:,} GiB once read; at most {MAX_TOTAL >> 30:,} GiB are")
    # Against the file's own size, not the declared packed sizes: overlapping entries count those twice.
    if total > RATIO_MATTERS and total > MAX_RATIO * path.stat().st_size:
        raise refused(path, f"grows more than {MAX_RATIO}-fold when it is read")


def check_entry(path: Path, entry: Entry) -> None:
    """Refuse an archive with this entry in it."""
    name = entry.name
    parts = name.split("/")
    if name.startswith("/") or ".." in name.replace("\\", "/").split("/") or _DRIVE.match(name):
        raise refused(path, f"holds '{shown(name)}', a name that leads out of its folder")
    if not is_readable(name) or "\\" in name or "" in parts or "." in parts:
        raise refused(path, f"holds '{shown(name)}', a name that is not a plain path")
    if Path(name).suffix.lower() in NESTED and not name.lower().endswith(_NO_ARCHIVE):
        raise refused(path, f"holds '{shown(name)}', an archive inside the archive")
    if entry.packed and entry.size > RATIO_MATTERS and entry.size > MAX_RATIO * entry.packed:
        raise refused(path, f"holds '{shown(name)}', which grows more than {MAX_RATIO}-fold when it is read")


def kept(path: Path, names: Sequence[str]) -> list[str]:
    """Sorted ``names`` without what file managers leave behind.

    Raises:
        InputError: Two are the same.
    """
    found = sorted(name for name in names if not any(map(is_litter, name.split("/"))))
    if len(set(found)) != len(found):
        raise refused(path, "holds two files of the same name")
    return found


def refused(path: Path, why: str) -> InputError:
    """The error for an archive that is not read at all."""
    return InputError(
        f"Archive '{shown(path.name)}' {why}; nothing of it was read.",
        remedy="Make a plain zip or tar of the folder itself, without password, links or archives in it.",
    )


def unreadable(path: Path, error: Exception, kind: str) -> InputError:
    """The error for a file that is no archive of its kind."""
    return InputError(
        f"'{shown(path.name)}' is not a {kind} archive that can be read ({shown(error)}).",
        remedy="Make the archive again, or give the folder itself.",
    )
