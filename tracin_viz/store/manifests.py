"""The manifest of an artifact: every file with its size and SHA-256, and how they are checked."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from tracin_viz.errors import StoreError
from tracin_viz.portable import sync_file, sync_folder

MANIFEST = "manifest.json"

#: Name, size and time of change of each file: while these stay, the bytes do.
Signature = tuple[tuple[str, int, int], ...]


def seal(part: Path, key: str, manifest: dict[str, Any]) -> None:
    """Put the files on the disk, then the manifest that describes them."""
    files: dict[str, dict[str, Any]] = {}
    for path in sorted(part.rglob("*")):
        if path.is_symlink():
            raise StoreError(f"{path} is a link; an artifact holds files only.")
        if path.is_dir():
            continue
        sync_file(path)
        name = path.relative_to(part).as_posix()
        files[name] = {"size": path.stat().st_size, "sha256": sha256(path)}
    if MANIFEST in files:
        raise ValueError(f"{MANIFEST} is written by the store")
    content = {**manifest, "artifact": key, "files": files}
    content["checksum"] = _checksum(content)
    (part / MANIFEST).write_bytes(_canonical(content) + b"\n")
    sync_file(part / MANIFEST)
    for folder in sorted(path for path in part.rglob("*") if path.is_dir()):
        sync_folder(folder)
    sync_folder(part)


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest, or ``None`` where it is missing, unreadable or not what its checksum says."""
    try:
        content = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(content, dict):
        return None
    said = content.pop("checksum", None)
    return {**content, "checksum": said} if said == _checksum(content) else None


def _canonical(content: dict[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False).encode()


def _checksum(content: dict[str, Any]) -> str:
    return hashlib.sha256(_canonical(content)).hexdigest()


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def signature(folder: Path, names: list[str]) -> Signature | None:
    """Size and time of change of each of these files; ``None`` where one is missing."""
    lines = []
    for name in names:
        try:
            stat = (folder / name).stat()
        except OSError:
            return None
        lines.append((name, stat.st_size, stat.st_mtime_ns))
    return tuple(lines)
