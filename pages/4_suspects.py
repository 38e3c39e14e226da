"""Suspects: training examples whose label looks wrong or rare."""

from __future__ import annotations

import streamlit as st

from tracin_viz.audit import Audit
from tracin_viz.fingerprint import fingerprint, in_address
from tracin_viz.ui import text
from tracin_viz.ui.details import show_details
from tracin_viz.ui.facets import chosen_filters, show_facets
from tracin_viz.ui.frame import audit_page, guarded
from tracin_viz.ui.language import later, tr
from tracin_viz.ui.session import linked, parameter, publish, set_parameter
from tracin_viz.ui.suspects.distribution import USUAL_RANKING, controls, histogram, pick, ranked
from tracin_viz.ui.suspects.ends import clear_range
from tracin_viz.ui.suspects.noise import show_noise
from tracin_viz.ui.suspects.recovery import show_recovery
from tracin_viz.ui.suspects.signs import suspect_facets, wait_for_signs
from tracin_viz.ui.suspects.top import show_suspects


def _ranking() -> str:
    ranking = st.selectbox(
        tr("Ranked by"),
        list(text.SUSPECT_RANKINGS),
        format_func=lambda name: tr(text.SUSPECT_RANKINGS[name]),
        key=linked("by", list(text.SUSPECT_RANKINGS), USUAL_RANKING),
        persist_state="session",
        width=240,
        on_change=clear_range,
    )
    publish("by", ranking, USUAL_RANKING)
    st.caption(f"{tr(text.SUSPECT_HELP[ranking])} {tr('Higher = more suspicious.')}")
    return str(ranking)


def _named(*scope: object) -> str:
    """A name for the list of suspects; where it is another one than before, it begins at its first page."""
    name = fingerprint([str(part) for part in scope])[:12]
    if st.session_state.setdefault("suspects_list", name) != name:
        st.session_state["suspects_list"] = name
        set_parameter("page", "")
    return name


@st.fragment
@guarded
def _explore(audit: Audit, ranking: str) -> None:
    """Filters, threshold and suspects; a change of one of them runs this part of the page only."""
    show_details(audit)
    passing = show_facets(audit, suspect_facets(audit), page="suspects")
    wait_for_signs(audit)
    share, drawn = controls(ranking)
    found = ranked(audit, ranking)
    picked = pick(found, passing, share=share, drawn=drawn)
    scope = _named(audit.name, ranking, share, drawn, chosen_filters("suspects"))
    if not passing.any():
        st.info(tr("No example passes these filters. Take one of them back."))
        return
    if histogram(audit, found, picked, passing, ranking):
        show_suspects(audit, picked.rows, ranking, scope=scope)


def main(audit: Audit) -> None:
    """Draw the page for one audit."""
    asked = parameter("class")
    if asked in audit.classes:  # an older link
        st.query_params["f_label"] = in_address(asked)
    set_parameter("class", "")
    show_details(audit)
    ranking = _ranking()
    _explore(audit, ranking)
    with st.expander(tr("What is self-influence?")):
        st.write(tr(text.WHAT_SELF_INFLUENCE))
    show_noise(audit)
    show_recovery(audit, ranking)


audit_page(later("Which training labels look wrong or rare?"), main)
