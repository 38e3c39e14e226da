"""Decisions about labels: append-only events, and the decisions that hold, computed from them.

Nothing is ever rewritten. An undo is an event that names the one it undoes; a redo is an undo of an undo.
An event *holds* unless an event that itself holds undoes it. The decision about an example is its last
holding event that decides something, whoever made it; a skip is kept in the history and decides nothing.
"""

from __future__ import annotations

import math
import re
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace

from tracin_viz.errors import InputError
from tracin_viz.relabel.plain_text import storable
from tracin_viz.store.database import Database

#: What an annotator may decide, in the words that pages show; "undo" events are made by ``EventLog.undo``.
ACTIONS: dict[str, str] = {
    "keep": "the given label is right",
    "relabel": "another class is right",
    "exclude": "the example should not be trained on",
    "review": "somebody else should look at it",
    "skip": "no decision now",
}

_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{8,64}")
_EXAMPLE = re.compile(r"[^:\x00-\x1f]+:[0-9]+")
_LONGEST_NOTE = 10_000
_LONGEST_NAME = 200


def _new_uuid() -> str:
    return uuid.uuid4().hex


@dataclass(frozen=True)
class Event:
    """One row of the log. Only the first three fields are needed to append one.

    Attributes:
        example_id: ``split:row``.
        action: A key of ``ACTIONS``, or ``"undo"``.
        annotator: Who decided.
        old_label: The label that the data gives, by name.
        new_label: The chosen class, for ``relabel``.
        suggested: The class that was suggested.
        rank: Place in the queue or ranking it was shown in, from 1.
        percentile: Suspicion percentile it was shown with, 0–100.
        session: Id of the relabel session.
        client_ts: When the annotator decided, seconds since 1970 by the browser's clock.
        note: Free text.
        event_uuid: Chosen by the sender, so that sending twice stores once.
        undo_of: The event that this one undoes.
        seq: Place in the log; given by the store.
        server_ts: When it was stored, seconds since 1970; given by the store.
    """

    example_id: str
    action: str
    annotator: str
    old_label: str | None = None
    new_label: str | None = None
    suggested: str | None = None
    rank: int | None = None
    percentile: float | None = None
    session: str | None = None
    client_ts: float | None = None
    note: str = ""
    event_uuid: str = field(default_factory=_new_uuid)
    undo_of: str | None = None
    seq: int = 0
    server_ts: float = 0.0

    @property
    def decided_at(self) -> float:
        """Seconds since 1970: the browser's clock, unless it runs ahead of the server's."""
        return self.server_ts if self.client_ts is None else min(self.client_ts, self.server_ts)


@dataclass(frozen=True)
class Decision:
    """What holds for one example now.

    Attributes:
        event: The event that decided it.
        label: Name of the class it has now; ``None`` where it is excluded.
    """

    event: Event
    label: str | None

    @property
    def example_id(self) -> str:
        """``split:row``."""
        return self.event.example_id

    @property
    def action(self) -> str:
        """keep, relabel, exclude or review."""
        return self.event.action


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
        event = self._checked(event)
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
            decision = _decision(self._by_example[example_id])
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
        name = _checked_annotator(annotator)
        identifier = _checked_uuid(event_uuid or _new_uuid())
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

    def _checked(self, event: Event) -> Event:
        if event.action not in ACTIONS:
            remedy = "To take a decision back use undo." if event.action == "undo" else ""
            raise InputError(
                f"'{event.action}' is no decision.", remedy=remedy or f"Possible: {', '.join(ACTIONS)}."
            )
        if not _EXAMPLE.fullmatch(event.example_id):
            raise InputError(f"'{event.example_id}' is no example id.", remedy="Ids look like train:17.")
        if event.action == "relabel" and not event.new_label:
            raise InputError(
                f"Relabelling {event.example_id} needs a class.", remedy=f"Possible: {self._possible()}."
            )
        if event.action != "relabel" and event.new_label is not None:
            raise InputError(
                f"'{event.action}' takes no new label, but '{event.new_label}' was given.",
                remedy="Use relabel to change the class.",
            )
        if self.classes and event.new_label is not None and event.new_label not in self.classes:
            raise InputError(
                f"'{event.new_label}' is no class of this audit.", remedy=f"Possible: {self._possible()}."
            )
        if event.undo_of is not None:
            raise InputError("A decision cannot undo another event.", remedy="To take one back use undo.")
        if event.client_ts is not None and not math.isfinite(event.client_ts):
            raise InputError(f"The time of the decision about {event.example_id} is not a number.")
        if len(event.note) > _LONGEST_NOTE:
            raise InputError(f"The note is longer than {_LONGEST_NOTE:,} characters.", remedy="Shorten it.")
        known = event.percentile is not None and math.isfinite(event.percentile)
        return replace(
            event,
            annotator=_checked_annotator(event.annotator),
            event_uuid=_checked_uuid(event.event_uuid),
            percentile=float(event.percentile) if known and event.percentile is not None else None,
            rank=None if event.rank is None else int(event.rank),
            **{name: storable(getattr(event, name)) for name in ("example_id", "note", "session")},
            **{name: storable(getattr(event, name)) for name in ("old_label", "new_label", "suggested")},
        )

    def _possible(self) -> str:
        shown = ", ".join(self.classes[:20]) or "any class of the audit"
        return f"{shown}, …" if len(self.classes) > 20 else shown


def holding(events: Sequence[Event]) -> list[Event]:
    """The events that no holding event undoes, in order."""
    undone: set[str] = set()
    # Newest first: an undo comes after what it undoes, so whether it holds is known before it is used.
    for event in reversed(events):
        if event.undo_of is not None and event.event_uuid not in undone:
            undone.add(event.undo_of)
    return [event for event in events if event.event_uuid not in undone]


def decisions(events: Sequence[Event]) -> dict[str, Decision]:
    """The decision that holds for each example, computed from the whole log."""
    by_example: dict[str, list[Event]] = {}
    for event in events:
        by_example.setdefault(event.example_id, []).append(event)
    found = {example_id: _decision(own) for example_id, own in by_example.items()}
    return {example_id: decision for example_id, decision in found.items() if decision is not None}


def _decision(events: Sequence[Event]) -> Decision | None:
    """What one example's events decide, in order of the log."""
    deciding = [event for event in holding(events) if event.action not in ("undo", "skip")]
    if not deciding:
        return None
    last = deciding[-1]
    label = {"exclude": None, "relabel": last.new_label}.get(last.action, last.old_label)
    return Decision(last, label)


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


def _checked_annotator(name: str) -> str:
    cleaned = storable(name).strip()
    if not cleaned:
        raise InputError("A decision needs the name of who makes it.", remedy="Enter your name first.")
    if len(cleaned) > _LONGEST_NAME:
        raise InputError(f"The annotator's name is longer than {_LONGEST_NAME} characters.")
    return cleaned


def _checked_uuid(identifier: str) -> str:
    if not _IDENTIFIER.fullmatch(identifier):
        raise InputError(
            f"'{identifier[:80]}' cannot identify an event.",
            remedy="Use 8 to 64 letters, digits, dashes and underscores, such as a UUID.",
        )
    return identifier
