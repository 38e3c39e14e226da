"""Sentences and pictures that readers gave as queries, kept for a while so that links show them to others.

    audits/<name>/queries/<digest>.text or .image

The name is a digest of the content: the same picture has the same address, and an address says nothing about
a sentence. They lie in the workspace and nowhere else, are no part of the data, and go when nobody has opened
them for a month or when others need the room.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
import uuid
from pathlib import Path

from tracin_viz.errors import InputError, NotFoundError, ReadOnlyError
from tracin_viz.fingerprint import fingerprint
from tracin_viz.portable import rename_durably, sync_file

KINDS = ("text", "image")
#: Bytes of one, by kind; a sentence of 2,000 signs has at most four bytes for each.
LARGEST = {"text": 8_000, "image": 20 << 20}
#: How many an audit keeps, their bytes together, and the seconds since each was opened last.
KEPT = 500
TOTAL = 200 << 20
AGE = 30 * 24 * 3600.0
_NAME = re.compile(r"[0-9a-f]{40}")


class OwnQueries:
    """The queries that readers gave to one audit.

    Args:
        folder: Where they lie; made on first use.
        read_only: Whether none may be added; those that are there can be opened.
    """

    def __init__(self, folder: Path, *, read_only: bool = False) -> None:
        self._folder = folder
        self._read_only = read_only

    def keep(self, kind: str, content: bytes) -> str:
        """Keep a query, and remove old ones; returns its name.

        Args:
            kind: ``"text"`` (UTF-8) or ``"image"`` (a file's bytes).
            content: What it consists of.

        Raises:
            InputError: It is empty or too large.
            ReadOnlyError: Nothing may be added here.
        """
        if self._read_only:
            raise ReadOnlyError()
        if not 0 < len(content) <= LARGEST[kind]:
            raise InputError(
                f"The {kind} has {len(content):,} bytes; an own query may have 1 to {LARGEST[kind]:,}.",
                remedy="Give a shorter sentence." if kind == "text" else "Give a smaller picture.",
            )
        name = fingerprint([kind, content])
        path = self._path(name, kind)
        self._folder.mkdir(parents=True, exist_ok=True)
        if self._whole(name, kind) is None:
            part = self._folder / f"{uuid.uuid4().hex}.part"
            part.write_bytes(content)
            sync_file(part)
            rename_durably(part, path)
        os.utime(path)
        self._tidy(but=path)
        return name

    def get(self, name: str) -> tuple[str, bytes]:
        """Kind and content of the query ``name``.

        Raises:
            NotFoundError: None of that name is kept (any more), or what is there is not what was kept.
        """
        # The name comes from an address: nothing but a digest ever becomes part of a path.
        for kind in KINDS if _NAME.fullmatch(name) else ():
            content = self._whole(name, kind)
            if content is not None:
                if not self._read_only:
                    with contextlib.suppress(OSError):  # removed by another visit this moment
                        os.utime(self._path(name, kind))
                return kind, content
        raise NotFoundError(
            "The sentence or picture that this address names is not kept here (any more).",
            remedy="Give it again under 'Your own …' on the Influence page. Such queries are kept for "
            f"{AGE / 86_400:.0f} days after they were last opened, in the workspace where they were given.",
        )

    def _path(self, name: str, kind: str) -> Path:
        return self._folder / f"{name}.{kind}"

    def _whole(self, name: str, kind: str) -> bytes | None:
        """Its content if that has this digest and was opened lately enough."""
        path = self._path(name, kind)
        try:
            found = path.lstat()
            if time.time() - found.st_mtime > AGE or path.is_symlink() or found.st_size > LARGEST[kind]:
                return None
            content = path.read_bytes()
        except OSError:
            return None
        return content if fingerprint([kind, content]) == name else None

    def _tidy(self, *, but: Path) -> None:
        """Remove what is too old, and of the rest what was opened longest ago where there is too much."""
        found = []
        for path in self._folder.iterdir():
            with contextlib.suppress(OSError):
                about = path.lstat()
                found.append((path == but, about.st_mtime, about.st_size, path))
        number, total, now = 0, 0, time.time()
        for kept, opened, size, path in sorted(found, reverse=True):
            number, total = number + 1, total + size
            if not kept and (number > KEPT or total > TOTAL or now - opened > AGE):
                path.unlink(missing_ok=True)
