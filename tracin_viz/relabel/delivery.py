"""Decisions as the browser's outbox sends them.

Each names its example and itself, so that late, twice or from another tab is all the same.
The browser says what was decided; what was shown with it (rank, percentile, suggestion) is read from the
frozen queue, and the given label from the data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tracin_viz.errors import InputError, NotFoundError
from tracin_viz.relabel.decisions import Event
from tracin_viz.relabel.events import EventLog
from tracin_viz.relabel.policies import votes
from tracin_viz.relabel.sessions import QueueEntry, Session, SessionBook

#: Decisions taken at once; the browser sends the rest afterwards.
MOST = 500


@dataclass(frozen=True)
class Delivered:
    """What became of the decisions of one delivery.

    Attributes:
        stored: Identifiers that need not be sent again.
        refused: Those that can never be stored, with the reason.
    """

    stored: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]


def deliver(
    log: EventLog,
    sessions: SessionBook,
    entries: Sequence[Any],
    *,
    given: Callable[[str], str],
    annotator: str | None = None,
) -> Delivered:
    """Store decisions, undos and redos in their order; durable when this returns.

    Args:
        log: The audit's events.
        sessions: The audit's queues.
        entries: Objects ``{uuid, example, action, label?, session, annotator, at, note?, batch?}``, or
            ``{uuid, undo_of, annotator, at}``; ``at`` in seconds since 1970 by the browser's clock. Anything
            else is refused, alone.
        given: The given label of an example; raises where there is no such example.
        annotator: Who is signed in, where that is known; entries of anybody else are refused.

    Raises:
        InputError: There are more than ``MOST``.
    """
    if len(entries) > MOST:
        raise InputError(f"More than {MOST} decisions at once.", remedy="Send them in several parts.")
    events: list[tuple[str, Event]] = []
    refused: list[tuple[str, str]] = []
    queues: dict[str, _Shown] = {}
    for entry in entries:
        name = str(entry.get("uuid", "")) if isinstance(entry, Mapping) else ""
        try:
            events.append((name, _event(entry, log, sessions, queues, given=given, annotator=annotator)))
        except (InputError, NotFoundError) as error:
            refused.append((name, error.message))
    stored = []
    for (name, _), result in zip(events, log.append_each([event for _, event in events]), strict=True):
        if isinstance(result, InputError):
            refused.append((name, result.message))
        else:
            stored.append(name)
    return Delivered(tuple(stored), tuple(refused))


@dataclass(frozen=True)
class _Shown:
    """A queue by example."""

    mode: str
    entries: Mapping[str, QueueEntry]


def _event(
    entry: Any,
    log: EventLog,
    sessions: SessionBook,
    queues: dict[str, _Shown],
    *,
    given: Callable[[str], str],
    annotator: str | None,
) -> Event:
    if not isinstance(entry, Mapping):
        raise InputError("A decision is an object.")
    who, identifier = _text(entry, "annotator"), _text(entry, "uuid")
    if annotator is not None and who != annotator:
        raise InputError(f"This decision is {who}'s, but {annotator} is signed in.")
    when = _moment(entry.get("at"))
    if entry.get("undo_of") is not None:
        taken = _text(entry, "undo_of")
        return Event("", "undo", who, event_uuid=identifier, undo_of=taken, client_ts=when)
    example, action = _text(entry, "example"), _text(entry, "action")
    session = _text(entry, "session") or None
    shown = _queue(session, sessions, queues)
    place = shown.entries.get(example, QueueEntry(example))
    settles = shown.mode == "settle" and action != "skip"
    if settles and who in votes(log.about(example)):
        raise InputError(f"{who} has decided about {example} already; somebody else settles it.")
    return Event(
        example,
        action,
        who,
        old_label=given(example),
        new_label=_text(entry, "label") if entry.get("label") is not None else None,
        suggested=place.suggested,
        rank=place.rank,
        percentile=place.percentile,
        session=session,
        client_ts=when,
        note=_text(entry, "note"),
        event_uuid=identifier,
        settles=settles,
        batch=_text(entry, "batch")[:64] or None,
    )


def _queue(session: str | None, sessions: SessionBook, queues: dict[str, _Shown]) -> _Shown:
    name = session or ""
    if name not in queues:
        try:
            found: Session | None = sessions.get(name) if name else None
        except NotFoundError:
            found = None  # a queue of another audit of this name, made anew since: the decision counts
        entries = {one.example_id: one for one in found.queue} if found else {}
        queues[name] = _Shown(found.mode if found else "each", entries)
    return queues[name]


def _moment(at: object) -> float | None:
    """Seconds since 1970 by the browser's clock; ``None`` where it says none that could be."""
    known = isinstance(at, (int, float)) and not isinstance(at, bool) and 0 <= at < 1e11
    return float(at) if known and isinstance(at, (int, float)) else None


def _text(entry: Mapping[str, Any], name: str) -> str:
    value = entry.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InputError(f"The decision's '{name}' is no text.")
    return value
