"""Compare: the same questions to two sets of checkpoints, or to two audits."""

from __future__ import annotations

import streamlit as st

from tracin_viz.audit import Audit
from tracin_viz.ui.compare.influence import compare_influence
from tracin_viz.ui.compare.sides import choose_sides
from tracin_viz.ui.compare.suspects import compare_suspects
from tracin_viz.ui.details import show_details
from tracin_viz.ui.frame import audit_page
from tracin_viz.ui.language import later, tr


def main(audit: Audit) -> None:
    """Draw the page for one audit."""
    show_details(audit)
    left, right = choose_sides(audit)
    same_data = left.audit.name == right.audit.name or left.audit.comparable(right.audit)
    if not same_data:
        st.info(
            tr(
                "These audits have different training examples: their answers stand side by side, "
                "but places and overlaps cannot be compared."
            )
        )
    st.subheader(tr("Do both sides explain a prediction alike?"), anchor=False)
    compare_influence(left, right, same_data=same_data)
    if same_data:
        compare_suspects(left, right)


audit_page(later("Would other checkpoints, or another audit, say the same?"), main)
