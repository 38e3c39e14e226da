"""The table of estimated label noise: from what people looked at, with an interval, and nothing else."""

from __future__ import annotations

from typing import Any

import streamlit as st

from tracin_viz.audit import Audit, ClassNoise, Reviewed
from tracin_viz.ui import text
from tracin_viz.ui.language import tr, trn
from tracin_viz.ui.results import shared
from tracin_viz.ui.short import short


def show_noise(audit: Audit) -> None:
    """What was found in each class; nothing where labels are not one class each."""
    if audit.target != "class":
        return
    # The log only grows: its length names its state.
    found: list[ClassNoise] = shared(audit, "noise", len(audit.history()), compute=audit.noise_by_class)
    st.subheader(tr("How many labels of each class are wrong?"), anchor=False)
    seen = [one for one in found if one.suspects.reviewed + one.control.reviewed]
    if not seen:
        st.caption(
            tr(
                "Not yet reviewed. This is estimated only from examples that people decided about: review "
                "some suspects, and a random control sample for an estimate that holds for the whole class."
            )
        )
        return
    st.dataframe([_line(one) for one in seen], hide_index=True, width="stretch", key="noise")
    notes = [
        tr(
            "Suspects are chosen because they look wrong, so their share is higher than that of the class. "
            "Only the random control sample estimates the class."
        )
    ]
    left = len(found) - len(seen)
    if left:
        notes.append(
            trn(
                "{n} class is not yet reviewed.",
                "{n} classes are not yet reviewed.",
                left,
            )
        )
    st.caption(" ".join(notes))


def _line(one: ClassNoise) -> dict[str, Any]:
    undecided = one.suspects.undecided + one.control.undecided
    return {
        tr("Given label"): short(one.suspects.name),
        tr("Examples"): f"{one.suspects.examples:,}",
        tr("Wrong among reviewed suspects (biased)"): share_words(one.suspects),
        tr("Wrong in the random control sample"): share_words(one.control),
        tr("Excluded or unclear"): f"{undecided:,}",
    }


def share_words(reviewed: Reviewed) -> str:
    """``59 % (71 of 120; 95 % interval 50–68 %)``."""
    share, interval = reviewed.share, reviewed.interval
    if share is None or interval is None:
        return tr("not yet reviewed")
    return tr(
        "{share} ({wrong} of {reviewed}; 95 % interval {low}–{high} %)",
        share=text.percent(share),
        wrong=f"{reviewed.wrong:,}",
        reviewed=f"{reviewed.reviewed:,}",
        low=f"{100 * interval[0]:.0f}",
        high=f"{100 * interval[1]:.0f}",
    )
