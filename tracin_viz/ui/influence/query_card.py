"""What is asked about, large: an example, a picture of the reader's own, or some members of a group."""

from __future__ import annotations

from typing import Any

import streamlit as st

from tracin_viz.audit import Audit
from tracin_viz.ui import text
from tracin_viz.ui.cards import example_card
from tracin_viz.ui.components.gallery import gallery
from tracin_viz.ui.details import open_details
from tracin_viz.ui.influence.groups import group_words
from tracin_viz.ui.influence.question import Asked
from tracin_viz.ui.language import tr
from tracin_viz.ui.results import examples
from tracin_viz.ui.short import class_word

#: Members of a group that are shown: spread over it, because the first ones are no sample.
MEMBERS = 8


def show_query(audit: Audit, found: dict[str, Any], asked: Asked) -> None:
    """The card of the query.

    Args:
        audit: The audit.
        found: The answer: what the model says about the query.
        asked: The query.
    """
    with st.container(key="query_card"):
        if asked.group is not None:
            _members(audit, asked)
        elif "image" in asked.query:
            st.image(asked.query["image"], width=240, alt=tr("Your own picture"))
            st.markdown(_sure(audit, found["query"], escaped=True))
        else:
            query = found["query"]
            own = "query" not in asked.query
            row = {**query, "id": query.get("id") or "own:0"}
            fields = {"src": ""} if own else {}
            card = example_card(audit, row, size=384, why=_sure(audit, query), **fields)
            gallery([card], key="query_large", label=tr("The example asked about"), layout="large")


def _sure(audit: Audit, query: dict[str, Any], *, escaped: bool = False) -> str:
    predicted = class_word(audit, query["predicted"])
    predicted = text.plain(predicted) if escaped else predicted
    if audit.target != "class":
        return tr("predicts {predicted}", predicted=predicted)
    share = text.percent(float(query["confidence"]))
    return tr("{share} sure of {predicted}", share=share, predicted=predicted)


def _members(audit: Audit, asked: Asked) -> None:
    group = asked.group
    if group is None:
        return
    st.markdown(f"**{tr('A group')}**")
    st.caption(group_words(audit, group))
    number = min(MEMBERS, len(group.rows))
    places = [place * len(group.rows) // number for place in range(number)]
    table = examples(audit, group.split)
    rows = table.iloc[group.rows[places]].to_dict("records")
    gallery(
        [example_card(audit, row) for row in rows],
        key="query_group",
        label=tr("Some examples of the group"),
        on_pick=lambda identity: open_details(audit, identity),
    )
