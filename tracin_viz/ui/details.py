"""One example in full, in a dialog: large picture or whole text, what the model says, and a way to decide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from tracin_viz.audit import Audit
from tracin_viz.ui import text
from tracin_viz.ui.access import may_decide
from tracin_viz.ui.cards import example_card
from tracin_viz.ui.components.gallery import gallery
from tracin_viz.ui.frame import go, guarded
from tracin_viz.ui.language import tr
from tracin_viz.ui.results import examples

_KEY = "details"


def open_details(audit: Audit, identity: str) -> None:
    """Ask for the dialog about ``identity``; it opens where ``show_details`` is called in this run."""
    st.session_state[_KEY] = (audit.name, identity)


def show_details(audit: Audit) -> None:
    """Open the dialog that a card asked for, once."""
    name, identity = st.session_state.pop(_KEY, ("", ""))
    if name == audit.name and identity:
        _dialog(audit, identity)


@st.dialog("One example", width="medium")
@guarded
def _dialog(audit: Audit, identity: str) -> None:
    split, _, number = identity.rpartition(":")
    row = examples(audit, split).iloc[int(number)].to_dict()
    gallery([example_card(audit, row, size=384)], key="details_card", label="The example", layout="large")
    facts = [
        ("Example", identity),
        ("Source", row["source"] if audit.task == "image" else f"{len(row['source']):,} characters"),
        ("Given label", row["label"]),
        ("Predicted", _predicted(audit, row)),
        ("Loss at the last checkpoint", f"{row['loss']:.3g}"),
    ]
    if "percentile" in row:
        facts.append(
            ("Self-influence", f"{row['self_influence']:.3g}; more suspicious than {row['percentile']:.1f} %")
        )
    st.dataframe(
        [{"What": what, "Value": str(value)} for what, value in facts], hide_index=True, width="stretch"
    )
    if audit.task == "text" and len(row["source"]) > 300:
        st.code(row["source"], language=None, wrap_lines=True)
    if split == "train":
        if may_decide() and st.button(
            "Decide about its label", key="details_decide", icon=":material/edit:", type="primary"
        ):
            go("relabel", audit=audit.name, item=identity)
    else:
        if st.button("Explain its prediction", key="details_explain", icon=":material/compare_arrows:"):
            go("influence", audit=audit.name, query=identity)
    st.caption(tr(text.WHAT_SELF_INFLUENCE) if split == "train" else "")


def _predicted(audit: Audit, row: Mapping[str, Any]) -> str:
    sure = f" ({row['confidence']:.0%} sure)" if audit.target == "class" else ""
    return f"{row['predicted']}{sure}"
