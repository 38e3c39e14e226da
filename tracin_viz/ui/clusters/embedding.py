"""The map of embeddings is drawn when somebody asks for it; until then this says how far it is."""

from __future__ import annotations

import streamlit as st

from tracin_viz.audit import Audit
from tracin_viz.ui import text
from tracin_viz.ui.access import managing, may_manage
from tracin_viz.ui.guard import guarded
from tracin_viz.ui.language import tr
from tracin_viz.ui.progress import ACTIVE
from tracin_viz.ui.translation import all_said

#: Seconds between looks while it is drawn.
EVERY = 2.0


def embedding_ready(audit: Audit) -> bool:
    """Whether the map of embeddings can be shown; draws what is to be done otherwise."""
    status = audit.embedding_map_status()
    if status["ready"]:
        return True
    if status["state"] in ACTIVE:
        _following(audit)
        return False
    if status["state"] == "failed":
        message = text.plain(all_said(str(status["message"])), longest=600)
        st.error(tr("The map of embeddings failed: {message}", message=message))
    st.info(
        tr(
            "The map of embeddings is not drawn yet. It takes about as long as the map of influence: half a "
            "minute for a few thousand examples. No gradient is computed for it."
        )
    )
    if may_manage():
        st.button(
            tr("Draw the map of embeddings"),
            key="draw_embedding",
            type="primary",
            icon=":material/scatter_plot:",
            on_click=_start,
            args=(audit,),
        )
    return False


@guarded
def _start(audit: Audit) -> None:
    managing()
    audit.start_embedding_map()


@st.fragment(run_every=EVERY)
@guarded
def _following(audit: Audit) -> None:
    status = audit.embedding_map_status()
    if status["ready"] or status["state"] not in ACTIVE:
        st.rerun()
    st.info(tr("The map of embeddings is being drawn. You can leave this page meanwhile."))
