"""Rare but probably right, told apart from what looks labelled wrongly."""

from __future__ import annotations

import streamlit as st

from tracin_viz.audit import Audit
from tracin_viz.ui.facets import Facet, training_facets
from tracin_viz.ui.language import tr


def sign_facet(audit: Audit) -> Facet | None:
    """What suspects look like, as a filter; ``None`` where or while that is not known."""
    column = audit.sign_column()
    return None if column is None else Facet(column)


def suspect_facets(audit: Audit) -> list[Facet]:
    """What the Suspects page filters by."""
    signs = sign_facet(audit)
    return [*([signs] if signs else []), *training_facets(audit)]


def wait_for_signs(audit: Audit) -> None:
    """While the neighbours of many suspects are looked up: say so, and show the filter when it can be had."""
    if audit.target == "class" and audit.sign_column() is None:
        _waiting(audit)


@st.fragment(run_every=3.0)
def _waiting(audit: Audit) -> None:
    if audit.sign_column() is None:
        st.caption(tr("Comparing suspects with their neighbours, to tell rare examples from wrong labels …"))
    else:
        st.rerun()
