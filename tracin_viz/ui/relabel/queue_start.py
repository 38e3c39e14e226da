"""Walking through a frozen relabel queue: where to begin, which card is next, one click = one decision."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from tracin_viz.audit import Audit, QueueEntry
from tracin_viz.ui.access import deciding
from tracin_viz.ui.session import open_audit, remember
from tracin_viz.ui.text import plain

_USED = "used_clicks"
_DRAWN = "drawn_clicks"


@dataclass(frozen=True)
class Queue:
    """A frozen queue as the relabel page walks it.

    Attributes:
        id: Of the relabel session; in the address and in every decision.
        source: Where the queue came from, in plain words.
        annotator: Who decides in it.
        entries: In their frozen order.
        answered: Ids that were decided or skipped here and not undone.
    """

    id: str
    source: str
    annotator: str
    entries: tuple[QueueEntry, ...]
    answered: frozenset[str]


def freeze(audit: Audit, rows: Iterable[Mapping[str, Any]], *, source: str, annotator: str) -> str:
    """Store a queue in this order for good; returns its id.

    Args:
        audit: The audit.
        rows: Rows of the suspects document, or ``{"id": …}`` of an example chosen by hand.
        source: Where it came from, in plain words.
        annotator: Who decides.
    """
    deciding()
    entries = [
        QueueEntry(
            row["id"], place, row.get("percentile"), row.get("suggested") or None, row.get("confidence")
        )
        for place, row in enumerate(rows, start=1)
    ]
    return audit.sessions.create(entries, name=source, source=source, annotator=annotator).id


def load(audit: Audit, identity: str) -> Queue:
    """The queue with this id.

    Raises:
        NotFoundError: The audit has none.
    """
    stored = audit.sessions.get(identity)
    answered = audit.events.answered(stored.annotator, stored.id)
    return Queue(stored.id, stored.source, stored.annotator, stored.queue, frozenset(answered))


def next_place(queue: Sequence[str], answered: Collection[str], wanted: str = "") -> int | None:
    """Place of the card to show.

    Args:
        queue: Example ids in their frozen order.
        answered: Ids that were decided or skipped in this session and not undone.
        wanted: An id that was asked for by hand; it is shown even if it is answered.

    Returns:
        Index of ``wanted`` if it is in the queue, else of the first unanswered one; ``None`` = finished.
    """
    if wanted in queue:
        return list(queue).index(wanted)
    return next((place for place, identity in enumerate(queue) if identity not in answered), None)


def click_id(identity: str, *, already: int) -> str:
    """Identity of the decision that a drawn card can cause.

    It is made when the card is drawn and stays the same until something was decided (``already`` events
    before), so that a double click, or a click on a card that is still on the screen, is one decision.
    """
    drawn = st.session_state.setdefault(_DRAWN, {})
    key = f"{identity} {already}"
    if key not in drawn:
        drawn.clear()
        drawn[key] = uuid.uuid4().hex
    return str(drawn[key])


def first_use(click: str) -> bool:
    """Whether this click was not handled before; remembers it."""
    used = st.session_state.setdefault(_USED, set())
    if click in used:
        return False
    used.add(click)
    return True


def decide(name: str, click: str, decision: dict[str, Any]) -> None:
    """Store one decision about the example that was on the card, and show the next card.

    Args:
        name: The audit.
        click: From ``click_id``.
        decision: Arguments of ``Audit.decide``, fixed when the card was drawn: never "the present card".
    """
    deciding()
    if not first_use(click):
        return
    open_audit(name).decide(**decision, event_uuid=click)
    remember("item", "")


def undo(name: str, click: str, annotator: str, session: str) -> None:
    """Take the newest decision of this session back; its card comes again."""
    deciding()
    if not first_use(click):
        return
    event = open_audit(name).undo(annotator, session=session, event_uuid=click)
    st.toast("Nothing to undo." if event is None else f"Undone: {plain(event.example_id)}")
    remember("item", "")
