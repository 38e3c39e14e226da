"""Influence: choose a prediction or a group; see the training examples for and against it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from tracin_viz.audit import Audit
from tracin_viz.ui import text
from tracin_viz.ui.choices import one_of
from tracin_viz.ui.details import show_details
from tracin_viz.ui.frame import audit_page
from tracin_viz.ui.influence.answering import exact_answer, first_answer, show_answer
from tracin_viz.ui.influence.lists import show_similar
from tracin_viz.ui.influence.opposing import show_opposing
from tracin_viz.ui.influence.origins import show_origins
from tracin_viz.ui.influence.picker import pick
from tracin_viz.ui.influence.query_card import show_query
from tracin_viz.ui.influence.question import Asked, settings
from tracin_viz.ui.language import later, tr

VIEWS: dict[str, str] = {"one": later("One prediction or group"), "many": later("Who opposes many?")}


def _one(audit: Audit, asked: Asked) -> None:
    left, right = st.columns([1, 4], gap="medium")
    with right:
        question = settings(audit, asked).arguments(audit, asked)
        with st.container(key="status"):
            status = st.empty()
        if not st.session_state.get("answered_before"):
            # The first answer waits for the query process; its place is kept, so that nothing jumps.
            lists = st.empty()
            lists.skeleton(height=480)
    found: dict[str, Any] = first_answer(audit, question, status)
    if st.session_state.get("answered_before"):
        # Made only now: until then the browser keeps the answer before, with its query beside it.
        lists = right.empty()
    st.session_state["answered_before"] = True
    with left:
        show_query(audit, found, asked)
    show_answer(audit, found, lists)
    with right:
        show_similar(audit, found)
        with st.expander(tr("What do these numbers mean?")):
            st.write(tr(text.WHAT_INFLUENCE))
    origins = st.container(key="origins")
    final = exact_answer(audit, question, found, status)
    if final is not found:
        show_answer(audit, final, lists)
    with origins:
        show_origins(audit, final, question)


def main(audit: Audit) -> None:
    """Draw the page for one audit."""
    show_details(audit)
    if one_of(tr("View"), VIEWS, "view", hidden=True) == "many":
        show_opposing(audit)
        return
    asked = pick(audit)
    if asked is not None:
        _one(audit, asked)


audit_page(later("Which training examples pushed this prediction?"), main)
