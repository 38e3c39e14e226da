"""Relabel sessions: queues whose order is frozen when they start.

A queue that is sorted anew while somebody works through it moves examples under the hand; what was shown
with a decision (rank, percentile, suggestion) could no longer be told afterwards.
"""

from __future__ import annotations

import json
import math
import time
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from tracin_viz.errors import InputError, NotFoundError
from tracin_viz.relabel.events import EventLog
from tracin_viz.relabel.plain_text import storable
from tracin_viz.store.database import Database

#: How several people work through a queue.
MODES: dict[str, str] = {
    "each": "everybody decides every example, without seeing what the others decided",
    "shared": "each example is decided once, by whoever gets it",
    "settle": "somebody who has not decided about them settles what others disagree about",
}


@dataclass(frozen=True)
class QueueEntry:
    """One example of a queue and what it is shown with.

    Attributes:
        example_id: ``split:row``.
        rank: Place in the ranking it came from, from 1.
        percentile: Suspicion percentile, 0–100.
        suggested: Name of the suggested class.
        confidence: Of the suggestion, 0–1.
    """

    example_id: str
    rank: int | None = None
    percentile: float | None = None
    suggested: str | None = None
    confidence: float | None = None


@dataclass(frozen=True)
class Session:
    """A frozen queue.

    Attributes:
        id: Names it in addresses and events.
        audit: Name of the audit.
        name: What people call it.
        source: Where the queue came from, in plain words ("top 200 by self-influence").
        queue: The entries in their frozen order.
        annotator: Who started it.
        created: Seconds since 1970.
        mode: A key of ``MODES``.
    """

    id: str
    audit: str
    name: str
    source: str
    queue: tuple[QueueEntry, ...]
    annotator: str
    created: float
    mode: str = "each"


class SessionBook:
    """The relabel sessions of one audit."""

    def __init__(self, database: Database, audit: str) -> None:
        self.database = database
        self.audit = audit

    def create(
        self,
        queue: Sequence[QueueEntry],
        *,
        name: str,
        source: str = "",
        annotator: str = "",
        mode: str = "each",
    ) -> Session:
        """Freeze a queue and store it.

        Raises:
            InputError: The queue is empty or holds an example twice, or there is no such mode.
        """
        if mode not in MODES:
            raise InputError(
                f"There is no way '{mode}' to share a queue.", remedy=f"Ways: {', '.join(MODES)}."
            )
        if not queue:
            raise InputError(
                "The queue is empty, so there is nothing to decide.", remedy="Choose some examples."
            )
        seen: set[str] = set()
        for entry in queue:
            if entry.example_id in seen:
                raise InputError(
                    f"{entry.example_id} is in the queue twice.", remedy="List each example once."
                )
            seen.add(entry.example_id)
        session = Session(
            uuid.uuid4().hex[:12],
            self.audit,
            storable(name.strip()) or "Session",
            storable(source),
            tuple(_plain(entry) for entry in queue),
            storable(annotator.strip()),
            time.time(),
            mode,
        )
        frozen = json.dumps([asdict(entry) for entry in session.queue], allow_nan=False)
        with self.database.write() as connection:
            connection.execute(
                "INSERT INTO sessions (id, audit, name, source, queue, annotator, created, mode) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    session.id,
                    session.audit,
                    session.name,
                    session.source,
                    frozen,
                    session.annotator,
                    session.created,
                    session.mode,
                ),
            )
        return session

    def get(self, session_id: str) -> Session:
        """The session with this id.

        Raises:
            NotFoundError: This audit has none.
        """
        rows = self.database.read(
            "SELECT * FROM sessions WHERE audit = ? AND id = ?", (self.audit, session_id)
        )
        if not rows:
            raise NotFoundError(
                f"Audit '{self.audit}' has no relabel session '{session_id}'.", remedy="Start a new one."
            )
        return _session(rows[0])

    def newest_first(self, most: int = 1_000) -> list[Session]:
        """The sessions of the audit, at most so many."""
        return [
            _session(row)
            for row in self.database.read(
                "SELECT * FROM sessions WHERE audit = ? ORDER BY created DESC, rowid DESC LIMIT ?",
                (self.audit, most),
            )
        ]


def cursor(session: Session, log: EventLog, annotator: str) -> int | None:
    """Place in the queue of the first example that the annotator has neither decided nor skipped here.

    Returns:
        Index from 0, or ``None`` when the queue is finished.
    """
    answered = log.answered(annotator, session.id)
    return next(
        (place for place, entry in enumerate(session.queue) if entry.example_id not in answered), None
    )


def _session(row: object) -> Session:
    values = dict(row)  # type: ignore[call-overload]
    queue = tuple(QueueEntry(**entry) for entry in json.loads(values.pop("queue")))
    return Session(queue=queue, **values)


def _plain(entry: QueueEntry) -> QueueEntry:
    """Plain Python values (numpy's have no JSON form), NaN as unknown."""
    return QueueEntry(
        storable(entry.example_id),
        None if entry.rank is None else int(entry.rank),
        _finite(entry.percentile),
        storable(entry.suggested),
        _finite(entry.confidence),
    )


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None
