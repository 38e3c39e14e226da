"""One example in full, in a dialog: large picture or whole text, what the model says, and a way to decide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from tracin_viz.audit import Audit
from tracin_viz.ui import text
from tracin_viz.ui.cards import decision_words
from tracin_viz.ui.components.example_card import Fact
from tracin_viz.ui.guard import guarded
from tracin_viz.ui.language import tr, trn
from tracin_viz.ui.large import large_card, show_large
from tracin_viz.ui.results import examples, suspect_row
from tracin_viz.ui.suspects.evidence import show_teachers

_KEY = "details"


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
    suspect = suspect_row(audit, identity) if split == "train" else {}
    decided = audit.decisions().get(identity)
    card = large_card(
        audit,
        row,
        suspect=suspect,
        details=_numbers(audit, row),
        main="relabel" if split == "train" else "influence",
        done=decision_words(decided.action, decided.label) if decided is not None else "",
    )
    show_large(audit, [card], key="details_card", label=tr("The example"))
    if split == "train":
        with st.expander(tr("What is self-influence?")):
            st.write(tr(text.WHAT_SELF_INFLUENCE))
        show_teachers(audit, identity)  # last: it may take a while, and nothing waits for it


def _numbers(audit: Audit, row: Mapping[str, Any]) -> list[Fact]:
    """What is measured, and where the example comes from."""
    found = [Fact(tr("Loss at the last checkpoint"), f"{row['loss']:.3g}")]
    if "percentile" in row:
        share = f"{min(row['percentile'], 99.9):.1f}"
        number = tr("above {share} % of the training set", share=share)
        found.append(Fact(tr("Self-influence"), f"{row['self_influence']:.3g}", number=number))
    source = row["source"] if audit.task == "image" else _length(row["source"])
    return [*found, Fact(tr("Source"), source)]


def _length(source: str) -> str:
    return trn("{n} character", "{n} characters", len(source))
