"""``workspace.db``: SQLite in WAL mode, safe for many threads and processes on one computer.

Each thread has its own connection; reads never wait for writers. A write takes the write lock *before* it
reads (``BEGIN IMMEDIATE``): otherwise two processes that read and then write would both fail with
"database is locked", whatever the busy timeout.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tracin_viz.errors import ReadOnlyError, StoreError
from tracin_viz.portable import exclusive
from tracin_viz.store.migrations import MIGRATIONS, Migration
from tracin_viz.store.network_drives import network_type

#: Seconds that a statement waits for another writer.
BUSY_SECONDS = 15.0

Parameters = Sequence[Any] | Mapping[str, Any]


class Database:
    """The workspace database; opening it brings its schema up to date.

    Args:
        path: The file; made with its folder where it is missing.
        migrations: Steps of the schema, for tests.
        read_only: Refuse every write but of what can be made again (``write(passing=True)``). The schema is
            brought up to date all the same: nothing could be read otherwise.

    Raises:
        StoreError: The file lies on a network file system, is damaged, cannot be written, or was
            written by a newer version.
    """

    def __init__(
        self,
        path: Path,
        *,
        migrations: Sequence[tuple[str, Migration]] = MIGRATIONS,
        read_only: bool = False,
    ) -> None:
        kind = network_type(path)
        if kind is not None:
            raise StoreError(
                f"{path.parent} is on a network file system ({kind}), where SQLite's WAL damages databases.",
                remedy="Put the workspace on a local disk: --home DIR or $TRACIN_VIZ_HOME.",
            )
        self.path = path
        self.read_only = read_only
        self._local = threading.local()
        self._open: weakref.WeakSet[_Connection] = weakref.WeakSet()
        self._lock = threading.Lock()
        with self._explained():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._migrate(migrations)

    def read(self, sql: str, params: Parameters = ()) -> list[sqlite3.Row]:
        """All rows of one query; a statement that writes is refused by SQLite."""
        with self._explained():
            return self._connection().execute(sql, params).fetchall()

    def require_writable(self) -> None:
        """The wall in front of changes that go into files of the workspace.

        Raises:
            ReadOnlyError: The workspace was opened for looking only.
        """
        if self.read_only:
            raise ReadOnlyError()

    @contextlib.contextmanager
    def write(self, *, passing: bool = False) -> Iterator[sqlite3.Connection]:
        """One transaction: committed when the block ends, rolled back when it raises.

        Only one writer runs at a time on the whole computer, so keep the block short.

        Args:
            passing: What is written can be made again and nobody decided it (thumbnails, selections for an
                address, that a process has died): allowed in a read-only workspace too.

        Raises:
            ReadOnlyError: The workspace was opened for looking only.
            StoreError: Another process kept the database busy too long, or it cannot be written.
            sqlite3.IntegrityError: A constraint or an append-only trigger refused the change.
        """
        if not passing:
            self.require_writable()
        connection = self._connection()
        if connection.in_transaction:
            raise RuntimeError("Database.write() inside Database.write() of the same thread")
        with self._explained():
            connection.execute("PRAGMA query_only = OFF")
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:  # SQLite ends it by itself after some errors (disk full)
                    connection.execute("ROLLBACK")
                connection.execute("PRAGMA query_only = ON")

    def close(self) -> None:
        """Close the connections of all threads; the next use opens new ones."""
        with self._lock:
            opened, self._open = list(self._open), weakref.WeakSet()
            self._local = threading.local()
        for connection in opened:
            connection.close()

    def _connection(self) -> sqlite3.Connection:
        held: _Connection | None = getattr(self._local, "held", None)
        if held is None or held.pid != os.getpid():  # a connection must not be used across a fork
            held = _Connection(self.path)
            self._local.held = held
            with self._lock:
                self._open.add(held)
        return held.connection

    def _migrate(self, migrations: Sequence[tuple[str, Migration]]) -> None:
        names = [name for name, _ in migrations]
        if self._applied() == names:
            return
        # Switching to WAL does not honour the busy timeout, so only one process may prepare the file.
        lock = self.path.with_name(self.path.name + ".lock")
        with exclusive(lock, timeout=60.0, doing="preparing the workspace database"):
            mode = self._connection().execute("PRAGMA journal_mode = WAL").fetchone()[0]
            if mode != "wal":
                raise StoreError(
                    f"{self.path} cannot be used in WAL mode here (SQLite answers '{mode}').",
                    remedy="Put the workspace on a local disk: --home DIR or $TRACIN_VIZ_HOME.",
                )
            applied = self._applied()
            if applied != names[: len(applied)]:
                raise StoreError(
                    f"{self.path} was written by another version of TracIn-Viz (it has {applied[-1]}).",
                    remedy="Update TracIn-Viz, or choose another workspace with --home.",
                )
            for name, step in migrations[len(applied) :]:
                with self.write(passing=True) as connection:
                    connection.execute(
                        "CREATE TABLE IF NOT EXISTS migrations "
                        "(position INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, applied REAL NOT NULL)"
                    )
                    step(connection)
                    connection.execute(
                        "INSERT INTO migrations (name, applied) VALUES (?, ?)", (name, time.time())
                    )

    def _applied(self) -> list[str]:
        connection = self._connection()
        known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'migrations'").fetchone()
        if known is None:
            return []
        return [row[0] for row in connection.execute("SELECT name FROM migrations ORDER BY position")]

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what the user can cure into a StoreError; leave mistakes of ours as they are."""
        try:
            yield
        except sqlite3.IntegrityError:
            raise
        except sqlite3.DatabaseError as error:
            name = getattr(error, "sqlite_errorname", "") or ""
            for start, remedy in _REMEDIES.items():
                if name.startswith(start):
                    raise StoreError(
                        f"The database {self.path} cannot be used: {error}.", remedy=remedy
                    ) from error
            raise
        except PermissionError as error:
            remedy = _REMEDIES["SQLITE_CANTOPEN"]
            raise StoreError(f"The database {self.path} cannot be used: {error}.", remedy=remedy) from error


class _Connection:
    """A connection that is closed when its thread ends."""

    def __init__(self, path: Path) -> None:
        self.pid = os.getpid()
        # `isolation_level=None`: transactions are begun here, not guessed by the sqlite3 module.
        self.connection = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        self.connection.row_factory = sqlite3.Row
        self.connection.execute("PRAGMA foreign_keys = ON")
        # Without this, INSERT OR REPLACE deletes the old row without asking the append-only trigger.
        self.connection.execute("PRAGMA recursive_triggers = ON")
        self.connection.execute("PRAGMA query_only = ON")

    def close(self) -> None:
        if self.pid == os.getpid():
            self.connection.close()

    def __del__(self) -> None:
        if hasattr(self, "connection"):
            self.close()


_REMEDIES = {
    "SQLITE_BUSY": "Another process is writing to the workspace; try again in a moment.",
    "SQLITE_LOCKED": "Another process is writing to the workspace; try again in a moment.",
    "SQLITE_FULL": "Free some disk space, then try again; nothing was changed.",
    "SQLITE_READONLY": "Check that you may write to the workspace folder, or choose another with --home.",
    "SQLITE_CANTOPEN": "Check that you may write to the workspace folder, or choose another with --home.",
    "SQLITE_IOERR": "The disk reported an error; check it, then try again.",
    "SQLITE_NOTADB": "This is no TracIn-Viz database: move it away, or choose another workspace with --home.",
    "SQLITE_CORRUPT": "The database is damaged: restore it from a copy, or move it away and start a new one.",
}
