"""Choosing what to explain: an example of the data, a group, or a sentence or picture of one's own."""

from __future__ import annotations

import pandas
import streamlit as st

from tracin_viz.audit import Audit
from tracin_viz.errors import NotFoundError, TracinVizError
from tracin_viz.ui.cards import example_card
from tracin_viz.ui.components.gallery import gallery
from tracin_viz.ui.influence.filters import clear_filters, filtered
from tracin_viz.ui.influence.groups import group_box, is_labelled
from tracin_viz.ui.influence.own import is_own, own_box, own_query
from tracin_viz.ui.influence.queries import Found
from tracin_viz.ui.influence.question import Asked
from tracin_viz.ui.language import tr, trn
from tracin_viz.ui.results import examples
from tracin_viz.ui.session import remember, remembered

STRIP = 12


def choose(identity: str) -> None:
    """Explain this example from now on."""
    remember("query", identity)
    for other in ("group", "own_label"):
        remember(other, "")


def pick(audit: Audit) -> Asked | None:
    """Filters, a strip of candidates, groups, and the way to ask about something of one's own.

    Returns:
        What is asked about; ``None`` when the filters leave nothing and nothing was chosen before.

    Raises:
        NotFoundError: The address names an example, group or own query that does not exist.
    """
    table = examples(audit, audit.query_split)
    found = filtered(audit, table)
    group = _group(audit)
    own = None if group else own_query(audit)
    present = _present(audit, found, len(table))
    _steps(audit, found, present, is_other=bool(group or own))
    candidates(audit, found, table, present if not (group or own) else -1)
    group_box(audit)
    if group is not None:
        return group
    if own is not None:
        return own
    if present < 0:
        return None
    label = table["label"].iloc[present]
    known = label is not None and label == label
    identity = f"{audit.query_split}:{present}"
    return Asked({"query": identity}, label=str(label) if known else None, has_label=known)


def _group(audit: Audit) -> Asked | None:
    address = remembered("group")
    if not address:
        return None
    try:
        group = audit.group(address)
    except TracinVizError:
        remember("group", "")
        raise
    return Asked({"group": address}, label=group.given, has_label=is_labelled(audit, group), group=group)


def _present(audit: Audit, found: Found, count: int) -> int:
    """Row of the example asked about; -1 when there is none."""
    asked = remembered("query")
    if not asked or is_own(asked):
        return int(found.rows[0]) if len(found.rows) else -1
    split, _, row = asked.rpartition(":")
    if split != audit.query_split or not row.isdecimal() or int(row) >= count:
        remember("query", "")
        raise NotFoundError(
            f"Audit '{audit.name}' has no query example '{asked}'.",
            remedy=f"Examples are called {audit.query_split}:0 to {audit.query_split}:{count - 1}.",
        )
    return int(row)


def candidates(audit: Audit, found: Found, table: pandas.DataFrame, present: int) -> None:
    """A strip of examples to choose from: the page of them that holds the one asked about.

    Args:
        audit: The audit.
        found: The examples that are offered.
        table: All examples of the query split.
        present: Row of the one asked about; -1 = none of them.
    """
    if not len(found.rows):
        with st.container(key="nothing_found"):
            st.info(tr("No example passes these filters."))
            st.button(
                tr("Clear filters"),
                key="clear_filters",
                icon=":material/filter_alt_off:",
                on_click=clear_filters,
            )
        return
    rows = table.iloc[found.window(present, STRIP)].to_dict("records")
    gallery(
        [example_card(audit, row) for row in rows],
        key="candidates",
        label=tr("Query examples to choose from"),
        layout="strip",
        on_pick=choose,
        selected=f"{audit.query_split}:{present}" if present >= 0 else "",
    )


def neighbour_buttons(audit: Audit, found: Found, present: int) -> None:
    """Buttons to the examples before and after the one asked about."""
    before, after = found.neighbours(present)
    for key, word, icon, target in (
        ("previous", tr("Previous"), ":material/chevron_left:", before),
        ("next", tr("Next"), ":material/chevron_right:", after),
    ):
        identity = f"{audit.query_split}:{target}"
        st.button(word, key=key, icon=icon, disabled=target < 0, on_click=choose, args=(identity,))


def _steps(audit: Audit, found: Found, present: int, *, is_other: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="steps"):
        neighbour_buttons(audit, found, present)
        if audit.task != "tabular":
            own_box(audit)
        if is_other:
            st.button(
                tr("Back to the examples of the data"),
                key="own_back",
                icon=":material/undo:",
                on_click=choose,
                args=(f"{audit.query_split}:{present}" if present >= 0 else "",),
            )
        st.caption(_place(audit, found, present))


def _place(audit: Audit, found: Found, present: int) -> str:
    here = int(found.place[present]) + 1 if present >= 0 else 0
    total = trn("{n} example", "{n} examples", len(found.rows))
    where = tr("{place} of {total}", place=f"{here:,}", total=total) if here else total
    if audit.target == "number":
        return tr("{where}, largest loss first.", where=where)
    return tr("{where}; {wrong} predicted wrongly, those first.", where=where, wrong=f"{found.wrong:,}")
