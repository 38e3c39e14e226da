"""Which folders of this computer a page may open: a browser must not read any file that the server can.

The command line is not limited: who types there can read those files anyway.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tracin_viz.errors import InputError

VARIABLE = "TRACIN_VIZ_ROOTS"
TRUST_VARIABLE = "TRACIN_VIZ_TRUST_CODE"
#: Entries of one folder that are listed.
LISTED = 500


@dataclass(frozen=True)
class Entry:
    """One line of a folder's listing.

    Attributes:
        name: Of the file or folder.
        path: In full.
        is_folder: Whether it can be opened.
        size: Bytes of a file.
    """

    name: str
    path: Path
    is_folder: bool
    size: int


def roots() -> tuple[Path, ...]:
    """The folders in ``$TRACIN_VIZ_ROOTS`` (written like ``$PATH``), else the home and the current folder."""
    given = os.environ.get(VARIABLE, "")
    places = [Path(part) for part in given.split(os.pathsep) if part] or [Path.home(), Path.cwd()]
    return tuple(dict.fromkeys(place.expanduser().resolve() for place in places))


def code_is_trusted() -> bool:
    """Whether whoever started the server allows pages to run Python files of its visitors."""
    return os.environ.get(TRUST_VARIABLE, "").strip().lower() in ("1", "true", "yes", "on")


def inside_roots(path: str, *, also: Sequence[Path] = ()) -> Path:
    """``path`` in full, links followed, if a page may open it.

    Args:
        path: As it was typed; ``~`` is the home folder.
        also: Further folders that are allowed (the workspace's uploads).

    Raises:
        InputError: It lies elsewhere; the message names the folders that are allowed.
    """
    allowed = roots()
    try:
        full = Path(path).expanduser()
        full = (full if full.is_absolute() else Path.cwd() / full).resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise InputError(
            f"'{path[:200]}' is not a path.", remedy="Type or choose a folder or file."
        ) from error
    if not any(full.is_relative_to(root) for root in (*allowed, *also)):
        raise InputError(
            f"'{path[:200]}' lies outside the folders that this app may open: "
            f"{', '.join(map(str, allowed))}.",
            remedy=f"Copy it there, upload it, or start the app with {VARIABLE} set to its folder.",
        )
    return full


def listing(folder: Path) -> list[Entry]:
    """What is in ``folder``, folders first; hidden entries are left out.

    Raises:
        InputError: It cannot be read.
    """
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                is_folder = entry.is_dir()
                size = 0 if is_folder else entry.stat(follow_symlinks=False).st_size
                found.append(Entry(entry.name, Path(entry.path), is_folder, size))
                if len(found) >= 20 * LISTED:
                    break  # a folder of a million images: its first names are enough to recognise it
    except OSError as error:
        raise InputError(
            f"The folder {folder} cannot be read: {error.strerror}.", remedy="Choose another one."
        ) from error
    return sorted(found, key=lambda one: (not one.is_folder, one.name.lower()))[:LISTED]
