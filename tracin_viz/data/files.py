"""Named files under one roof, whether a folder or an archive holds them."""

from __future__ import annotations

import os
import posixpath
import re
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from tracin_viz.data.problems import ProblemList, shown
from tracin_viz.errors import InputError

#: Bytes at the beginning of a file that tell it from others of its size.
HEAD = 1 << 14
#: What file managers leave behind; never part of the data.
LITTER = frozenset({"thumbs.db", "desktop.ini", "__macosx"})
#: Folders that programs hide beside data; any other hidden folder may be a class that is missed.
_NO_DATA = frozenset({".git", ".svn", ".hg", ".cache", ".ipynb_checkpoints", ".vscode", ".idea", ".Trashes"})
#: Controls (line breaks among them), and bytes that are no text.
_UNREADABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


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
        """CRC-32 of the file's first ``HEAD`` bytes, continued with its size where there are more.

        Equal files share it and others rarely do; reading whole files would take minutes where there are
        100,000 photographs.
        """

    def __contains__(self, name: object) -> bool: ...


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
        return _read(self.root / name, name, limit)

    def checksum(self, name: str) -> int:
        """CRC-32 of the file's beginning and size."""
        with (self.root / name).open("rb") as stream:
            return head_checksum(stream.read(HEAD), os.fstat(stream.fileno()).st_size)

    def __contains__(self, name: object) -> bool:
        return name in self._sizes

    def _walk(self, problems: ProblemList) -> Iterator[tuple[str, int]]:
        """Relative name and size of each plain file, folder by folder."""
        waiting = [""]
        while waiting:
            inside = waiting.pop()
            with os.scandir(self.root / inside) as entries:
                for entry in entries:
                    name = f"{inside}{entry.name}"
                    if is_litter(entry.name):
                        if entry.name not in _NO_DATA and entry.is_dir(follow_symlinks=False):
                            _hidden(problems, name)
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(f"{name}/")
                    elif not is_readable(name):
                        _left_out(problems, name, why="has a name that is not readable text")
                    elif entry.is_symlink() and entry.is_dir():
                        _left_out(problems, name, why="is a link to a folder")
                    elif (size := self._plain_size(entry)) is None:
                        _left_out(
                            problems, name, why="is a link that leads out of the folder, or no plain file"
                        )
                    else:
                        yield name, size

    def _plain_size(self, entry: os.DirEntry[str]) -> int | None:
        """Bytes of a plain file, or of one inside the folder that a link leads to; else ``None``."""
        if entry.is_symlink():
            path = Path(entry.path)
            if not path.is_file() or not path.resolve().is_relative_to(self.root):
                return None
        return entry.stat().st_size if entry.is_file() else None


def head_checksum(head: bytes, size: int) -> int:
    """CRC-32 of a file's first ``HEAD`` bytes, continued with its size where there are more."""
    value = zlib.crc32(head)
    return value if size <= HEAD else zlib.crc32(str(size).encode(), value)


class PathFiles:
    """Files that a table names, in the folder of that table; the folder is not looked through.

    A file counts only if it lies inside the folder, also after following links.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self._folders: dict[str, bool] = {}

    @property
    def names(self) -> list[str]:
        """None: they are known by asking."""
        return []

    def size(self, name: str) -> int:
        """Bytes of that file."""
        return (self.root / name).stat().st_size

    def read(self, name: str, limit: int) -> bytes:
        """The file's bytes.

        Raises:
            InputError: It has more than ``limit`` bytes, is gone, unreadable, or outside of the folder.
        """
        if name not in self:
            raise InputError(
                f"File '{shown(name)}' is not in '{shown(self.root.name)}'.", remedy="Put it (back) there."
            )
        return _read(self.root / name, name, limit)

    def checksum(self, name: str) -> int:
        """CRC-32 of the file's beginning and size."""
        with (self.root / name).open("rb") as stream:
            return head_checksum(stream.read(HEAD), os.fstat(stream.fileno()).st_size)

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str):
            return False
        try:
            path = self.root / name
            folder = str(path.parent)
            if folder not in self._folders:
                self._folders[folder] = path.parent.resolve().is_relative_to(self.root)
            found = path.lstat().st_mode
            if stat.S_ISLNK(found):
                return path.resolve().is_relative_to(self.root) and path.is_file()
            return self._folders[folder] and stat.S_ISREG(found)
        except (OSError, ValueError):
            return False


def ending(name: str) -> str:
    """The ending of a file name in lower case, such as ``.png``.

    Not by ``pathlib``, which takes ten times as long and interns every part of every name.
    """
    return posixpath.splitext(name)[1].lower()


def is_litter(name: str) -> bool:
    """Whether a file or folder of that name is hidden or left behind by a file manager."""
    return name.startswith(".") or name.lower() in LITTER


def is_readable(name: str) -> bool:
    """Whether a file name is text on one line.

    Not ``str.isprintable`` alone: that refuses the narrow space in the names of macOS screenshots, the
    joiners of Persian words and of emoji, and the direction signs of Arabic ones.
    """
    return name.isprintable() or not _UNREADABLE.search(name)


def within(content: bytes, name: str, *, limit: int) -> bytes:
    """``content``, refused where it is longer than ``limit``."""
    if len(content) > limit:
        raise InputError(
            f"File '{shown(name)}' has more than {limit >> 20} MiB.", remedy="Replace it by a smaller one."
        )
    return content


def _read(path: Path, name: str, limit: int) -> bytes:
    try:
        with path.open("rb") as stream:
            # Asked for the limit itself, Python would first make room for all of it.
            content = stream.read(min(limit, os.fstat(stream.fileno()).st_size) + 1)
    except OSError as error:
        raise InputError(
            f"File '{shown(name)}' cannot be read: {shown(error.strerror or error)}.",
            remedy="Put it back, or open the folder again.",
        ) from error
    return within(content, name, limit=limit)


def _hidden(problems: ProblemList, name: str) -> None:
    problems.add(
        "hidden folder",
        where=name,
        message="Its name begins with a dot, so it counts as hidden, and was left out.",
        remedy="If it holds examples, rename it.",
    )


def _left_out(problems: ProblemList, name: str, *, why: str) -> None:
    problems.add(
        "left out",
        where=name,
        message=f"It {why}, and was left out.",
        remedy="Put a plain file with a plain name in its place.",
    )
