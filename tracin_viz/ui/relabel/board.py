"""The card of a queue, and under it what was decided; the card itself needs no run of the page."""

from __future__ import annotations

from collections import Counter
from typing import Any
from urllib.parse import quote

import streamlit as st

from tracin_viz.audit import Audit, Session
from tracin_viz.ui import text, theme
from tracin_viz.ui.access import deciding, signs_in
from tracin_viz.ui.components.relabel_card import relabel_card
from tracin_viz.ui.guard import guarded
from tracin_viz.ui.language import language, tr, trn
from tracin_viz.ui.navigation import PAGES, page
from tracin_viz.ui.relabel.agreeing import show_agreement
from tracin_viz.ui.relabel.decided import show_decisions
from tracin_viz.ui.relabel.examples import card_data
from tracin_viz.ui.relabel.identity import COOKIE
from tracin_viz.ui.relabel.passes import issue
from tracin_viz.ui.relabel.words import card_words
from tracin_viz.ui.results import state_key
from tracin_viz.ui.routes import prefix
from tracin_viz.ui.session import remember, visit
from tracin_viz.ui.short import short_names

#: Cards that come with the page; the browser fetches the others ahead of need.
FIRST = 24


def board(audit: Audit, session: Session, annotator: str, item: str) -> None:
    """Draw the card of ``session`` for this annotator.

    Args:
        audit: The audit.
        session: The frozen queue.
        annotator: Who decides.
        item: The example that is asked for first; empty = the first open one.
    """
    deciding()
    _bar(session, annotator)
    _working(audit, session, annotator, _data(audit, session, annotator, item))


def _bar(session: Session, annotator: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="relabel_bar"):
        st.button(tr("Another queue"), key="leave", icon=":material/logout:", on_click=_leave)
        st.caption(
            tr(
                "Annotator: {annotator} · {source}",
                annotator=text.plain(annotator),
                source=text.plain(session.source),
            )
        )


def _leave() -> None:
    remember("session", "")
    remember("item", "")


def _data(audit: Audit, session: Session, annotator: str, item: str) -> dict[str, Any]:
    stacks = audit.events.stacks(annotator, session.id)
    answered = {event.example_id for event in stacks.done}
    ids = [entry.example_id for entry in session.queue]
    start = item if item in ids else next((one for one in ids if one not in answered), "")
    from_place = ids.index(start) if start else max(0, len(ids) - FIRST)
    name = quote(audit.name, safe="")
    cards = f"{prefix()}/decisions-cards/{name}"
    return {
        "audit": audit.name,
        "session": session.id,
        "annotator": annotator,
        "signed_in": signs_in(),
        "mode": session.mode,
        "target": audit.target,
        "classes": list(audit.classes),
        # Only those that differ: ten thousand ordinary names need not be sent twice.
        "names": {name: word for name, word in short_names(audit.classes).items() if name != word},
        "ids": ids,
        "item": item,
        "start": "" if session.mode == "shared" and not item else start,
        "cards": card_data(
            audit, session.queue[from_place : from_place + FIRST], votes=session.mode == "settle"
        ),
        "done": [
            [event.event_uuid, event.example_id, event.action, event.new_label, event.batch]
            for event in stacks.done
        ],
        "undone": [
            [undo.event_uuid, event.event_uuid, event.example_id, event.action, event.new_label, event.batch]
            for undo, event in stacks.undone
        ],
        "words": card_words(),
        "visit": visit(),
        "language": language(),
        "cookie": "" if signs_in() else COOKIE,
        "urls": {
            "decisions": f"{prefix()}/decisions/",
            "claim": f"{prefix()}/decisions-offer/{name}",
            "cards": cards,
            "pushed": f"{prefix()}/decisions-pushed/{name}/",
        },
        "results": state_key(audit)[:12],
    }


@st.fragment
@guarded
def _working(audit: Audit, session: Session, annotator: str, data: dict[str, Any]) -> None:
    # The data were made when the page ran; only the pass can run out while the card is used.
    key = audit.signing_key()
    relabel_card({**data, "pass": issue(key, annotator if signs_in() else None)}, key="relabel_card")
    _summary(audit, session, annotator)
    show_agreement(audit)
    show_decisions(audit)


def _summary(audit: Audit, session: Session, annotator: str) -> None:
    """What a finished queue came to, and where to go from here."""
    whose = annotator if session.mode == "each" else None
    if len(audit.events.answered(whose, session.id)) < len(session.queue):
        return
    newest = {event.example_id: event.action for event in audit.events.stacks(annotator, session.id).done}
    number = Counter(newest.values())
    with st.container(key="finished"):
        finished = trn(
            "This queue of {n} example is finished.",
            "This queue of {n} examples is finished.",
            len(session.queue),
        )
        yours = tr(
            "You: {keep} kept, {relabel} relabelled, {exclude} excluded, {review} to review, {skip} skipped.",
            **{name: number[name] for name in ("keep", "relabel", "exclude", "review", "skip")},
        )
        st.success(f"{theme.SIGNS['decided']} {finished} {yours}")
        with st.container(horizontal=True, vertical_alignment="center"):
            if "report" in PAGES:
                st.page_link(page("report"), label=tr("Report"), icon=":material/summarize:")
            st.caption(tr("Take the labels along below, or begin another queue."))
