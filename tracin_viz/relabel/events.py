"""The log of decisions: append-only, with undo and redo.

Nothing is ever rewritten. An undo is an event that names the one it undoes; a redo is an undo of an undo.
What holds is computed from the events: see ``decisions`` and ``policies``.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import TypeVar

from tracin_viz.errors import InputError
from tracin_viz.relabel.checks import ACTIONS, checked, checked_annotator, checked_uuid
from tracin_viz.relabel.decisions import Decision, Event, Stacks, holding, new_uuid, stacks
from tracin_viz.relabel.policies import POLICIES, USUAL, Conflict, conflict, decide, decisions
from tracin_viz.relabel.undoing import holds, taken_back
from tracin_viz.store.database import Database
from tracin_viz.store.settings import Settings

__all__ = ["ACTIONS", "Decision", "Event", "EventLog", "decisions", "holding"]

_COLUMNS = tuple(entry.name for entry in fields(Event))
_STORED = tuple(name for name in _COLUMNS if name != "seq")
_Value = TypeVar("_Value")


#: Name of an audit's setting: how the decisions of several people come to one label.
POLICY = "policy"


def policy_of(database: Database, audit: str) -> str:
    """The policy that counts for an audit: a key of ``POLICIES``."""
    kept = Settings(database, audit).get(POLICY)
    return kept if kept in POLICIES else USUAL


class EventLog:
    """The relabel events of one audit.

    Args:
        database: The workspace's database.
        audit: Name of the audit.
        classes: Names of its classes; with them a relabel to any other word is refused.
        target: What a label of it is: ``"class"``, ``"multi-label"`` or ``"number"``.
    """

    def __init__(
        self, database: Database, audit: str, *, classes: Sequence[str] = (), target: str = "class"
    ) -> None:
        self.database = database
        self.audit = audit
        self.classes = tuple(classes)
        self.target = target
        self._lock = threading.Lock()
        self._events: list[Event] = []
        self._by_example: dict[str, list[Event]] = {}
        self._by_session: dict[str, list[Event]] = {}
        self._decisions: dict[str, dict[str, Decision]] = {}
        self._people: set[str] = set()
        self._conflicts: dict[str, Conflict] = {}

    def append(self, event: Event) -> Event:
        """Store a decision and return it as stored; durable when this returns.

        Sending the same ``event_uuid`` again stores nothing and returns the first.

        Raises:
            InputError: The event makes no sense, or its uuid belongs to a different decision.
        """
        event = checked(event, self.classes, self.target)
        with self.database.write() as connection:
            return self._insert(connection, event)

    def append_each(self, events: Sequence[Event]) -> list[Event | InputError]:
        """Store many, decisions and undos that name what they undo, in their order; durable on return.

        Returns:
            Each event as stored, or why it was refused; a refused one keeps no other from being stored. An
            undo of what is undone already is stored as nothing and returned as it came.
        """
        found: list[Event | InputError] = []
        with self.database.write() as connection:
            for event in events:
                try:
                    found.append(self._one(connection, event))
                except InputError as error:
                    found.append(error)
        return found

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

    def current(self, policy: str = USUAL) -> dict[str, Decision]:
        """The decision that holds by ``policy`` (a key of ``POLICIES``), by example id."""
        with self._lock:
            self._refresh()
            if policy not in self._decisions:
                self._decisions[policy] = decisions(self._events, policy)
            return dict(self._decisions[policy])

    def conflicts(self) -> list[Conflict]:
        """Examples about which annotators differ and that nobody settled, the oldest difference first."""
        with self._lock:
            self._refresh()
            return sorted(self._conflicts.values(), key=lambda one: one.votes[-1].seq)

    def history(self) -> list[Event]:
        """All events in order, undone ones and undos included."""
        with self._lock:
            self._refresh()
            return list(self._events)

    def about(self, example_id: str) -> list[Event]:
        """All events about one example, in order."""
        with self._lock:
            self._refresh()
            return list(self._by_example.get(example_id, ()))

    def of_session(self, session: str) -> list[Event]:
        """All events of one relabel session, in order."""
        with self._lock:
            self._refresh()
            return list(self._by_session.get(session, ()))

    def answered(self, annotator: str | None, session: str) -> set[str]:
        """Example ids that the annotator (or anybody) has decided or skipped here, and not undone."""
        name = None if annotator is None else annotator.strip()
        mine = [event for event in self.of_session(session) if name is None or event.annotator == name]
        return {event.example_id for event in holding(mine) if event.action != "undo"}

    def annotators(self) -> list[str]:
        """Everybody who ever decided, in order of the alphabet."""
        with self._lock:
            self._refresh()
            return sorted(self._people)

    def stacks(self, annotator: str, session: str) -> Stacks:
        """What the annotator can undo and redo in this session."""
        name = annotator.strip()
        return stacks(event for event in self.of_session(session) if event.annotator == name)

    def _refresh(self) -> None:
        # One writer at a time numbers the events, so a higher number is never seen before a lower one.
        last = self._events[-1].seq if self._events else 0
        rows = self.database.read(
            f"SELECT {', '.join(_COLUMNS)} FROM events WHERE audit = ? AND seq > ? ORDER BY seq",
            (self.audit, last),
        )
        fresh = [_event(row) for row in rows]
        self._events.extend(fresh)
        self._people.update(event.annotator for event in fresh)
        for event in fresh:
            self._by_example.setdefault(event.example_id, []).append(event)
            if event.session is not None:
                self._by_session.setdefault(event.session, []).append(event)
        # An undo names the example of what it undoes, so only the examples of the fresh events can change:
        # the next card comes as quickly behind 100,000 events as behind ten.
        for example_id in {event.example_id for event in fresh}:
            own = self._by_example[example_id]
            _put(self._conflicts, example_id, conflict(own))
            for policy, found in self._decisions.items():
                _put(found, example_id, decide(own, policy))

    def _one(self, connection: sqlite3.Connection, event: Event) -> Event:
        if event.undo_of is None:
            return self._insert(connection, checked(event, self.classes, self.target))
        event = replace(
            event,
            action="undo",
            annotator=checked_annotator(event.annotator),
            event_uuid=checked_uuid(event.event_uuid),
        )
        sent = self._stored(connection, event.event_uuid)
        if sent is not None and sent.undo_of == event.undo_of:
            return sent
        target = self._stored(connection, checked_uuid(event.undo_of or ""))
        if target is None or target.annotator != event.annotator:
            raise InputError(
                f"There is no decision {event.undo_of} of {event.annotator} to take back.",
                remedy="Reload the page to see what is stored.",
            )
        # Two tabs may undo the same decision; a second undo would stay when a redo takes back the first.
        if not holds(connection, target.event_uuid):
            return event
        return self._insert(
            connection, replace(event, example_id=target.example_id, session=target.session, new_label=None)
        )

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
            row = taken_back(connection, self.audit, name, session, redo=redo)
            if row is None:
                return None
            target = _event(row)
            event = Event(
                target.example_id,
                "undo",
                name,
                session=target.session,
                event_uuid=identifier,
                undo_of=target.event_uuid,
            )
            return self._insert(connection, event)


def _put(found: dict[str, _Value], name: str, value: _Value | None) -> None:
    if value is None:
        found.pop(name, None)
    else:
        found[name] = value


def _event(row: sqlite3.Row) -> Event:
    values = {name: row[name] for name in _COLUMNS}
    values["settles"] = bool(values["settles"])
    return Event(**values)


def _meaning(event: Event) -> tuple[str | None, ...]:
    """What two sendings of one decision share; what it was shown with may be looked up anew by the sender."""
    return event.example_id, event.action, event.annotator, event.new_label


def _taken(identifier: str) -> InputError:
    return InputError(
        f"Event {identifier} is already stored, for a different decision.",
        remedy="Give every decision its own uuid.",
    )
