"""Files on their way from a browser to the disk: appended piece by piece, resumable, never held in memory.

    uploads/<id>/upload.json         what was announced: paths and sizes
    uploads/<id>/arriving/<path>     a file while it arrives; only its length says how far it is
    uploads/<id>/data/<path>         the same folder, renamed when all are whole: its presence says so

Names come from a browser: they are checked before anything is made, and an upload is found by its random
identifier only.
"""

from __future__ import annotations

import json
import re
import shutil
import threading
import time
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tracin_viz.errors import InputError, NotFoundError, ReadOnlyError
from tracin_viz.portable import rename_durably, sync_file
from tracin_viz.store.upload_limits import (
    AnnouncedFile,
    UploadLimits,
    check_announced,
    check_disk,
    write_error,
)

DATA = "data"
ARRIVING = "arriving"
RECORD = "upload.json"
_ID = re.compile(r"[0-9a-f]{32}")
#: Seconds after which an upload that does not go on, or that no audit uses, is removed.
UNFINISHED_AGE = 24 * 3600.0
UNUSED_AGE = 7 * 24 * 3600.0
#: Bytes between two looks at the free disk space.
_LOOK = 1 << 24


class OffsetError(InputError):
    """A piece was sent for another place than the file's end.

    Attributes:
        offset: Where the next piece belongs.
    """

    def __init__(self, offset: int) -> None:
        super().__init__("The piece does not follow what has arrived.", remedy=f"Go on from byte {offset}.")
        self.offset = offset


@dataclass(frozen=True)
class Upload:
    """An upload as it is now.

    Attributes:
        id: Random name.
        files: What was announced.
        offsets: Bytes of each file that have arrived.
        finished: Whether everything is there under its name.
    """

    id: str
    files: tuple[AnnouncedFile, ...]
    offsets: tuple[int, ...]
    finished: bool


class Uploads:
    """The uploads of a workspace.

    Args:
        folder: Where they lie; made on first use.
        limits: How much may come in.
        read_only: Whether every change is refused (``ReadOnlyError``).
    """

    def __init__(self, folder: Path, limits: UploadLimits | None = None, *, read_only: bool = False) -> None:
        self.folder = folder
        self._read_only = read_only
        self.limits = limits or UploadLimits.from_environment()
        self._lock = threading.Lock()
        self._writers: dict[tuple[str, int], Writer] = {}

    def begin(self, announced: Sequence[Mapping[str, Any]]) -> Upload:
        """Start an upload of these files, or go on with an unfinished one of exactly the same.

        Args:
            announced: ``{"path", "size", "changed"}`` of each file: relative path, bytes, time of change.

        Raises:
            InputError: A name or size that cannot be, too much of either, or too little free disk.
        """
        self._require_writable()
        files = check_announced(announced, self.limits)
        same = self._unfinished_like(files)
        missing = sum(file.size for file in files) - (sum(same.offsets) if same else 0)
        check_disk(self.folder, missing, self.limits)
        if same:
            return same
        folder = self.folder / uuid.uuid4().hex
        for file in files:
            (folder / ARRIVING / file.path).parent.mkdir(parents=True, exist_ok=True)
        (folder / RECORD).write_text(json.dumps({"files": [file.as_dict() for file in files]}))
        return self.state(folder.name)

    def state(self, identifier: str) -> Upload:
        """How far upload ``identifier`` is.

        Raises:
            NotFoundError: There is none of that name.
        """
        folder = self._folder(identifier)
        try:
            listed = json.loads((folder / RECORD).read_text())["files"]
        except (OSError, ValueError, KeyError) as error:
            raise _unknown(identifier) from error
        files = tuple(AnnouncedFile(**entry) for entry in listed)
        finished = (folder / DATA).is_dir()
        offsets = tuple(file.size if finished else _length(folder / ARRIVING / file.path) for file in files)
        return Upload(identifier, files, offsets, finished)

    def writer(self, identifier: str, number: int, offset: int) -> Writer:
        """The way to append to file ``number`` from byte ``offset`` on; an older writer of it ends.

        Raises:
            NotFoundError: No such upload or file.
            OffsetError: The file does not end at ``offset``.
        """
        self._require_writable()
        with self._lock:
            upload = self.state(identifier)
            if not 0 <= number < len(upload.files):
                raise _unknown(f"{identifier}/{number}")
            if upload.finished or upload.offsets[number] != offset:
                raise OffsetError(upload.offsets[number])
            file = upload.files[number]
            place = self._folder(identifier) / ARRIVING / file.path
            made = Writer(self, place, file, (identifier, number))
            self._writers[identifier, number] = made
            return made

    def finish(self, identifier: str) -> Upload:
        """Give the files their names if all have arrived; afterwards all are there, or none.

        Raises:
            NotFoundError: There is no such upload.
        """
        self._require_writable()
        with self._lock:
            upload = self.state(identifier)
            sizes = tuple(file.size for file in upload.files)
            if upload.finished or upload.offsets != sizes:
                return upload
            folder = self._folder(identifier)
            for number, file in enumerate(upload.files):
                self._writers.pop((identifier, number), None)
                (folder / ARRIVING / file.path).touch()  # an empty file never had a piece
                sync_file(folder / ARRIVING / file.path)
            rename_durably(folder / ARRIVING, folder / DATA)
            return self.state(identifier)

    def remove(self, identifier: str) -> None:
        """Forget an upload and delete what has arrived; unknown ones are no error."""
        self._require_writable()
        if _ID.fullmatch(identifier):
            shutil.rmtree(self.folder / identifier, ignore_errors=True)

    def path(self, identifier: str) -> Path:
        """What was uploaded: the file itself, or the folder that holds everything.

        Raises:
            NotFoundError: There is no finished upload of that name.
        """
        upload = self.state(identifier)
        data = self._folder(identifier) / DATA
        if not upload.finished:
            raise NotFoundError(
                "The upload is not finished.", remedy="Choose the same files again: it goes on where it was."
            )
        # A chosen folder arrives as one folder. Only that level is taken off: below it, names have meaning.
        inside = list(data.iterdir())
        return inside[0] if len(inside) == 1 else data

    def sweep(self, in_use: Collection[Path], *, now: float | None = None) -> list[str]:
        """Remove unfinished uploads that stand still and finished ones that no audit needs.

        Args:
            in_use: Paths that audits read.
            now: Seconds since the epoch; the present where not given.

        Returns:
            Identifiers of the removed ones.
        """
        moment = time.time() if now is None else now
        removed = []
        for folder in self.folder.iterdir() if self.folder.is_dir() else ():
            if not _ID.fullmatch(folder.name) or any(path.is_relative_to(folder) for path in in_use):
                continue
            finished = (folder / DATA).is_dir()
            if moment - _touched(folder) > (UNUSED_AGE if finished else UNFINISHED_AGE):
                self.remove(folder.name)
                removed.append(folder.name)
        return removed

    def is_current(self, key: tuple[str, int], writer: Writer) -> bool:
        """Whether no newer writer has taken the place of ``writer``."""
        return self._writers.get(key) is writer

    def _require_writable(self) -> None:
        if self._read_only:
            raise ReadOnlyError()

    def _folder(self, identifier: str) -> Path:
        if not _ID.fullmatch(identifier):
            raise _unknown(identifier)
        return self.folder / identifier

    def _unfinished_like(self, files: tuple[AnnouncedFile, ...]) -> Upload | None:
        for folder in self.folder.iterdir() if self.folder.is_dir() else ():
            if _ID.fullmatch(folder.name) and (folder / ARRIVING).is_dir() and (folder / RECORD).is_file():
                found = self.state(folder.name)
                if found.files == files and not found.finished:
                    return found
        return None


