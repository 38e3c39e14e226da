"""Clusters: groups of training examples that push the model in the same direction."""

from __future__ import annotations

import streamlit as st

from tracin_viz.audit import Audit
from tracin_viz.errors import NotComputedError
from tracin_viz.ui.access import managing, may_decide, may_manage
from tracin_viz.ui.clusters.embedding import embedding_ready
from tracin_viz.ui.clusters.map import explore
from tracin_viz.ui.clusters.rows import show_clusters
from tracin_viz.ui.clusters.settings import choose_settings
from tracin_viz.ui.details import show_details
from tracin_viz.ui.frame import audit_page, go, guarded
from tracin_viz.ui.language import later, tr
from tracin_viz.ui.progress import ACTIVE, follow
from tracin_viz.ui.results import examples, grouping


@guarded
def _redraw(audit: Audit) -> None:
    managing()
    audit.redraw_map()


def _say_if_old(audit: Audit) -> None:
    """Say where checkpoints or learning rates were changed after the map was drawn, and offer a new one."""
    if not may_manage() or audit.map_current() or audit.status()["state"] in ACTIVE:
        return
    st.info(
        tr(
            "This map and its clusters are of other weights: since it was drawn, checkpoints were switched "
            "or learning rates changed. Scores and suspects follow at once, the map only when it is drawn "
            "again; no gradient is computed for that."
        )
    )
    st.button(
        tr("Draw the map again"), key="redraw", icon=":material/refresh:", on_click=_redraw, args=(audit,)
    )


def main(audit: Audit) -> None:
    """Draw the page for one audit."""
    if audit.status()["state"] in ACTIVE:
        follow(audit.name)
        if not audit.ready().map:
            return
    if not audit.ready().map:
        raise NotComputedError(
            "The map is not built yet; scores and suspects are ready.",
            remedy="It is the last stage of the run. Follow or resume it on the Compute page.",
        )
    show_details(audit)
    settings = choose_settings(audit)
    if settings.of == "influence":
        _say_if_old(audit)
    elif not embedding_ready(audit):
        return
    table = examples(audit, "train")
    with st.spinner(tr("Looking for clusters …"), show_time=True):
        found = grouping(audit, settings.within, settings.smallest, settings.cautious, settings.of)
    explore(audit, found, settings, table)
    show_clusters(audit, found, settings, table)
    if may_decide() and st.button(tr("Review the suspects"), key="review", icon=":material/edit:"):
        go("relabel", audit=audit.name)


audit_page(later("Which groups of examples does the model treat alike?"), main)
