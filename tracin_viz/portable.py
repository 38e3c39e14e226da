"""The operating system, in one place: durable renames, locks, detached processes, who is alive.

Linux, macOS and Windows differ in exactly these; everything else in the package is portable by itself.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from tracin_viz.errors import StoreError

WINDOWS = sys.platform == "win32"


def sync_file(path: Path) -> None:
    """Ask the operating system to put the file's bytes on the disk before returning."""
    # Windows can only flush a descriptor that was opened for writing.
    descriptor = os.open(path, os.O_RDWR if WINDOWS else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable (a rename without this can be lost by a power cut)."""
    if WINDOWS:  # folders cannot be opened there, and NTFS journals names by itself
        return
    sync_file(path)


def rename_durably(source: Path, target: Path) -> None:
    """Rename ``source`` to ``target`` and return only when the new name is on the disk."""
    source.replace(target)
    sync_folder(target.parent)


@contextlib.contextmanager
def exclusive(path: Path, *, timeout: float, doing: str) -> Iterator[None]:
    """Hold a lock between processes for the length of the block.

    Args:
        path: Lock file; made where it is missing, kept afterwards.
        timeout: Seconds to wait for the holder.
        doing: What the lock is for, for the message.

    Raises:
        StoreError: Another process held the lock for the whole time.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(path, timeout=timeout):
            yield
    except Timeout as error:
        raise StoreError(
            f"Another process has been {doing} for {timeout:.0f} seconds.",
            remedy="Wait for it or cancel it, then try again.",
        ) from error


def spawn_detached(
    arguments: Sequence[str], *, log: Path, folder: Path | None = None
) -> subprocess.Popen[bytes]:
    """Start a process that outlives this one, its output in ``log``.

    The caller keeps the returned object and polls it now and then: a finished child stays a zombie until
    somebody asks for its exit status, and a zombie looks alive to ``process_alive``.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS
    with log.open("ab") as output:
        return subprocess.Popen(
            list(arguments),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            creationflags=flags,
            start_new_session=not WINDOWS,
        )


def process_token(pid: int) -> str | None:
    """Text that tells this process from a later one with the same number; ``None`` if there is none.

    On Linux the start time in clock ticks; elsewhere only that the number is in use, since the standard
    library offers nothing better.
    """
    stat = Path(f"/proc/{pid}/stat")
    if stat.exists():
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in "ZX" else fields[19]
    if Path("/proc/self/stat").exists():
        return None
    if WINDOWS:
        listing = subprocess.run(
            ["tasklist", "/FI", f"PID eq {pid}", "/NH"], capture_output=True, text=True, check=False
        )
        return "running" if str(pid) in listing.stdout else None
    try:
        os.kill(pid, 0)
    except OSError:
        return None
    return "running"


def process_alive(pid: int | None, token: str | None) -> bool:
    """Whether the process that had ``token`` (from ``process_token``) under number ``pid`` still runs."""
    return pid is not None and token is not None and process_token(pid) == token
