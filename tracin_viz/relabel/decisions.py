"""What an event is, which events hold, and what they decide.

An event *holds* unless an event that itself holds undoes it. The decision about an example is its last
holding event that decides something, whoever made it; a skip is kept in the history and decides nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field


def new_uuid() -> str:
    """A fresh identifier for an event."""
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
    event_uuid: str = field(default_factory=new_uuid)
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
    found = {example_id: decide(own) for example_id, own in by_example.items()}
    return {example_id: decision for example_id, decision in found.items() if decision is not None}


def decide(events: Sequence[Event]) -> Decision | None:
    """What one example's events decide, in order of the log."""
    deciding = [event for event in holding(events) if event.action not in ("undo", "skip")]
    if not deciding:
        return None
    last = deciding[-1]
    label = {"exclude": None, "relabel": last.new_label}.get(last.action, last.old_label)
    return Decision(last, label)
