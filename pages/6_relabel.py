"""Relabel: one example after the other at the keyboard; every decision is kept at once and can be undone."""

from __future__ import annotations

import streamlit as st

from tracin_viz.audit import Audit, Session
from tracin_viz.errors import NotFoundError
from tracin_viz.ui.access import may_decide
from tracin_viz.ui.frame import audit_page
from tracin_viz.ui.language import later, tr
from tracin_viz.ui.relabel.agreeing import show_agreement
from tracin_viz.ui.relabel.begin import begin
from tracin_viz.ui.relabel.board import board
from tracin_viz.ui.relabel.decided import show_decisions
from tracin_viz.ui.relabel.identity import annotator, ask_name, ask_to_sign_in, call
from tracin_viz.ui.relabel.queues import by_hand, freeze
from tracin_viz.ui.session import parameter, remember, remembered


def _wanted(audit: Audit) -> str:
    """The example that the address asks to decide about; empty = the next one of the queue.

    Raises:
        NotFoundError: It is not a training example of this audit.
    """
    item = parameter("item")
    split, _, row = item.rpartition(":")
    known = split == "train" and row.isdecimal() and int(row) < audit.splits["train"]
    if item and not known:
        raise NotFoundError(
            f"Audit '{audit.name}' has no training example '{item}'.",
            remedy=f"Training examples are called train:0 to train:{audit.splits['train'] - 1}.",
        )
    return item


def _present(audit: Audit, item: str) -> Session | None:
    """The queue that the address names, else the last one of this visit; ``None`` = one must be begun."""
    # An address with a ranking or a selection comes from a button "Review" and wants a new queue.
    fresh = parameter("by") or parameter("sel") or parameter("from")
    chosen = parameter("session") or ("" if fresh else remembered("session"))
    if not chosen:
        return None
    try:
        queue = audit.sessions.get(chosen)
    except NotFoundError:
        st.info(tr("The session in the address does not belong to this audit. Start or continue one."))
        remember("session", "")
        return None
    if item and annotator() and item not in {entry.example_id for entry in queue.queue}:
        queue = audit.sessions.get(freeze(audit, by_hand(audit, item), annotator=annotator()))
    remember("session", queue.id)
    return queue


def _who() -> str:
    """The annotator's name; asked for where somebody opens another person's queue."""
    if not annotator():
        with st.form("who"):
            name = ask_name()
            if st.form_submit_button(tr("Go on"), key="go_on", type="primary") and name:
                call(name)
                st.rerun()
    return annotator()


def main(audit: Audit) -> None:
    """Draw the page for one audit."""
    if not may_decide():
        ask_to_sign_in()
        show_agreement(audit)
        show_decisions(audit)
        return
    item = _wanted(audit)
    queue = _present(audit, item)
    if queue is not None:
        who = _who()
        if who:
            board(audit, queue, who, item)
        return
    begin(audit, item)
    show_agreement(audit)
    show_decisions(audit)


audit_page(later("Is this label right?"), main)
