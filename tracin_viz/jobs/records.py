"""Jobs as rows: what was asked, how far it is, and how it ended.

    created ──► queued ──► running ──► done | failed | cancelled
      row        process     process      final: never changes again
      exists     exists      works

The worker writes its progress, everybody else reads. Every change of state is one guarded UPDATE, so that
a worker that finishes while somebody cancels it, or declares it dead, cannot end in two states.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tracin_viz.errors import CancelledError, JobError, NotFoundError
from tracin_viz.portable import process_token
from tracin_viz.store.database import Database

UNFINISHED = ("created", "queued", "running")
FINAL = ("done", "failed", "cancelled")

#: Kinds of jobs that compute an audit's results; the others look at finished ones and may go on beside them.
RUNS = ("compute", "demo")

_UNFINISHED_SQL = "('created', 'queued', 'running')"


@dataclass(frozen=True)
class Job:
    """One attempt at a computation, as it was when it was read.

    Attributes:
        id: Its name.
        audit: The audit it works for.
        kind: What it does, such as ``"compute"``.
        state: One of ``UNFINISHED`` or ``FINAL``.
        settings: What was asked, as plain values.
        pid: Number of its process, once there is one.
        pid_token: Tells that process from a later one with the same number.
        stage: What it is doing, in words for the user.
        done: Units of this stage that are done.
        total: Units of this stage; 0 = unknown.
        message: Last word of the worker, or why it failed.
        cancel_requested: Whether somebody asked it to stop.
        created, started, heartbeat, finished, stage_started: Seconds since 1970, or ``None``.
        stage_first: ``done`` at the first progress of this stage.
        log: File of its output.
    """

    id: str
    audit: str
    kind: str
    state: str
    settings: dict[str, Any]
    pid: int | None
    pid_token: str | None
    stage: str
    done: int
    total: int
    message: str
    cancel_requested: bool
    created: float
    started: float | None
    heartbeat: float | None
    finished: float | None
    log: str | None
    stage_started: float | None
    stage_first: int

    @property
    def is_final(self) -> bool:
        """Whether it has ended, in whatever way."""
        return self.state in FINAL


class JobBook:
    """All jobs of a workspace.

    Args:
        database: Where the rows are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, audit: str, kind: str, settings: dict[str, Any], *, only_one: bool = False) -> Job:
        """Record a job that has no process yet.

        Args:
            audit: Name of the audit.
            kind: What it will do.
            settings: Plain JSON values.
            only_one: Refuse if the audit has an unfinished job that this one would get in the way of: a run
                that of a run, any other one of the same kind.

        Raises:
            JobError: There is such a job, and ``only_one`` was asked.
        """
        name = secrets.token_hex(8)
        kinds = RUNS if kind in RUNS else (kind,)
        with self._database.write() as connection:
            if only_one:
                busy = connection.execute(
                    f"SELECT kind FROM jobs WHERE audit = ? AND state IN {_UNFINISHED_SQL} "
                    f"AND kind IN ({_marks(kinds)})",
                    (audit, *kinds),
                ).fetchone()
                if busy is not None:
                    raise JobError(
                        f"Audit '{audit}' already has an unfinished {busy['kind']} run.",
                        remedy="Wait for it, or cancel it first.",
                    )
            connection.execute(
                "INSERT INTO jobs (id, audit, kind, state, settings, created) "
                "VALUES (?, ?, ?, 'created', ?, ?)",
                (name, audit, kind, json.dumps(settings, sort_keys=True), time.time()),
            )
        return self.get(name)

    def get(self, id: str) -> Job:
        """The job called ``id`` as it is now.

        Raises:
            NotFoundError: There is none.
        """
        rows = self._database.read("SELECT * FROM jobs WHERE id = ?", (id,))
        if not rows:
            raise NotFoundError(f"There is no job '{id}' in this workspace.", remedy="Check --home.")
        return _job(rows[0])

    def latest(self, audit: str, *kinds: str) -> Job | None:
        """The newest job of an audit, of these kinds where some are given."""
        of = f"AND kind IN ({_marks(kinds)}) " if kinds else ""
        rows = self._database.read(
            f"SELECT * FROM jobs WHERE audit = ? {of}ORDER BY created DESC, rowid DESC LIMIT 1",
            (audit, *kinds),
        )
        return _job(rows[0]) if rows else None

    def active(self, audit: str, *kinds: str) -> Job | None:
        """The newest unfinished job of an audit, of these kinds where some are given."""
        of = f"AND kind IN ({_marks(kinds)}) " if kinds else ""
        rows = self._database.read(
            f"SELECT * FROM jobs WHERE audit = ? AND state IN {_UNFINISHED_SQL} {of}"
            "ORDER BY created DESC, rowid DESC LIMIT 1",
            (audit, *kinds),
        )
        return _job(rows[0]) if rows else None

    def unfinished(self) -> list[Job]:
        """All jobs that have not ended, oldest first."""
        sql = f"SELECT * FROM jobs WHERE state IN {_UNFINISHED_SQL} ORDER BY created, rowid"
        return [_job(row) for row in self._database.read(sql)]

    def log_to(self, id: str, log: str) -> None:
        """Note the file that takes the job's output."""
        with self._database.write() as connection:
            connection.execute("UPDATE jobs SET log = ? WHERE id = ?", (log, id))

    def launched(self, id: str, pid: int, token: str | None) -> None:
        """Note the process that was started for a job; what its worker already wrote stays."""
        with self._database.write() as connection:
            connection.execute(
                "UPDATE jobs SET pid = ?, pid_token = ?, state = 'queued', heartbeat = ? "
                "WHERE id = ? AND state = 'created'",
                (pid, token, time.time(), id),
            )

    def start(self, id: str, pid: int) -> Job:
        """The worker ``pid`` takes the job and begins.

        Raises:
            CancelledError: Somebody cancelled it before it began.
            JobError: It has ended already, or another process runs it.
        """
        token, now = process_token(pid), time.time()
        with self._database.write() as connection:
            begun = connection.execute(
                "UPDATE jobs SET state = 'running', pid = ?, pid_token = ?, started = ?, heartbeat = ? "
                "WHERE id = ? AND state IN ('created', 'queued') AND cancel_requested = 0",
                (pid, token, now, now, id),
            ).rowcount
        job = self.get(id)
        if begun:
            return job
        if job.cancel_requested or job.state == "cancelled":
            self.finish(id, "cancelled", "Cancelled before it began.")
            raise CancelledError("This run was cancelled before it began.")
        state = "is already running" if job.state == "running" else f"has already ended ({job.state})"
        raise JobError(f"Job {id} {state}.", remedy="Start a new run.")

    def progress(self, id: str, done: int, total: int, stage: str, message: str = "") -> bool:
        """Write how far the job is; this is also its sign of life.

        Returns:
            Whether it should stop: somebody asked for that, or declared it ended.
        """
        now = time.time()
        with self._database.write() as connection:
            connection.execute(
                # A stage begins when its name changes, when it starts over, or at the first progress.
                "UPDATE jobs SET stage_started = CASE WHEN stage_started IS NULL OR stage <> :stage "
                "OR :done < stage_first THEN :now ELSE stage_started END, "
                "stage_first = CASE WHEN stage_started IS NULL OR stage <> :stage "
                "OR :done < stage_first THEN :done ELSE stage_first END, "
                "stage = :stage, done = :done, total = :total, message = :message, heartbeat = :now "
                "WHERE id = :id AND state = 'running'",
                {"id": id, "stage": stage, "done": done, "total": total, "message": message, "now": now},
            )
        job = self.get(id)
        return job.cancel_requested or job.is_final

    def finish(self, id: str, state: str, message: str = "") -> Job:
        """End a job; one that has ended keeps its state and message.

        Args:
            id: The job.
            state: One of ``FINAL``.
            message: What the user should know.

        Returns:
            The job as it now is.
        """
        if state not in FINAL:
            raise ValueError(f"a job ends as one of {FINAL}, not as {state!r}")
        # Also where people may only look: a page that finds a dead process says so.
        with self._database.write(passing=True) as connection:
            connection.execute(
                f"UPDATE jobs SET state = ?, message = ?, finished = ? "
                f"WHERE id = ? AND state IN {_UNFINISHED_SQL}",
                (state, message, time.time(), id),
            )
        return self.get(id)

    def request_cancel(self, id: str) -> Job:
        """Ask a job to stop. One without a process ends at once; a running one at its next progress."""
        with self._database.write() as connection:
            connection.execute(
                f"UPDATE jobs SET cancel_requested = 1 WHERE id = ? AND state IN {_UNFINISHED_SQL}", (id,)
            )
            connection.execute(
                "UPDATE jobs SET state = 'cancelled', message = 'Cancelled before it began.', finished = ? "
                "WHERE id = ? AND state = 'created'",
                (time.time(), id),
            )
        return self.get(id)


def seconds_left(job: Job, *, now: float | None = None) -> float | None:
    """Seconds until this stage ends, at the rate since it began; ``None`` while that is unknown.

    Units that were done when the stage began do not count as work (a resumed run skips them at once).
    """
    if job.state != "running" or job.stage_started is None or job.heartbeat is None:
        return None
    worked = job.done - job.stage_first
    spent = job.heartbeat - job.stage_started
    if worked <= 0 or job.total <= 0 or spent <= 0:
        return None
    since = max(0.0, (time.time() if now is None else now) - job.heartbeat)
    return max(0.0, (job.total - job.done) * spent / worked - since)


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))


def _job(row: sqlite3.Row) -> Job:
    values = dict(row)
    settings = json.loads(values.pop("settings"))
    cancel_requested = bool(values.pop("cancel_requested"))
    return Job(settings=settings, cancel_requested=cancel_requested, **values)
