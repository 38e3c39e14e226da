"""Pictures into a folder, byte for byte: as hard links, or copied where possible by the system itself.

100,000 small files are 100,000 times a few calls of the system. So nothing here makes path objects, no
picture passes through Python where its file can be copied from disk to disk, and the disk is asked once, at
the end, to keep it all.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tracin_viz.data.contents import TOGETHER
from tracin_viz.data.dataset import Dataset
from tracin_viz.data.images import MAX_BYTES
from tracin_viz.portable import sync_filesystem
from tracin_viz.relabel.exports.progress import Progress, silent

#: How pictures come into the folder.
LINKS = ("copy", "hard")

#: A link waits for nothing. Of copies one can read while another writes; with more threads the system is busy
#: with its own locks (measured with 30,000 files: 1.5 s of processor in one, 1.9 s in two, 2.8 s in four).
_THREADS = {"copy": 2, "hard": 1}
_READ = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0)
_MAKE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
#: What a system answers that cannot copy between these two files by itself; anything else is a failure.
_NOT_HERE = (errno.EXDEV, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL, errno.EPERM)


def place_all(
    dataset: Dataset,
    wanted: Sequence[tuple[int, str]],
    folder: Path,
    *,
    links: str,
    told: Progress = silent,
) -> None:
    """Put each picture in its place; all of them are on the disk when this returns.

    Args:
        dataset: Where the pictures are.
        wanted: Row of the training split and file name below ``folder``; the folders in between are there.
        folder: Where to write.
        links: A word of ``LINKS``.
        told: Called in this thread as pictures come; it may raise, which stops the rest.

    Raises:
        InputError: A picture can no longer be read.
        OSError: The disk refused.
    """
    # With the separator, for `Path` would take longer to join the names than the system to link the files.
    root = os.path.join(folder, "")  # noqa: PTH118
    threads = _THREADS[links]

    def put(part: Sequence[tuple[int, str]]) -> int:
        for row, name in part:
            _put(dataset, row, root + name, links)
        return len(part)

    pool = ThreadPoolExecutor(threads, thread_name_prefix="export")
    try:
        done = 0
        for number in pool.map(
            put, [wanted[start : start + TOGETHER] for start in range(0, len(wanted), TOGETHER)]
        ):
            done += number
            told(done, len(wanted))
    finally:
        # After a failure or a stop the threads must be gone before anybody removes the folder.
        pool.shutdown(wait=True, cancel_futures=True)
    sync_filesystem(folder)


def _put(dataset: Dataset, row: int, target: str, links: str) -> None:
    source = dataset.file("train", row)
    if source is not None and ((links == "hard" and _linked(source, target)) or _copied(source, target)):
        return
    content = dataset.reader.raw("train", row)
    _written(target, content if isinstance(content, bytes) else content.encode())


def _linked(source: str, target: str) -> bool:
    """Whether a hard link could be made: source and target are on the same disk."""
    try:
        os.link(source, target, follow_symlinks=True)
    except (OSError, NotImplementedError):
        return False
    return True


def _copied(source: str, target: str) -> bool:
    """Whether the system copied the file by itself; otherwise there is nothing at ``target``."""
    if sys.platform != "linux":
        return False
    try:
        reading = os.open(source, _READ)
    except OSError:
        return False  # reading it as everybody does says in words what is wrong
    try:
        found = os.fstat(reading)
        if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_BYTES:
            return False
        writing = os.open(target, _MAKE, 0o666)
        whole = False
        try:
            whole = _streamed(reading, writing, found.st_size)
        finally:
            os.close(writing)
            if not whole:
                os.unlink(target)  # noqa: PTH108
        return whole
    finally:
        os.close(reading)


def _streamed(reading: int, writing: int, size: int) -> bool:
    """Whether all of the file could be copied without passing through this process."""
    if sys.platform != "linux":
        return False
    left = size
    while left:
        try:
            number = os.copy_file_range(reading, writing, left)
        except OSError as error:
            if error.errno in _NOT_HERE:
                return False
            raise
        if number == 0:  # it is shorter than it was a moment ago
            return False
        left -= number
    return True


def _written(target: str, content: bytes) -> None:
    """Make a file of these bytes."""
    writing = os.open(target, _MAKE, 0o666)
    try:
        left = memoryview(content)
        while left:  # a disk that is nearly full takes a part and refuses the rest
            left = left[os.write(writing, left) :]
    finally:
        os.close(writing)
