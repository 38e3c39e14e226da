"""Results on disk: content-addressed folders that are complete or absent (DESIGN §5).

A writer fills ``<key>.<writer>.part`` and renames it to ``<key>`` when every byte is on the disk. So
``<key>`` means done, only a ``.part`` means interrupted, neither means never run; nothing else says so.
Two writers of one key use two ``.part`` folders; the first to finish wins and the other's is removed,
which loses nothing because equal keys mean equal content.

``manifest.json`` holds the size and SHA-256 of every file and a checksum of itself, so that a damaged
unit is noticed, discarded and computed again. It holds no time, process or host: equal work gives equal
bytes.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tracin_viz.errors import NotComputedError, StoreError
from tracin_viz.portable import process_alive, process_token, rename_durably, sync_folder
from tracin_viz.store.manifests import MANIFEST, Signature, read_manifest, seal, sha256, signature

#: Entries that the store adds to every manifest.
RESERVED = frozenset({"artifact", "files", "checksum"})
#: Age after which an unfinished folder of *another* computer counts as abandoned, in seconds.
ABANDONED_AFTER = 24 * 3600.0

_KEY = re.compile(r"[A-Za-z0-9_-]{3,128}")
_PART = re.compile(
    r"(?P<key>[A-Za-z0-9_-]+)\.(?P<host>[0-9a-f]+)-(?P<pid>\d+)-(?P<token>\w+)-[0-9a-f]+\.part"
)


#: Seconds for which a set of artifacts that was complete is taken to be so.
AGAIN = 1.0
_COMPLETE: dict[tuple[str, tuple[str, ...]], float] = {}


class ArtifactStore:
    """Folders named by content keys below ``root``.

    Args:
        root: Folder of all artifacts; made on first write. May lie on a network file system.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._verified: dict[str, Signature] = {}
        self._files: dict[tuple[str, str], Signature] = {}

    def path(self, key: str) -> Path:
        """Where artifact ``key`` is, or would be: ``root/<first two digits>/<key>``."""
        if not _KEY.fullmatch(key):  # anything else could leave the root
            raise StoreError(f"'{key}' is not a content key.", remedy="Use the output of `fingerprint`.")
        return self.root / key[:2] / key

    def present(self, keys: tuple[str, ...]) -> int:
        """How many of these artifacts are there, whole or damaged.

        Pages ask this of a thousand keys a dozen times at every rerun, so "all of them" holds for a second.
        """
        root, now = str(self.root), time.monotonic()
        if now - _COMPLETE.get((root, keys), -AGAIN) < AGAIN:
            return len(keys)
        number = sum(os.path.isdir(f"{root}/{key[:2]}/{key}") for key in keys)  # noqa: PTH112  # ten times as fast
        if number == len(keys):
            while len(_COMPLETE) >= 32:
                _COMPLETE.pop(next(iter(_COMPLETE)), None)
            _COMPLETE[root, keys] = now
        return number

    def is_whole(self, key: str) -> bool:
        """Whether the artifact exists and every file has the size and SHA-256 of its manifest.

        Reads all bytes the first time; later calls of this process only compare sizes and file times.
        """
        folder = self.path(key)
        known = self._verified.get(key)
        if known is not None and known == signature(folder, [name for name, _, _ in known]):
            return True
        self._verified.pop(key, None)
        manifest = read_manifest(folder)
        if manifest is None or manifest.get("artifact") != key:
            return False
        files: dict[str, dict[str, Any]] = manifest["files"]
        before = signature(folder, [*files, MANIFEST])
        if before is None or any(size != files[name]["size"] for name, size, _ in before if name in files):
            return False
        try:
            whole = all(sha256(folder / name) == entry["sha256"] for name, entry in files.items())
        except OSError:
            return False
        if whole:
            self._verified[key] = before
        return whole

    def whole_file(self, key: str, name: str) -> Path | None:
        """File ``name`` of the artifact where it has the size and SHA-256 of the manifest, else ``None``.

        For readers of one small file beside large ones: the others' bytes are not read.
        """
        folder = self.path(key)
        now = signature(folder, [name, MANIFEST])
        if now is None:
            return None
        if self._files.get((key, name)) != now:
            manifest = read_manifest(folder)
            entry = (
                None if manifest is None or manifest.get("artifact") != key else manifest["files"].get(name)
            )
            try:
                if entry is None or sha256(folder / name) != entry["sha256"]:
                    return None
            except OSError:
                return None
            self._files[key, name] = now
        return folder / name

    def manifest(self, key: str) -> dict[str, Any]:
        """The manifest of artifact ``key``: what its writer gave, plus ``artifact``, ``files``, ``checksum``.

        Raises:
            NotComputedError: There is no such artifact.
            StoreError: Its manifest is damaged.
        """
        folder = self.path(key)
        manifest = read_manifest(folder)
        if manifest is not None:
            return manifest
        if not folder.is_dir():
            raise NotComputedError(
                f"Result {key[:12]} has not been computed, or was removed.",
                remedy="Run the computation again.",
            )
        raise StoreError(f"The manifest of {folder} is damaged.", remedy="Run the computation again.")

    def discard(self, key: str) -> None:
        """Remove artifact ``key``; nothing happens if there is none.

        It disappears by a rename first, so no reader finds half of it under its final name.
        """
        self._verified.pop(key, None)
        _COMPLETE.clear()
        folder = self.path(key)
        doomed = self._part(key)
        try:
            folder.replace(doomed)
        except FileNotFoundError:
            return
        except OSError as error:  # Windows: a reader still maps one of the files
            raise StoreError(
                f"{folder} cannot be removed ({error.strerror}).",
                remedy="Close other programs that read this workspace, then try again.",
            ) from error
        shutil.rmtree(doomed, ignore_errors=True)

    @contextlib.contextmanager
    def writing(self, key: str, manifest: dict[str, Any]) -> Iterator[Path]:
        """Fill an artifact: yields an empty folder that becomes ``path(key)`` when the block succeeds.

        Args:
            key: Content key.
            manifest: Plain JSON values to keep beside the files. No time, process or host belongs in it.

        Raises:
            StoreError: The disk is full or cannot be written.
        """
        if RESERVED & manifest.keys():
            raise ValueError(f"the store itself writes {sorted(RESERVED & manifest.keys())} into manifests")
        part = self._part(key)
        try:
            part.mkdir(parents=True)
            yield part
            seal(part, key, manifest)
            self._publish(part, key)
        except OSError as error:
            raise _explained(error, self.root) from error
        finally:
            shutil.rmtree(part, ignore_errors=True)  # gone already after success

    def sweep(self) -> int:
        """Remove unfinished folders whose writers are gone; returns how many.

        Writers on other computers cannot be asked; their folders go a day after their last change.
        """
        removed = 0
        for part in sorted(self.root.glob("*/*.part")):
            parsed = _PART.fullmatch(part.name)
            if parsed is None or not _writer_gone(part, parsed):
                continue
            shutil.rmtree(part, ignore_errors=True)
            removed += not part.exists()
        return removed

    def _part(self, key: str) -> Path:
        pid = os.getpid()
        writer = f"{_host()}-{pid}-{process_token(pid) or 'unknown'}-{secrets.token_hex(4)}"
        final = self.path(key)
        return final.with_name(f"{key}.{writer}.part")

    def _publish(self, part: Path, key: str) -> None:
        final = self.path(key)
        while True:
            if final.exists():
                if self.is_whole(key):
                    return  # somebody else finished the same content first
                self.discard(key)
            try:
                rename_durably(part, final)
            except OSError as error:
                # The other writer's rename came between our look and ours: look again.
                if not (final.exists() and part.exists()) or error.errno in (errno.ENOSPC, errno.EROFS):
                    raise
            else:
                sync_folder(self.root)
                return


def _host() -> str:
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]


def _writer_gone(part: Path, parsed: re.Match[str]) -> bool:
    if parsed["host"] == _host():
        return not process_alive(int(parsed["pid"]), parsed["token"])
    try:
        newest = max(path.stat().st_mtime for path in (part, *part.rglob("*")))
    except OSError:  # its writer just renamed or removed it
        return False
    return time.time() - newest > ABANDONED_AFTER


def _explained(error: OSError, root: Path) -> StoreError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        remedy = "Free some space or choose another workspace with --home, then run again: it resumes."
        return StoreError(f"No space left for results in {root}.", remedy=remedy)
    return StoreError(
        f"Results cannot be written to {root} ({error}).",
        remedy="Check that the folder exists and that you may write there, or choose another with --home.",
    )
