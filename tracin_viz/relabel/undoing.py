"""What the next undo or redo takes back, looked up in the database under the caller's write lock."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable


def taken_back(
    connection: sqlite3.Connection, audit: str, annotator: str, session: str | None, *, redo: bool
) -> sqlite3.Row | None:
    """The event that the annotator's next undo (or redo) takes back; ``None`` = there is nothing.

    Args:
        connection: Inside a write transaction.
        audit: Name of the audit.
        annotator: Whose decisions.
        session: Only those of this session, where given.
        redo: Take back an undo instead of a decision.
    """
    # Read lazily: the answer is nearly always among the newest events, however many there are.
    newest_first = connection.execute(
        "SELECT e.*, target.action AS target_action FROM events e "
        "LEFT JOIN events target ON target.event_uuid = e.undo_of "
        "WHERE e.audit = ? AND e.annotator = ? ORDER BY e.seq DESC",
        (audit, annotator),
    )
    try:
        return _target(newest_first, session, redo=redo)
    finally:
        newest_first.close()


def holds(connection: sqlite3.Connection, identifier: str) -> bool:
    """Whether no holding event undoes this one."""
    # Breadth first without recursion in Python: a chain of undo and redo can be as long as somebody's day.
    rows = connection.execute(
        "WITH RECURSIVE chain(uuid, undo_of) AS ("
        " SELECT event_uuid, undo_of FROM events WHERE event_uuid = ?"
        " UNION SELECT e.event_uuid, e.undo_of FROM events e JOIN chain ON e.undo_of = chain.uuid"
        ") SELECT e.event_uuid, e.undo_of FROM events e JOIN chain ON e.event_uuid = chain.uuid "
        "ORDER BY e.seq DESC",
        (identifier,),
    ).fetchall()
    undone: set[str] = set()
    for row in rows:  # newest first: whether an undo holds is known before it is used
        if row["undo_of"] is not None and row["event_uuid"] not in undone:
            undone.add(row["undo_of"])
    return identifier not in undone


def _target(rows: Iterable[sqlite3.Row], session: str | None, *, redo: bool) -> sqlite3.Row | None:
    undone: set[str] = set()
    for row in rows:
        held = row["event_uuid"] not in undone
        mine = session is None or row["session"] == session
        if row["action"] == "undo":
            if held and redo and mine and row["target_action"] != "undo":
                return row
            if held:
                undone.add(row["undo_of"])
        elif mine and redo:
            return None  # a decision newer than the last undo: there is nothing to redo any more
        elif mine and held:
            return row
    return None
