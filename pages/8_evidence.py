"""Does it help? What decisions would do, what they did, and how far the audit can be trusted."""

from __future__ import annotations

import streamlit as st

from tracin_viz.audit import Audit
from tracin_viz.ui.access import may_manage
from tracin_viz.ui.choices import number_of, one_of
from tracin_viz.ui.details import show_details
from tracin_viz.ui.evidence import show_estimate, show_retraining, show_self_test
from tracin_viz.ui.evidence.asking import ask
from tracin_viz.ui.frame import audit_page, page
from tracin_viz.ui.language import later, tr

TESTS: dict[str, str] = {
    "all": later("All test examples"),
    "wrong": later("Those the model gets wrong"),
}
HOWS: dict[str, str] = {"last-layer": later("Last layer (seconds)"), "full": later("Whole network (minutes)")}
NOISES = (1, 2, 5, 10, 20)
PLANTS: dict[str, str] = {"confused": later("Easily confused"), "random": later("Any")}


def _estimate(audit: Audit, decided: bool) -> None:
    st.subheader(tr("What do gradients say, without any training?"), anchor=False)
    choices = list(TESTS) if audit.target != "number" else ["all"]
    of = one_of(tr("Test examples"), TESTS, "tests", among=choices)
    found = audit.estimate(of=of)
    if found is None:
        st.caption(
            tr(
                "Multiplies gradients of the changed labels with those of test examples at every checkpoint. "
                "Nothing is trained."
            )
        )
    ask(audit, "estimate", tr("Estimate"), primary=False, ready=decided, of=of)
    if found is not None:
        show_estimate(audit, found)


def _retraining(audit: Audit, decided: bool) -> None:
    st.subheader(tr("Is the model better after retraining?"), anchor=False)
    choices = list(HOWS) if audit.can_retrain_fully() else ["last-layer"]
    how = one_of(tr("What is trained again"), HOWS, "retrained", among=choices)
    found = audit.retraining(how=how)
    if found is None:
        st.caption(
            tr(
                "Trains with the labels as given and with the decisions, five times each, and "
                "compares them on "
                "held-out examples that nobody decided about."
            )
        )
    ask(audit, "retrain", tr("Retrain and compare"), primary=decided, ready=decided, how=how)
    if found is not None:
        show_retraining(found)


def _self_test(audit: Audit, decided: bool) -> None:
    st.subheader(tr("How far can this audit be trusted?"), anchor=False)
    plants = list(PLANTS) if audit.target == "class" else ["confused"]
    with st.container(horizontal=True, vertical_alignment="bottom", key="self_test_controls"):
        noise = number_of(tr("Wrong labels planted"), NOISES, "noise", 5, unit=" %")
        plant = one_of(tr("Into which class"), PLANTS, "plant", among=plants)
    found = audit.self_test(noise=float(noise), plant=plant)
    if found is None:
        st.caption(
            tr(
                "Changes some labels of a copy on purpose, trains the last layer on it, and counts "
                "how many of "
                "them are found among the most suspicious. No decision is needed."
            )
        )
    ask(audit, "self-test", tr("Test the audit"), primary=not decided, noise=float(noise), plant=plant)
    if found is not None:
        show_self_test(found)


def main(audit: Audit) -> None:
    """Draw the page for one audit."""
    show_details(audit)
    held_out = audit.held_out()
    decided = len(audit.label_changes()) > 0
    if held_out is None:
        st.info(
            tr(
                "All examples of this audit are training examples. Whether decisions help cannot be "
                "measured on "
                "the data that were reviewed: create the audit with a test split."
            )
        )
    elif not decided:
        st.info(tr("No decision changes a label yet, so there is nothing to compare."))
        if may_manage():
            st.page_link(page("relabel"), label=tr("Decide about suspects"), icon=":material/edit:")
    if held_out is not None:
        _retraining(audit, decided)
        _estimate(audit, decided)
    _self_test(audit, decided)


audit_page(later("Do the decisions help?"), main)
