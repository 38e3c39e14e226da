"""The table of decisions, and the way to take them out of the app."""

from __future__ import annotations

from itertools import islice

import streamlit as st

from tracin_viz.audit import Audit
from tracin_viz.ui import text
from tracin_viz.ui.cards import decision_words
from tracin_viz.ui.exports import offer_exports
from tracin_viz.ui.language import tr
from tracin_viz.ui.short import short

#: Rows of the table; all are in the exports.
SHOWN = 500


def show_decisions(audit: Audit) -> None:
    """What holds now, the newest first, with a download of all training labels."""
    decisions = audit.decisions()
    st.subheader(tr("What was decided so far?"), anchor=False)
    if not decisions:
        st.caption(tr("Nothing yet. Every decision appears here and stays after a reload or restart."))
        offer_exports(audit)
        return
    changed = sum(now.action in ("relabel", "exclude") for now in decisions.values())
    with st.container(horizontal=True, vertical_alignment="center", key="saved"):
        st.markdown(
            tr(
                ":green[**{saved} {number}**] · {changed} changed",
                saved=tr(text.SAVED),
                number=f"{len(decisions):,}",
                changed=f"{changed:,}",
            )
        )
        offer_exports(audit)
    # From the end of the log: with 100,000 decisions only the newest are looked at.
    newest = (
        decisions[event.example_id]
        for event in reversed(audit.history())
        if event.example_id in decisions and decisions[event.example_id].event is event
    )
    st.dataframe(
        [
            {
                tr("Example"): now.example_id,
                tr("Given"): short(now.event.old_label or "", 200),
                tr("Decision"): decision_words(now.action, now.label),
                tr("New label"): None if now.label is None else short(now.label, 200),
                tr("By"): now.event.annotator,
                tr("When"): text.date(now.event.server_ts, hours=True),
                tr("Note"): now.event.note,
            }
            for now in islice(newest, SHOWN)
        ],
        hide_index=True,
        width="stretch",
        key="decisions",
    )
