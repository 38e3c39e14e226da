"""What an event is, which events hold, and what they decide.

An event *holds* unless an event that itself holds undoes it; a skip is kept in the history and decides
nothing. What several people's holding decisions come to is up to a policy (``policies``).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
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
        new_label: For ``relabel``: the chosen class, a JSON list of classes, or a JSON number.
        suggested: The class that was suggested.
        rank: Place in the queue or ranking it was shown in, from 1.
        percentile: Suspicion percentile it was shown with, 0–100.
        session: Id of the relabel session.
        client_ts: When the annotator decided, seconds since 1970 by the browser's clock.
        note: Free text.
        event_uuid: Chosen by the sender, so that sending twice stores once.
        undo_of: The event that this one undoes.
        settles: Made to settle what others disagree about.
        batch: Shared by decisions that were made at once, so that one undo takes all of them back.
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
    settles: bool = False
    batch: str | None = None
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


@dataclass(frozen=True)
class Stacks:
    """What one annotator can undo and redo in one queue.

    Attributes:
        done: Decisions and skips that hold, oldest first.
        undone: Pairs of an undo and what it took back, which a redo would bring again; the next one last.
    """

    done: tuple[Event, ...]
    undone: tuple[tuple[Event, Event], ...]


def holding(events: Sequence[Event]) -> list[Event]:
    """The events that no holding event undoes, in order."""
    undone: set[str] = set()
    # Newest first: an undo comes after what it undoes, so whether it holds is known before it is used.
    for event in reversed(events):
        if event.undo_of is not None and event.event_uuid not in undone:
            undone.add(event.undo_of)
    return [event for event in events if event.event_uuid not in undone]


def stacks(events: Iterable[Event]) -> Stacks:
    """What can be undone and redone after these events of one annotator in one queue, in their order."""
    done: dict[str, Event] = {}
    undone: dict[str, tuple[Event, Event]] = {}  # by the undo's uuid
    for event in events:
        if event.undo_of is None:
            done[event.event_uuid] = event
            undone.clear()
        elif event.undo_of in done:
            undone[event.event_uuid] = event, done.pop(event.undo_of)
        elif event.undo_of in undone:
            again = undone.pop(event.undo_of)[1]
            done[again.event_uuid] = again
    return Stacks(tuple(done.values()), tuple(undone.values()))


def deciding(events: Sequence[Event]) -> list[Event]:
    """The holding events that decide something, in order."""
    return [event for event in holding(events) if event.action not in ("undo", "skip")]


def decided_by(event: Event) -> Decision:
    """What holds for an example where this event decides."""
    return Decision(event, {"exclude": None, "relabel": event.new_label}.get(event.action, event.old_label))
