"""Archives of run folders, unpacked among the uploads: mapping weights into memory needs plain files.

    uploads/<beginning of the archive's content key>/data/…    renamed when everything is there

An archive of the same content is unpacked once. What an archive may hold is checked before the first byte is
written (``data.archives``), so that no name leaves the folder.
"""

from __future__ import annotations

import json
import re
import shutil
import tarfile
import uuid
from pathlib import Path

from tracin_viz.data.archives import Archive, is_archive, open_archive
from tracin_viz.data.problems import shown
from tracin_viz.errors import InputError
from tracin_viz.fingerprint import fingerprint_file
from tracin_viz.portable import rename_durably, sync_file
from tracin_viz.store.upload_limits import check_disk, write_error
from tracin_viz.store.uploads import DATA, RECORD, Uploads

_CHECKPOINT = re.compile(r"checkpoint-\d+")


def is_run_archive(path: Path) -> bool:
    """Whether ``path`` is an archive with a run folder in it.

    Checkpoints are called ``.tar`` or ``.pth.tar`` by custom, but are none: torch writes other files.
    """
    if not is_archive(path) or not path.is_file():
        return False
    return path.suffix.lower() != ".tar" or tarfile.is_tarfile(path)


def unpacked(path: Path, uploads: Uploads) -> Path:
    """The run folder in the archive ``path``, unpacked among ``uploads``; any other path as it is.

    Raises:
        InputError: The archive is damaged, or holds anything that is refused; nothing is left behind.
        StoreError: The disk has too little room.
    """
    if not is_run_archive(path):
        return path
    folder = uploads.folder / fingerprint_file(path)[:32]
    if not (folder / DATA).is_dir():
        files = open_archive(path)
        if not files.names:
            raise InputError(
                f"Archive '{shown(path.name)}' is empty.", remedy="Pack the folder of the training run."
            )
        check_disk(uploads.folder, sum(files.size(name) for name in files.names), uploads.limits)
        _write(files, folder)
    return _run_in(folder / DATA)


def _write(files: Archive, folder: Path) -> None:
    part = folder / f"unpacking-{uuid.uuid4().hex[:8]}"
    try:
        for name in files.names:
            target = part / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as stream:
                for piece in files.pieces(name):
                    stream.write(piece)
            sync_file(target)
        (folder / RECORD).write_text(json.dumps({"files": []}))
        if not (folder / DATA).is_dir():  # another process may have been faster
            rename_durably(part, folder / DATA)
    except OSError as error:
        raise write_error(error, folder) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _run_in(folder: Path) -> Path:
    """Through folders that only hold one other, down to the run itself."""
    while True:
        inside = list(folder.iterdir())
        if len(inside) != 1 or not inside[0].is_dir() or _CHECKPOINT.fullmatch(inside[0].name):
            return folder
        folder = inside[0]
