"""The schema of ``workspace.db``, as the steps that led to it.

A step is never edited once released: databases that have it would not get the edit. Add a new one.
Steps use single ``execute`` calls, because ``executescript`` commits and would tear a step apart.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

Migration = Callable[[sqlite3.Connection], None]


def first_schema(connection: sqlite3.Connection) -> None:
    """Jobs, relabel events, relabel sessions, saved views and thumbnails."""
    for statement in _FIRST_SCHEMA:
        connection.execute(statement)


def selections(connection: sqlite3.Connection) -> None:
    """Sets of training examples that addresses name: ``bits`` is a compressed bit per example."""
    connection.execute(
        """CREATE TABLE selections (
            audit TEXT NOT NULL,
            name TEXT NOT NULL,
            examples INTEGER NOT NULL,
            bits BLOB NOT NULL,
            used REAL NOT NULL,
            PRIMARY KEY (audit, name)
        )"""
    )


def evidence(connection: sqlite3.Connection) -> None:
    """Which kept answer to "does it help?" belongs to which audit; the answers themselves are artifacts."""
    connection.execute(
        """CREATE TABLE evidence (
            audit TEXT NOT NULL,
            kind TEXT NOT NULL,
            variant TEXT NOT NULL,
            key TEXT NOT NULL,
            created REAL NOT NULL,
            PRIMARY KEY (audit, kind, variant, key)
        )"""
    )


def relabelling(connection: sqlite3.Connection) -> None:
    """Queues that several people share, decisions that settle others, and settings of audits."""
    for statement in _RELABELLING:
        connection.execute(statement)


#: Every step in order; its name is recorded in the database together with its effect.
MIGRATIONS: tuple[tuple[str, Migration], ...] = (
    ("001 first schema", first_schema),
    ("002 selections", selections),
    ("005 evidence", evidence),
    ("003 relabelling", relabelling),
)

_FIRST_SCHEMA = (
    # Times are seconds since 1970. `stage_started` and `stage_first` are when this stage began and what
    # was done then: a resumed run skips finished units at once, which must not count as speed.
    """CREATE TABLE jobs (
        id TEXT PRIMARY KEY,
        audit TEXT NOT NULL,
        kind TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('created', 'queued', 'running', 'done', 'failed', 'cancelled')),
        settings TEXT NOT NULL,
        pid INTEGER,
        pid_token TEXT,
        stage TEXT NOT NULL DEFAULT '',
        done INTEGER NOT NULL DEFAULT 0,
        total INTEGER NOT NULL DEFAULT 0,
        message TEXT NOT NULL DEFAULT '',
        cancel_requested INTEGER NOT NULL DEFAULT 0,
        created REAL NOT NULL,
        started REAL,
        heartbeat REAL,
        finished REAL,
        log TEXT,
        stage_started REAL,
        stage_first INTEGER NOT NULL DEFAULT 0
    )""",
    "CREATE INDEX jobs_by_audit ON jobs (audit, created)",
    """CREATE TABLE events (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        event_uuid TEXT NOT NULL UNIQUE,
        audit TEXT NOT NULL,
        example_id TEXT,
        action TEXT NOT NULL,
        old_label TEXT,
        new_label TEXT,
        suggested TEXT,
        rank INTEGER,
        percentile REAL,
        annotator TEXT,
        session TEXT,
        client_ts REAL,
        server_ts REAL,
        undo_of TEXT,
        note TEXT
    )""",
    "CREATE INDEX events_by_audit ON events (audit, seq)",
    # Decisions are history: the current label is computed from them, so none may be rewritten.
    """CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events
       BEGIN SELECT RAISE(ABORT, 'relabel events are append-only'); END""",
    """CREATE TRIGGER events_are_never_removed BEFORE DELETE ON events
       BEGIN SELECT RAISE(ABORT, 'relabel events are append-only'); END""",
    """CREATE TABLE sessions (
        id TEXT PRIMARY KEY, audit TEXT, name TEXT, source TEXT, queue TEXT, annotator TEXT, created REAL
    )""",
    "CREATE INDEX sessions_by_audit ON sessions (audit, created)",
    "CREATE TABLE views (audit TEXT, name TEXT, state TEXT, created REAL, PRIMARY KEY (audit, name))",
    "CREATE TABLE thumbnails (key TEXT PRIMARY KEY, webp BLOB)",
)

_RELABELLING = (
    # Made to settle what others disagree about; `batch` is shared by decisions that one undo takes back.
    "ALTER TABLE events ADD COLUMN settles INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE events ADD COLUMN batch TEXT",
    "CREATE INDEX events_by_annotator ON events (audit, annotator, seq)",
    "CREATE INDEX events_by_undone ON events (undo_of) WHERE undo_of IS NOT NULL",
    "ALTER TABLE sessions ADD COLUMN mode TEXT NOT NULL DEFAULT 'each'",
    # Who an example of a shared queue was offered to last, and until when it is offered to nobody else.
    """CREATE TABLE leases (
        session TEXT NOT NULL,
        example_id TEXT NOT NULL,
        annotator TEXT NOT NULL,
        until REAL NOT NULL,
        PRIMARY KEY (session, example_id)
    )""",
    # Settings that all visitors share; those of the workspace itself have an empty `audit`.
    """CREATE TABLE settings (
        audit TEXT NOT NULL,
        name TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (audit, name)
    )""",
)
