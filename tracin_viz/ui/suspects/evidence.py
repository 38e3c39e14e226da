"""What taught the model about one training example."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from tracin_viz.audit import Audit, Teacher
from tracin_viz.ui.cards import example_card, signed
from tracin_viz.ui.components.gallery import gallery
from tracin_viz.ui.components.gallery.gallery import Sign
from tracin_viz.ui.language import tr
from tracin_viz.ui.results import examples
from tracin_viz.ui.session import visit

TOP = 5


def show_teachers(audit: Audit, identity: str) -> None:
    """The strongest proponents and opponents of a training example (``train:17``)."""
    row = int(identity.rpartition(":")[2])
    with st.spinner(tr("Looking up who taught the model this …"), show_time=True):
        taught = audit.teachers([row], top=TOP, session=visit())[row]
    _side(
        audit,
        taught.proponents,
        "proponent",
        tr("Training examples that pushed the model towards this label"),
    )
    _side(
        audit,
        taught.opponents,
        "opponent",
        tr("Training examples that pushed the model away from this label"),
    )


def _side(audit: Audit, teachers: Sequence[Teacher], sign: Sign, title: str) -> None:
    if not teachers:
        return
    strongest = max(abs(one.score) for one in teachers)
    table = examples(audit, "train")
    st.markdown(f"**{title}**")
    gallery(
        [
            example_card(
                audit,
                table.iloc[one.row].to_dict(),
                sign=sign,
                number=signed(one.score),
                bar=one.score / strongest if strongest > 0 else 0.0,
            )
            for one in teachers
        ],
        key=f"evidence_{sign}",
        label=title,
        layout="strip",
    )
