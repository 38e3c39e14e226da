"""The log of decisions: append-only, with undo and redo.

Nothing is ever rewritten. An undo is an event that names the one it undoes; a redo is an undo of an undo.
What holds is computed from the events: see ``decisions``.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace

from tracin_viz.errors import InputError
from tracin_viz.relabel.checks import ACTIONS, checked, checked_annotator, checked_uuid
from tracin_viz.relabel.decisions import Decision, Event, decide, decisions, holding, new_uuid
from tracin_viz.store.database import Database

__all__ = ["ACTIONS", "Decision", "Event", "EventLog", "decisions", "holding"]

_COLUMNS = tuple(entry.name for entry in fields(Event))
_STORED = tuple(name for name in _COLUMNS if name != "seq")


class EventLog:
    """The relabel events of one audit.

    Args:
        database: The workspace's database.
        audit: Name of the audit.
        classes: Names of its classes; with them a relabel to any other word is refused.
    """

    def __init__(self, database: Database, audit: str, *, classes: Sequence[str] = ()) -> None:
        self.database = database
        self.audit = audit
        self.classes = tuple(classes)
        self._lock = threading.Lock()
        self._events: list[Event] = []
        self._by_example: dict[str, list[Event]] = {}
        self._decisions: dict[str, Decision] = {}

    def append(self, event: Event) -> Event:
        """Store a decision and return it as stored; durable when this returns.

        Sending the same ``event_uuid`` again stores nothing and returns the first.

        Raises:
            InputError: The event makes no sense, or its uuid belongs to a different decision.
        """
        event = checked(event, self.classes)
        with self.database.write() as connection:
            return self._insert(connection, event)

    def undo(
        self, annotator: str, *, session: str | None = None, event_uuid: str | None = None
    ) -> Event | None:
        """Undo the annotator's latest decision or skip that still holds; a second call the one before.

        Args:
            annotator: Whose decision; nobody undoes another's.
            session: Only decisions made in this session, where given.
            event_uuid: Of the undo event, so that sending twice undoes once.

        Returns:
            The undo event, or ``None`` where nothing is left to undo.
        """
        return self._take_back(annotator, session, event_uuid, redo=False)

    def redo(
        self, annotator: str, *, session: str | None = None, event_uuid: str | None = None
    ) -> Event | None:
        """Take back the annotator's latest undo; ``None`` after a newer decision or where there is none."""
        return self._take_back(annotator, session, event_uuid, redo=True)

    def current(self) -> dict[str, Decision]:
        """The decision that holds, by example id."""
        with self._lock:
            self._refresh()
            return dict(self._decisions)

    def history(self) -> list[Event]:
        """All events in order, undone ones and undos included."""
        with self._lock:
            self._refresh()
            return list(self._events)

    def answered(self, annotator: str, session: str) -> set[str]:
        """Example ids that the annotator has decided or skipped in this session, and not undone."""
        name = annotator.strip()
        mine = [event for event in self.history() if (event.session, event.annotator) == (session, name)]
        return {event.example_id for event in holding(mine) if event.action != "undo"}

    def _refresh(self) -> None:
        # One writer at a time numbers the events, so a higher number is never seen before a lower one.
        last = self._events[-1].seq if self._events else 0
        rows = self.database.read(
            f"SELECT {', '.join(_COLUMNS)} FROM events WHERE audit = ? AND seq > ? ORDER BY seq",
            (self.audit, last),
        )
        fresh = [_event(row) for row in rows]
        self._events.extend(fresh)
        for event in fresh:
            self._by_example.setdefault(event.example_id, []).append(event)
        # An undo names the example of what it undoes, so only the examples of the fresh events can change:
        # the next card comes as quickly behind 100,000 events as behind ten.
        for example_id in {event.example_id for event in fresh}:
            decision = decide(self._by_example[example_id])
            if decision is None:
                self._decisions.pop(example_id, None)
            else:
                self._decisions[example_id] = decision

    def _insert(self, connection: sqlite3.Connection, event: Event) -> Event:
        event = replace(event, server_ts=time.time())
        values = [getattr(event, name) for name in _STORED]
        connection.execute(
            f"INSERT INTO events (audit, {', '.join(_STORED)}) "
            f"VALUES ({', '.join('?' * (len(_STORED) + 1))}) ON CONFLICT (event_uuid) DO NOTHING",
            (self.audit, *values),
        )
        stored = self._stored(connection, event.event_uuid)
        if stored is None or _meaning(stored) != _meaning(event):
            raise _taken(event.event_uuid)
        return stored

    def _stored(self, connection: sqlite3.Connection, identifier: str) -> Event | None:
        row = connection.execute("SELECT * FROM events WHERE event_uuid = ?", (identifier,)).fetchone()
        if row is not None and row["audit"] != self.audit:
            raise _taken(identifier)
        return None if row is None else _event(row)

    def _take_back(
        self, annotator: str, session: str | None, event_uuid: str | None, *, redo: bool
    ) -> Event | None:
        name = checked_annotator(annotator)
        identifier = checked_uuid(event_uuid or new_uuid())
        # Looking and writing under one write lock: two undos at once must not undo the same decision.
        with self.database.write() as connection:
            sent = self._stored(connection, identifier)
            if sent is not None:
                if (sent.action, sent.annotator) != ("undo", name):
                    raise _taken(identifier)
                return sent
            newest_first = connection.execute(
                "SELECT e.*, target.action AS target_action FROM events e "
                "LEFT JOIN events target ON target.event_uuid = e.undo_of "
                "WHERE e.audit = ? AND e.annotator = ? ORDER BY e.seq DESC",
                (self.audit, name),
            )
            target = _target(newest_first, session, redo=redo)
            newest_first.close()
            if target is None:
                return None
            event = Event(
                target.example_id,
                "undo",
                name,
                session=target.session,
                event_uuid=identifier,
                undo_of=target.event_uuid,
            )
            return self._insert(connection, event)


def _target(rows: Iterable[sqlite3.Row], session: str | None, *, redo: bool) -> Event | None:
    """The event that an undo (or redo) takes back, from one annotator's events, newest first."""
    undone: set[str] = set()
    for row in rows:
        holds = row["event_uuid"] not in undone
        mine = session is None or row["session"] == session
        if row["action"] == "undo":
            if holds and redo and mine and row["target_action"] != "undo":
                return _event(row)
            if holds:
                undone.add(row["undo_of"])
        elif mine and redo:
            return None  # a decision newer than the last undo: there is nothing to redo any more
        elif mine and holds:
            return _event(row)
    return None


def _event(row: sqlite3.Row) -> Event:
    return Event(**{name: row[name] for name in _COLUMNS})


def _meaning(event: Event) -> tuple[str | None, ...]:
    """What two sendings of one decision share; what it was shown with may be looked up anew by the sender."""
    return event.example_id, event.action, event.annotator, event.new_label


def _taken(identifier: str) -> InputError:
    return InputError(
        f"Event {identifier} is already stored, for a different decision.",
        remedy="Give every decision its own uuid.",
    )
