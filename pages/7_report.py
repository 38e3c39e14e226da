"""Report: what others shall see of this audit, as a file, as a presentation, or as tables of labels."""

from __future__ import annotations

import streamlit as st

from tracin_viz.audit import Audit, ReportOptions
from tracin_viz.ui.exports import offer_exports
from tracin_viz.ui.frame import audit_page
from tracin_viz.ui.language import later, tr
from tracin_viz.ui.report.making import offer_file, options_form, summary
from tracin_viz.ui.report.presenting import offer_presentation, present, presenting
from tracin_viz.ui.results import document

#: What is said first: without the parts that need exact scores or many pictures.
FIRST = ReportOptions(findings=1, clusters=0, neighbours=0, explained=False)


def main(audit: Audit) -> None:
    """Draw the page for one audit."""
    report = document(audit, "report", len(audit.history()), compute=lambda: audit.report(FIRST))
    if presenting():
        present(audit, report)
        return
    summary(report)
    offer_presentation()
    st.subheader(tr("As one file"), anchor=False)
    offer_file(audit, options_form())
    st.subheader(tr("As data"), anchor=False)
    st.caption(tr("Given and decided labels of the training examples, for other programs."))
    offer_exports(audit)


audit_page(later("What shall others see of this audit?"), main)
