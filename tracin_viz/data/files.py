"""Named files under one roof, whether a folder or an archive holds them."""

from __future__ import annotations

import os
import stat
import zlib
from pathlib import Path
from typing import Protocol

from tracin_viz.data.problems import ProblemList, shown
from tracin_viz.errors import InputError

#: What file managers leave behind; never part of the data.
LITTER = frozenset({"thumbs.db", "desktop.ini", "__macosx"})


class Files(Protocol):
    """Files by relative path with ``/`` between the parts. Reading is safe from several threads."""

    @property
    def names(self) -> list[str]:
        """All files, sorted."""

    def size(self, name: str) -> int:
        """Bytes of that file once read."""

    def read(self, name: str, limit: int) -> bytes:
        """The file's bytes; InputError where there are more than ``limit``."""

    def checksum(self, name: str) -> int:
        """CRC-32 of the file's bytes."""


class FolderFiles:
    """The files of a folder. Links are followed only to files inside that same folder."""

    def __init__(self, root: Path, problems: ProblemList) -> None:
        self.root = root.resolve()
        self._sizes = dict(self._walk(problems))
        self._names = sorted(self._sizes)

    @property
    def names(self) -> list[str]:
        """All files, sorted."""
        return self._names

    def size(self, name: str) -> int:
        """Bytes of that file when the folder was opened."""
        return self._sizes[name]

    def read(self, name: str, limit: int) -> bytes:
        """The file's bytes.

        Raises:
            InputError: It has more than ``limit`` bytes, or is gone or unreadable.
        """
        try:
            with (self.root / name).open("rb") as stream:
                content = stream.read(limit + 1)
        except OSError as error:
            raise InputError(
                f"File '{shown(name)}' cannot be read: {shown(error.strerror or error)}.",
                remedy="Put it back, or open the folder again.",
            ) from error
        return within(content, name, limit=limit)

    def checksum(self, name: str) -> int:
        """CRC-32 of the file's bytes, read in pieces of 1 MiB."""
        value = 0
        with (self.root / name).open("rb") as stream:
            while piece := stream.read(1 << 20):
                value = zlib.crc32(piece, value)
        return value

    def _walk(self, problems: ProblemList) -> list[tuple[str, int]]:
        found: list[tuple[str, int]] = []
        for folder, folders, names in os.walk(self.root, onerror=_raise):
            here = Path(folder)
            folders[:] = [name for name in folders if not is_litter(name)]
            for name in folders:
                if (here / name).is_symlink():
                    _left_out(problems, (here / name).relative_to(self.root), why="is a link to a folder")
            inside = here.relative_to(self.root)
            for name in names:
                if is_litter(name):
                    continue
                if not str(inside / name).isprintable():
                    _left_out(problems, inside / name, why="has a name that is not readable text")
                elif (size := self._plain_size(here / name)) is None:
                    _left_out(
                        problems,
                        inside / name,
                        why="is a link that leads out of the folder, or no plain file",
                    )
                else:
                    found.append(((inside / name).as_posix(), size))
        return found

    def _plain_size(self, path: Path) -> int | None:
        """Bytes of a plain file, or of one inside the folder that a link leads to; else ``None``."""
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode):
            if not path.is_file() or not path.resolve().is_relative_to(self.root):
                return None
            found = path.stat()
        return found.st_size if stat.S_ISREG(found.st_mode) else None


def is_litter(name: str) -> bool:
    """Whether a file or folder of that name is hidden or left behind by a file manager."""
    return name.startswith(".") or name.lower() in LITTER


def within(content: bytes, name: str, *, limit: int) -> bytes:
    """``content``, refused where it is longer than ``limit``."""
    if len(content) > limit:
        raise InputError(
            f"File '{shown(name)}' has more than {limit >> 20} MiB.", remedy="Replace it by a smaller one."
        )
    return content


def _left_out(problems: ProblemList, relative: Path, *, why: str) -> None:
    problems.add(
        "left out",
        where=relative.as_posix(),
        message=f"It {why}, and was left out.",
        remedy="Put a plain file with a plain name in its place.",
    )


def _raise(error: OSError) -> None:
    raise error
