"""Processes of jobs: start one that outlives the app, notice one that died, stop one that hangs.

A finished child stays a zombie until its parent asks for its exit status, and a zombie looks alive. So
children are kept here and asked on every look.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import tracin_viz
from tracin_viz.config import Home
from tracin_viz.errors import JobError
from tracin_viz.jobs.records import Job, JobBook
from tracin_viz.portable import process_alive, process_token, spawn_detached
from tracin_viz.store.database import Database

#: A job that has had no process for this long was never started, in seconds.
LAUNCH_SECONDS = 60.0
#: Seconds that a run has to stop by itself between two batches; a batch of a large model takes longer.
CANCEL_SECONDS = 1.3
#: Where ``python -m tracin_viz…`` finds this package, however the app was started.
PACKAGE_PARENT = Path(tracin_viz.__file__).resolve().parents[1]

_children: dict[int, subprocess.Popen[bytes]] = {}
_exit_codes: dict[int, int] = {}
_lock = threading.Lock()


def start_detached(home: Home, argv: Sequence[str], job: Job) -> int:
    """Start the process of ``job``; it survives this process and the browser.

    Args:
        home: The workspace; output goes to ``<runtime>/logs/<job id>.log``.
        argv: The command. Its paths must be absolute: it runs in the folder that holds the package.
        job: A job that was just created.

    Returns:
        The process number, which the job's row holds too.

    Raises:
        JobError: The process cannot be started; the job is then ``failed``.
    """
    database = Database(home.database)
    book = JobBook(database)
    log = log_file(home, job.id)
    try:
        book.log_to(job.id, str(log))
        try:
            process = spawn_detached(argv, log=log, folder=PACKAGE_PARENT)
        except OSError as error:
            message = f"The process of this run cannot be started: {error}."
            book.finish(job.id, "failed", message)
            raise JobError(message, remedy=f"Command: {' '.join(argv)}") from error
        adopt(process)
        book.launched(job.id, process.pid, process_token(process.pid))
        return process.pid
    finally:
        database.close()


def log_file(home: Home, name: str) -> Path:
    """The file that takes the output of the job or service ``name``."""
    return home.runtime / "logs" / f"{name}.log"


def adopt(process: subprocess.Popen[bytes]) -> None:
    """Keep a child, so that ``reap`` can ask for its exit status."""
    with _lock:
        _children[process.pid] = process
        _exit_codes.pop(process.pid, None)


def reap() -> None:
    """Collect the exit status of children that ended, so that none stays a zombie."""
    with _lock:
        for pid, process in list(_children.items()):
            code = process.poll()
            if code is not None:
                _exit_codes[pid] = code
                del _children[pid]


def reap_stale(book: JobBook) -> list[Job]:
    """End the jobs whose process is gone: ``failed``, or ``cancelled`` where that was asked.

    Call it before showing jobs. Nothing happens to a job whose process lives, however slow it is.

    Returns:
        The jobs that were ended.
    """
    reap()
    ended = []
    for job in book.unfinished():
        if job.pid is None:
            if time.time() - job.created < LAUNCH_SECONDS:
                continue
            now = book.finish(job.id, "failed", "The process of this run was never started. Start it again.")
        elif process_alive(job.pid, job.pid_token):
            continue
        elif job.cancel_requested:
            now = book.finish(job.id, "cancelled", "Cancelled. What was done is kept.")
        else:
            now = book.finish(job.id, "failed", _obituary(job))
        # A worker that ended its job between our two looks keeps its own word.
        if now.state != "done":
            ended.append(now)
    return ended


def stop(book: JobBook, job: Job, *, grace: float = CANCEL_SECONDS) -> Job:
    """Cancel a job and wait for its process to go; after ``grace`` seconds it is terminated.

    A person who cancels waits for this. Nothing is lost by ending the process: units are whole or absent.

    Only the process that belongs to the job is touched: a later one with the same number is not.

    Returns:
        The job as it then is.

    Raises:
        JobError: The process cannot be ended.
    """
    job = book.request_cancel(job.id)
    deadline = time.monotonic() + grace
    while not job.is_final and time.monotonic() < deadline:
        reap_stale(book)
        time.sleep(0.05)
        job = book.get(job.id)  # its worker may also have another number than what was started (Windows)
    # A worker that ended its job in time may live on (in a notebook, say); only one that did not is ended.
    if not job.is_final and not end_process(job.pid, job.pid_token, grace=0.0):
        raise JobError(f"Process {job.pid} of job {job.id} does not end.", remedy="End it by hand.")
    reap_stale(book)
    return book.get(job.id)


def end_process(pid: int | None, token: str | None, *, grace: float, force: bool = True) -> bool:
    """Wait ``grace`` seconds for a process to go by itself; with ``force``, terminate and then kill it.

    Returns:
        Whether it is gone.
    """
    if _gone(pid, token, grace):
        return True
    if not force:
        return False
    terminate(pid, token)
    if _gone(pid, token, 5.0):
        return True
    terminate(pid, token, getattr(signal, "SIGKILL", signal.SIGTERM))
    return _gone(pid, token, 5.0)


def terminate(pid: int | None, token: str | None, act: int = signal.SIGTERM) -> bool:
    """Signal the process that has ``token`` under number ``pid``; False if it is gone, or is this one."""
    if pid is None or pid == os.getpid() or not process_alive(pid, token):
        return False
    try:
        if not hasattr(os, "pidfd_open"):
            os.kill(pid, act)
            return True
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        # The descriptor holds on to this very process: no other can take its number between look and signal.
        if not process_alive(pid, token):
            return False
        signal.pidfd_send_signal(descriptor, act)
    except ProcessLookupError:
        return False
    finally:
        os.close(descriptor)
    return True


def last_words(log: Path, lines: int = 1) -> str:
    """The last non-empty lines of a log, cut to 300 characters; empty where there is none."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - 8192))
            text = stream.read().decode("utf-8", "replace")
    except OSError:
        return ""
    found = [line.strip() for line in text.replace("\r", "\n").splitlines() if line.strip()]
    return " / ".join(found[-lines:])[-300:]


def exit_code(pid: int) -> int | None:
    """Exit code of a child of this process that was reaped; negative = ended by that signal."""
    return _exit_codes.get(pid)


def _gone(pid: int | None, token: str | None, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while True:
        reap()
        if not process_alive(pid, token):
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.03)


def _obituary(job: Job) -> str:
    code = exit_code(job.pid) if job.pid is not None else None
    how = "" if code is None else f" (exit code {code})"
    if code == -9:
        how = " (killed, perhaps because memory ran out)"
    parts = [f"The process of this run ended without a result{how}. Start it again: it resumes."]
    if job.log:
        parts.append(f"Log: {job.log}")
        words = last_words(Path(job.log))
        if words:
            parts.append(f"Last line: {words}")
    return " ".join(parts)
