"""How far annotators agree, what their decisions come to, and what a third person should settle."""

from __future__ import annotations

import streamlit as st

from tracin_viz.audit import Audit
from tracin_viz.ui import text
from tracin_viz.ui.access import managing, may_decide, may_manage
from tracin_viz.ui.guard import guarded
from tracin_viz.ui.language import later, tr, trn
from tracin_viz.ui.session import remember, set_parameter

_POLICIES: dict[str, str] = {
    "single": later("The newest decision counts"),
    "majority": later("More than half must agree"),
    "adjudicated": later("All must agree, or a third person settles it"),
}


def show_agreement(audit: Audit) -> None:
    """Agreement of everybody who shares an example with somebody; nothing where nobody does."""
    if len(audit.annotators()) < 2:
        return
    found = audit.agreement()
    if not found.shared:
        return
    st.subheader(tr("Do the annotators agree?"), anchor=False)
    alike = text.percent(found.same / found.shared)
    words = trn(
        "On {n} example that several people decided about, {share} were decided alike by all of them.",
        "On {n} examples that several people decided about, {share} were decided alike by all of them.",
        found.shared,
        share=alike,
    )
    st.markdown(words)
    st.dataframe(
        [
            {
                tr("Annotators"): " · ".join(pair.annotators),
                tr("Both decided"): pair.shared,
                tr("Alike"): text.percent(pair.same / pair.shared),
                tr("Cohen's kappa"): kappa_words(pair.kappa),
            }
            for pair in found.pairs
        ],
        hide_index=True,
        width="stretch",
        key="agreement",
    )
    if len(found.annotators) > 2:
        st.caption(
            tr(
                "Fleiss' kappa over the {n} examples that everybody decided about: {kappa}.",
                n=f"{found.everybody:,}",
                kappa=kappa_words(found.fleiss),
            )
        )
    st.caption(tr("Kappa is agreement beyond chance: 1 = always, 0 = as by chance. Higher is better."))
    _policy(audit)
    _conflicts(audit)


def kappa_words(value: float | None) -> str:
    """A kappa with two digits; a dash where it is undefined."""
    return "–" if value is None else f"{value:.2f}".replace("-", "−")


def _policy(audit: Audit) -> None:
    st.session_state["policy"] = audit.policy
    st.selectbox(
        tr("Which label counts when they differ?"),
        list(_POLICIES),
        format_func=lambda name: tr(_POLICIES[name]),
        key="policy",
        disabled=not may_manage(),
        on_change=guarded(_choose),
        args=(audit,),
        help=tr("For everybody who looks at this audit: pages, exports and the report."),
        width=400,
    )


def _choose(audit: Audit) -> None:
    managing()
    audit.set_policy(str(st.session_state["policy"]))


def _conflicts(audit: Audit) -> None:
    number = len(audit.conflicts())
    if not number:
        return
    words = trn(
        "{n} example is decided differently and settled by nobody.",
        "{n} examples are decided differently and settled by nobody.",
        number,
    )
    with st.container(horizontal=True, vertical_alignment="center", key="conflicts"):
        st.markdown(words)
        if may_decide() and st.button(tr("Settle them"), key="settle", icon=":material/balance:"):
            remember("session", "")
            set_parameter("from", "conflicts")
            st.rerun()
