"""What is asked about, large: an example, a picture of the reader's own, or some members of a group."""

from __future__ import annotations

from typing import Any

import streamlit as st

from tracin_viz.audit import Audit
from tracin_viz.ui.cards import example_card
from tracin_viz.ui.components.example_card import LargeCard
from tracin_viz.ui.components.gallery import gallery
from tracin_viz.ui.details import open_details
from tracin_viz.ui.influence.groups import group_words
from tracin_viz.ui.influence.question import Asked
from tracin_viz.ui.language import tr
from tracin_viz.ui.large import large_card, own_picture, show_large
from tracin_viz.ui.results import examples

#: Members of a group that are shown: spread over it, because the first ones are no sample.
MEMBERS = 8


def show_query(audit: Audit, found: dict[str, Any], asked: Asked) -> None:
    """The card of the query.

    Args:
        audit: The audit.
        found: The answer: what the model says about the query.
        asked: The query.
    """
    label = tr("The example asked about")
    with st.container(key="query_card"):
        if asked.group is not None:
            _members(audit, asked)
        else:
            show_large(audit, [_card(audit, found["query"], asked)], key="query_large", label=label)


def _card(audit: Audit, query: dict[str, Any], asked: Asked) -> LargeCard:
    if "image" in asked.query:
        return large_card(audit, query, src=own_picture(asked.query["image"]), alt=tr("Your own picture"))
    if "text" in asked.query:
        return large_card(audit, query, alt=tr("Your own sentence"))
    return large_card(audit, query, without="influence")


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
