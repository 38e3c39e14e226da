"""Which encoding a text file has, decided over all of it and said aloud where it is not UTF-8."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tracin_viz.data.problems import ProblemList, shown
from tracin_viz.errors import InputError

_PIECE = 1 << 20
_UNDECODED = re.compile("[\udc80-\udcff]")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: Bytes that Windows-1252 gives no sign to.
_NO_SIGN = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")


@dataclass(frozen=True)
class TextFile:
    """A text file that can be opened several times.

    Attributes:
        name: For messages.
        open: Opens it for reading bytes.
        size: Bytes.
    """

    name: str
    open: Callable[[], BinaryIO]
    size: int

    def text(self, encoding: str, *, newline: str = "", errors: str = "strict") -> io.TextIOWrapper:
        """The file opened for reading text."""
        return io.TextIOWrapper(self.open(), encoding=encoding, newline=newline, errors=errors)

    @classmethod
    def at(cls, path: Path, name: str | None = None) -> TextFile:
        """The file at ``path``."""
        return cls(name or path.name, lambda: path.open("rb"), path.stat().st_size)

    @classmethod
    def of(cls, content: bytes, name: str) -> TextFile:
        """A file whose bytes are in memory."""
        return cls(name, lambda: io.BytesIO(content), len(content))


def find_encoding(file: TextFile, problems: ProblemList | None = None) -> str:
    """The encoding of all of ``file``: UTF-8, UTF-16 or UTF-32 with a mark, or Windows-1252.

    Args:
        file: Which.
        problems: Gets a note for each line that is not UTF-8 where the file is read as Windows-1252, since
            nothing in a file can prove that.

    Raises:
        InputError: It is no text, or some lines are UTF-8 and others are not; ``problems`` of the error
            names those lines.
    """
    with file.open() as stream:
        start = stream.read(4096)
    for mark, name in _MARKS:
        if start.startswith(mark):
            _check(file, name)
            return name
    if b"\0" in start:
        return _without_mark(file, start)
    if _decodes(file, "utf-8"):
        return "utf-8"
    bad, good = _odd_lines(file)
    if good or not _is_windows(file):
        raise _mixed(file, bad)
    if problems is not None:
        problems.add_many(
            "encoding",
            where=lambda place: f"{file.name} line {bad[place]}",
            count=len(bad),
            message="It has bytes that are not UTF-8; the file was read as Windows-1252.",
            remedy="Look at the signs in that line; if they are wrong, save the file as UTF-8.",
        )
    return "cp1252"


def _without_mark(file: TextFile, start: bytes) -> str:
    even, odd = start[0::2].count(0), start[1::2].count(0)
    for name, zeros, others in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if zeros > len(start) // 4 and not others and _decodes(file, name):
            return name
    raise _no_text(file)


def _check(file: TextFile, name: str) -> None:
    if not _decodes(file, name):
        raise InputError(
            f"'{shown(file.name)}' says it is in {name.upper()}, but some of it is not.",
            remedy="Save it as UTF-8 and try again.",
        )


def _decodes(file: TextFile, name: str) -> bool:
    decoder = codecs.getincrementaldecoder(name)()
    with file.open() as stream:
        try:
            while piece := stream.read(_PIECE):
                decoder.decode(piece)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _is_windows(file: TextFile) -> bool:
    with file.open() as stream:
        while piece := stream.read(_PIECE):
            if b"\0" in piece or _NO_SIGN.search(piece):
                return False
    return True


def _odd_lines(file: TextFile) -> tuple[list[int], bool]:
    """Numbers of the lines that are not UTF-8, and whether another has signs beyond ASCII that are."""
    bad: list[int] = []
    good = False
    with file.text("utf-8", errors="surrogateescape", newline="\n") as text:
        for number, line in enumerate(text, start=1):
            if _UNDECODED.search(line):
                bad.append(number)
            elif not line.isascii():
                good = True
    return bad, good


def _mixed(file: TextFile, bad: list[int]) -> InputError:
    problems = ProblemList()
    problems.add_many(
        "encoding",
        where=lambda place: f"{file.name} line {bad[place]}",
        count=len(bad),
        message="It has bytes that are not UTF-8.",
        remedy="Correct that line.",
    )
    return InputError(
        f"'{shown(file.name)}' is not in UTF-8 (lines: {len(bad)}, the first is line {bad[0]}), nor as a "
        "whole in another encoding.",
        remedy="Save it as UTF-8 and try again.",
        problems=problems.as_tuple(),
    )


def _no_text(file: TextFile) -> InputError:
    return InputError(
        f"'{shown(file.name)}' has zero bytes: it is no text, or in an encoding without a mark.",
        remedy="Save it as UTF-8 and try again.",
    )