class Writer:
    """Appends pieces to one file of an upload; see ``Uploads.writer``."""

    def __init__(self, uploads: Uploads, place: Path, file: AnnouncedFile, key: tuple[str, int]) -> None:
        self._uploads = uploads
        self._place = place
        self._file = file
        self._key = key
        self._lock = threading.Lock()
        self._unlooked = _LOOK  # the first piece looks at the disk too
        self.offset = _length(place)

    def write(self, piece: bytes) -> None:
        """Append ``piece``; handed to the operating system when this returns.

        Raises:
            InputError: It is more than was announced, or the upload was ended or taken over.
            StoreError: The disk is too full, or cannot be written.
        """
        if self.offset + len(piece) > self._file.size:
            raise InputError(
                f"More arrived than the {self._file.size:,} bytes announced for this file.",
                remedy="Start the upload again; the file may have changed meanwhile.",
            )
        self._unlooked += len(piece)
        if self._unlooked >= _LOOK:
            self._unlooked = 0
            check_disk(self._uploads.folder, len(piece), self._uploads.limits)
        with self._lock:
            if not self._uploads.is_current(self._key, self):
                raise InputError("This upload goes on in another place.", remedy="Nothing needs to be done.")
            try:
                with self._place.open("ab", buffering=0) as stream:
                    stream.write(piece)
            except FileNotFoundError as error:
                raise InputError("This upload was cancelled.", remedy="Start it again.") from error
            except OSError as error:
                raise write_error(error, self._uploads.folder) from error
            self.offset += len(piece)


def _length(place: Path) -> int:
    return place.stat().st_size if place.is_file() else 0


def _touched(folder: Path) -> float:
    return max((path.stat().st_mtime for path in (folder, *folder.rglob("*"))), default=0.0)


def _unknown(identifier: str) -> NotFoundError:
    return NotFoundError(f"There is no upload '{identifier[:40]}'.", remedy="Choose the files again.")
