"""What a browser may send: names that stay inside their folder, sizes and numbers that fit, free disk."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tracin_viz.errors import InputError, StoreError

MAX_BYTES_VARIABLE = "TRACIN_VIZ_MAX_UPLOAD_BYTES"
KEEP_FREE_VARIABLE = "TRACIN_VIZ_KEEP_FREE_BYTES"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DRIVE = re.compile(r"^[A-Za-z]:")


@dataclass(frozen=True)
class UploadLimits:
    """How much may come in.

    Attributes:
        largest: Bytes of one upload, all its files together.
        keep_free: Bytes of the disk that an upload must leave free.
        files: Files of one upload; a data set of more belongs into one archive.
    """

    largest: int = 20 << 30
    keep_free: int = 1 << 30
    files: int = 5_000

    @classmethod
    def from_environment(cls) -> UploadLimits:
        """The limits, with those that environment variables change."""
        usual = cls()
        return cls(
            largest=_number(MAX_BYTES_VARIABLE, usual.largest),
            keep_free=_number(KEEP_FREE_VARIABLE, usual.keep_free),
        )


@dataclass(frozen=True)
class AnnouncedFile:
    """One file that a browser wants to send.

    Attributes:
        path: Relative, with ``/`` between folders.
        size: Bytes.
        changed: When it was changed last, as the browser says: tells two files of one name and size apart.
    """

    path: str
    size: int
    changed: int

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


def check_announced(
    announced: Sequence[Mapping[str, Any]], limits: UploadLimits
) -> tuple[AnnouncedFile, ...]:
    """The files that a browser announced.

    Raises:
        InputError: A name would leave the folder, two have one name, or it is too much.
    """
    if not announced:
        raise InputError("No file was chosen.", remedy="Choose a file or a folder.")
    if len(announced) > limits.files:
        raise InputError(
            f"{len(announced):,} files are more than the {limits.files:,} that one upload may have.",
            remedy="Put them into one zip file, or give the folder's path on this computer.",
        )
    files = tuple(_announced(entry) for entry in announced)
    total = sum(file.size for file in files)
    if total > limits.largest:
        raise InputError(
            f"{readable(total)} are more than the {readable(limits.largest)} that may be uploaded at once.",
            remedy="Copy the data to the computer the app runs on and give their path. The limit is "
            f"{MAX_BYTES_VARIABLE}.",
        )
    names = {file.path for file in files}
    folders = {str(parent) for name in names for parent in Path(name).parents}
    if len(names) < len(files) or names & folders:
        raise InputError("Two of the files have the same name.", remedy="Choose one folder, or one archive.")
    return files


def check_disk(folder: Path, missing: int, limits: UploadLimits) -> None:
    """Refuse what the disk cannot take.

    Args:
        folder: Where it goes.
        missing: Bytes still to come.
        limits: What must stay free.

    Raises:
        StoreError: Too little free space.
    """
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free - missing < limits.keep_free:
        raise StoreError(
            f"The disk has {readable(free)} free; {readable(missing)} would leave less than the "
            f"{readable(limits.keep_free)} kept free.",
            remedy=f"Free some space on the disk of {folder.parent}, or give a path instead of an upload.",
        )


def write_error(error: OSError, folder: Path) -> StoreError:
    """A failed write in words."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreError(
            "The disk is full.", remedy="Free some space; the upload then goes on where it stopped."
        )
    return StoreError(
        f"{folder} cannot be written: {error.strerror or error}.", remedy="Check the rights of that folder."
    )


def readable(size: float) -> str:
    """A number of bytes for people: ``3.2 GB``."""
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def _announced(entry: Mapping[str, Any]) -> AnnouncedFile:
    path, size, changed = (entry.get(name) for name in ("path", "size", "changed"))
    if not isinstance(path, str) or not _plain(path):
        raise InputError(
            f"A file cannot be called '{_CONTROL.sub(' ', str(path))[:80]}'.", remedy="Rename it."
        )
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise InputError("A file has no size.", remedy="Choose the files again.")
    return AnnouncedFile(path, size, changed if isinstance(changed, int) else 0)


def _plain(path: str) -> bool:
    parts = path.split("/")
    return (
        len(path) <= 1000
        and "\\" not in path
        and not _DRIVE.match(path)
        and not _CONTROL.search(path)
        and all(part not in ("", ".", "..") and len(part.encode("utf-8", "replace")) <= 255 for part in parts)
    )


def _number(variable: str, usual: int) -> int:
    value = os.environ.get(variable, "")
    if not value:
        return usual
    if not value.isdecimal():
        raise InputError(f"{variable} is '{value}'.", remedy="Give a number of bytes.")
    return int(value)
