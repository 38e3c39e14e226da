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
from tracin_viz.ui.language import tr, trn
from tracin_viz.ui.results import examples
from tracin_viz.ui.short import short
from tracin_viz.ui.suspects.evidence import show_reasons, show_teachers

_KEY = "details"
#: Characters of a value in the table; a longer one has a box of its own.
LONGEST = 200
#: Characters of such a box; a browser needs seconds for a line of millions.
MOST = 100_000


def open_details(audit: Audit, identity: str) -> None:
    """Ask for the dialog about ``identity``; it opens where ``show_details`` is called in this run."""
    st.session_state[_KEY] = (audit.name, identity)


def show_details(audit: Audit) -> None:
    """Open the dialog that a card asked for, once."""
    name, identity = st.session_state.pop(_KEY, ("", ""))
    if name == audit.name and identity:
        # Made here, because its title is in the language of the visit.
        st.dialog(tr("One example"), width="medium")(_dialog)(audit, identity)


@guarded
def _dialog(audit: Audit, identity: str) -> None:
    split, _, number = identity.rpartition(":")
    row = examples(audit, split).iloc[int(number)].to_dict()
    gallery([example_card(audit, row, size=384)], key="details_card", label=tr("The example"), layout="large")
    facts = [
        (tr("Example"), identity),
        (tr("Source"), row["source"] if audit.task == "image" else _length(row["source"])),
        (tr("Given label"), row["label"]),
        (tr("Predicted"), _predicted(audit, row)),
        (tr("Loss at the last checkpoint"), f"{row['loss']:.3g}"),
    ]
    if "percentile" in row:
        facts.append(
            (
                tr("Self-influence"),
                tr(
                    "{score}; more suspicious than {percentile} %",
                    score=f"{row['self_influence']:.3g}",
                    percentile=f"{row['percentile']:.1f}",
                ),
            )
        )
    st.dataframe(
        [{tr("What"): what, tr("Value"): short(value, LONGEST)} for what, value in facts],
        hide_index=True,
        width="stretch",
    )
    if audit.task == "text" and len(row["source"]) > 300:
        _in_full(row["source"])
    for what, value in facts:
        if len(str(value)) > LONGEST:
            st.caption(what)
            _in_full(str(value))
    if split == "train":
        show_reasons(audit, identity)
        if may_decide() and st.button(
            tr("Decide about its label"), key="details_decide", icon=":material/edit:", type="primary"
        ):
            go("relabel", audit=audit.name, item=identity)
    else:
        if st.button(tr("Explain its prediction"), key="details_explain", icon=":material/compare_arrows:"):
            go("influence", audit=audit.name, query=identity)
    if split == "train":
        st.caption(tr(text.WHAT_SELF_INFLUENCE))
        show_teachers(audit, identity)  # last: it may take a while, and nothing waits for it


def _in_full(words: str) -> None:
    """A text as it is, in a box of its own that scrolls: it may have millions of characters."""
    height: Any = 240 if len(words) > 1_000 else "content"
    st.code(words[:MOST], language=None, wrap_lines=True, height=height)


def _predicted(audit: Audit, row: Mapping[str, Any]) -> str:
    if audit.target != "class":
        return str(row["predicted"])
    sure = tr("{share} sure", share=f"{row['confidence']:.0%}")
    return f"{row['predicted']} ({sure})"


def _length(source: str) -> str:
    return trn("{n} character", "{n} characters", len(source))
