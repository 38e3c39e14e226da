"""The table of decisions, and the way to take them out of the app."""

from __future__ import annotations

import time

import streamlit as st

from tracin_viz.audit import Audit
from tracin_viz.ui import text
from tracin_viz.ui.cards import decision_words
from tracin_viz.ui.exports import offer_exports
from tracin_viz.ui.language import tr


def show_decisions(audit: Audit) -> None:
    """What holds now, the newest first, with a download of all training labels."""
    decisions = audit.decisions()
    st.subheader("What was decided so far?", anchor=False)
    if not decisions:
        st.caption("Nothing yet. Every decision appears here at once and stays after a reload or restart.")
        offer_exports(audit)
        return
    changed = sum(now.action in ("relabel", "exclude") for now in decisions.values())
    with st.container(horizontal=True, vertical_alignment="center", key="saved"):
        st.markdown(f":green[**{tr(text.SAVED)} {len(decisions):,}**] · {changed:,} changed")
        offer_exports(audit)
    st.dataframe(
        [
            {
                "Example": now.example_id,
                "Given": now.event.old_label,
                "Decision": decision_words(now.action, now.label),
                "New label": now.label,
                "By": now.event.annotator,
                "When": time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now.event.server_ts)),
            }
            for now in sorted(decisions.values(), key=lambda one: -one.event.seq)
        ],
        hide_index=True,
        width="stretch",
        key="decisions",
    )
