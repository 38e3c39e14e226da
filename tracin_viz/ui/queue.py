"""Walking through a frozen relabel queue: where to begin, which card is next, and one click = one decision."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from typing import Any

import streamlit as st

from tracin_viz.ui.session import open_audit, remember

_USED = "used_clicks"
_DRAWN = "drawn_clicks"


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

    It is made when the card is drawn and stays the same until something was decided (``already`` decisions
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
    if not first_use(click):
        return
    open_audit(name).decide(**decision, event_uuid=click)
    remember("item", "")


def undo(name: str, click: str, annotator: str, session: str) -> None:
    """Take the newest decision of this session back; its card comes again."""
    if not first_use(click):
        return
    event = open_audit(name).undo(annotator, session=session)
    st.toast("Nothing to undo." if event is None else f"Undone: {event.example_id}")
    remember("item", "")


def described(ranking: str, class_name: str, top: int) -> str:
    """What a queue holds, in plain words."""
    where = f" labelled {class_name}" if class_name else ""
    return f"top {top} by {ranking}{where}"
