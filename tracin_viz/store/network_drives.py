"""Whether a folder lies on a network file system, where SQLite's WAL does not work.

WAL shares memory between processes through a mapped file; across computers that file is not shared, and
the database is silently corrupted. Detection is certain on Linux and best effort elsewhere.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

#: File system types that several computers may write at once.
NETWORK_TYPES = frozenset(
    {"nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "afs", "afpfs", "webdav", "davfs", "ncpfs", "coda"}
    | {"9p", "drvfs", "ceph", "lustre", "gpfs", "beegfs", "orangefs", "pvfs2", "ocfs2", "gfs2", "glusterfs"}
    | {"macfuse.sshfs", *(f"fuse.{name}" for name in ("sshfs", "s3fs", "gcsfuse", "rclone", "davfs", "ceph"))}
    | {f"fuse.{name}" for name in ("glusterfs", "ceph-fuse", "cephfs", "mount-s3", "juicefs", "blobfuse2")}
)


def network_type(path: Path) -> str | None:
    """Type of the network file system that holds ``path`` (which need not exist); ``None`` if local."""
    resolved = path.resolve()
    if sys.platform == "win32":
        return _windows(resolved)
    table = Path("/proc/self/mounts")
    if table.exists():
        return network_type_in(mounts_of_linux(table.read_text(errors="surrogateescape")), resolved)
    listing = subprocess.run(["mount"], capture_output=True, text=True, check=False).stdout
    return network_type_in(mounts_of_macos(listing), resolved)


def network_type_in(mounts: list[tuple[str, str]], path: Path) -> str | None:
    """The network type of the innermost mount that holds ``path``, from (mount point, type) pairs."""
    holding = ""
    found = ""
    for point, kind in mounts:  # a later mount on the same point hides the earlier one
        if path.is_relative_to(point) and len(point) >= len(holding):
            holding, found = point, kind
    if found == "9p" and holding == "/":
        return None  # the root of a sandboxed container: one computer, and nothing else to choose
    return found if found in NETWORK_TYPES else None


def mounts_of_linux(table: str) -> list[tuple[str, str]]:
    """(mount point, type) of each line of ``/proc/self/mounts``, with its octal escapes resolved."""
    mounts = []
    for line in table.splitlines():
        fields = line.split(" ")
        if len(fields) >= 3:
            point = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), fields[1])
            mounts.append((point, fields[2]))
    return mounts


def mounts_of_macos(listing: str) -> list[tuple[str, str]]:
    """(mount point, type) of each line like ``//me@host/share on /Volumes/share (smbfs, nodev)``."""
    found = re.finditer(r"^.*? on (/.*?) \(([\w.]+)", listing, flags=re.MULTILINE)
    return [(match[1], match[2]) for match in found]


def _windows(path: Path) -> str | None:
    if path.drive.startswith("\\\\"):
        return "network share"
    if sys.platform == "win32":
        import ctypes

        remote = 4  # DRIVE_REMOTE
        if ctypes.windll.kernel32.GetDriveTypeW(path.drive + "\\") == remote:
            return "network drive"
    return None
