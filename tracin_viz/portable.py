"""The operating system, in one place: durable renames, locks, detached processes, who is alive, what is free.

Linux, macOS and Windows differ in exactly these; everything else in the package is portable by itself.
"""

from __future__ import annotations

import contextlib
import ctypes
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


def sync_filesystem(path: Path) -> None:
    """Put everything written on the disk that holds ``path`` on it: for very many files, instead of each.

    Does nothing on Windows, where only single files can be flushed.

    Raises:
        OSError: The disk refused to take something that was written before.
    """
    if sys.platform != "linux":
        if not WINDOWS:
            os.sync()
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(path))
    finally:
        os.close(descriptor)


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


def lower_priority() -> None:
    """Let other processes go first where there are not enough cores for all."""
    if sys.platform == "win32":
        below_normal, this = 0x4000, -1
        ctypes.windll.kernel32.SetPriorityClass(this, below_normal)
        return
    with contextlib.suppress(OSError):
        os.nice(5)


def lower_thread_priority() -> None:
    """Let everything else go before this thread until it ends; does nothing where only processes have a rank.

    Only an administrator could raise it again, so call it in threads made for one piece of work.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            now = os.getpriority(os.PRIO_PROCESS, 0)  # on Linux 0 is the calling thread, not its process
            os.setpriority(os.PRIO_PROCESS, 0, max(5, now))


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


def usable_cores() -> int:
    """Processor cores that this process may use: fewer than the machine has inside a container."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with contextlib.suppress(OSError, ValueError):
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        if quota != "max":
            cores = min(cores, max(1, int(quota) // int(period)))
    return max(1, cores)


def available_memory() -> int | None:
    """Bytes that new processes may take without swapping; ``None`` where the system does not tell."""
    if sys.platform == "win32":
        return _windows_memory()
    found = [size for size in (_system_memory(), _container_memory(), _process_memory()) if size is not None]
    return max(0, min(found)) if found else None


def _system_memory() -> int | None:
    with contextlib.suppress(OSError, ValueError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) << 10
    with contextlib.suppress(OSError, ValueError):  # macOS tells the whole; half of it is a fair guess
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    return None


def _container_memory() -> int | None:
    folder = Path("/sys/fs/cgroup")
    with contextlib.suppress(OSError, ValueError):
        limit = (folder / "memory.max").read_text().strip()
        if limit != "max":
            lines = (line.split() for line in (folder / "memory.stat").read_text().splitlines())
            cache = sum(int(value) for name, value in lines if name == "inactive_file")
            return int(limit) - int((folder / "memory.current").read_text()) + cache
    return None


def _process_memory() -> int | None:
    """What a limit on this process's address space leaves (``ulimit -v``)."""
    if sys.platform == "win32":
        return None
    import resource  # Unix only

    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit == resource.RLIM_INFINITY:
        return None
    with contextlib.suppress(OSError, ValueError):
        return limit - int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    return limit


def _windows_memory() -> int | None:
    sizes = ("whole", "free", "page", "page_free", "own", "own_free", "extended")

    class Status(ctypes.Structure):
        """MEMORYSTATUSEX of the Windows API."""

        _fields_ = (
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            *((name, ctypes.c_ulonglong) for name in sizes),
        )

    status = Status()
    status.length = ctypes.sizeof(Status)
    api = getattr(ctypes, "windll", None)
    if api is None or not api.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):
        return None
    return int(status.free)
