"""The same query on both sides, with the lists of the Influence page: which examples changed their place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from tracin_viz.audit import Audit, Overlap, overlap
from tracin_viz.ui import text
from tracin_viz.ui.choices import length_choice, ranking_choice
from tracin_viz.ui.compare.sides import Side
from tracin_viz.ui.influence.answering import ask
from tracin_viz.ui.influence.lists import SIDES, show_side
from tracin_viz.ui.influence.own import is_own
from tracin_viz.ui.influence.picker import candidates, neighbour_buttons
from tracin_viz.ui.influence.queries import Filter, Found, ordered
from tracin_viz.ui.language import later, tr, trn
from tracin_viz.ui.large import large_card, show_large
from tracin_viz.ui.results import examples, shared
from tracin_viz.ui.session import remember, remembered, set_parameter, visit

KEY = "compare_query"
NONE = {
    "proponents": later("▲ No proponent is the same."),
    "opponents": later("▼ No opponent is the same."),
}
SAID = {
    "proponents": (
        later("▲ {both} of {n} proponent is the same."),
        later("▲ {both} of {n} proponents are the same."),
    ),
    "opponents": (
        later("▼ {both} of {n} opponent is the same."),
        later("▼ {both} of {n} opponents are the same."),
    ),
}


def compare_influence(left: Side, right: Side, *, same_data: bool) -> None:
    """Ask both sides about one query and draw the answers beside each other.

    Args:
        left: One side.
        right: The other.
        same_data: Whether equal identifiers mean equal examples.
    """
    query = _query(left.audit)
    with st.container(horizontal=True, vertical_alignment="bottom", key="compare_controls"):
        ranking, top = ranking_choice(), length_choice()
    st.caption(tr(text.RANKING_HELP[ranking]))
    asked = [side for side in (left, right) if _row(side.audit, query) >= 0]
    place = st.empty()
    answers = {side.name: _ask(side, query, ranking, top, place) for side in asked}
    _queries(left, right, query, answers)
    marks: dict[str, dict[str, str]] = {}
    agreeing: dict[str, Overlap] = {}
    if same_data and len(answers) == 2:
        lists = {
            name: [[str(entry["id"]) for entry in answers[side.name][name]] for side in (left, right)]
            for name in SIDES
        }
        agreeing = {name: overlap(*found) for name, found in lists.items()}
        marks = {name: places(*found) for name, found in lists.items()}
    for name in SIDES:
        if name in agreeing:
            st.markdown(_said(name, agreeing[name]))
        for column, side in zip(st.columns(2, gap="medium"), (left, right), strict=True):
            if side.name in answers:
                with column:
                    show_side(
                        side.audit,
                        answers[side.name],
                        name,
                        key=f"_{side.name}",
                        marks=marks.get(name, {}),
                        opens=side.opens,
                    )


def places(left: list[str], right: list[str]) -> dict[str, str]:
    """For each example of two ranked lists, in words, where it stands on the left and on the right."""
    here, there = ({one: place for place, one in enumerate(side, start=1)} for side in (left, right))
    found = {}
    for one in here | there:
        before, after = here.get(one), there.get(one)
        if before is None:
            found[one] = tr("only on the right")
        elif after is None:
            found[one] = tr("only on the left")
        elif before == after:
            found[one] = tr("= place {place}", place=before)
        else:
            sign = "↑" if after < before else "↓"
            found[one] = f"{sign} {tr('place {left} → {right}', left=before, right=after)}"
    return found


def _query(audit: Audit) -> str:
    """The query: the one looked at last, else the first mistake; others by button, picture or name."""
    table = examples(audit, audit.query_split)
    found: Found = shared(
        audit, "query order", audit.query_split, Filter(), compute=lambda: ordered(table, Filter())
    )
    query = remembered("query")
    if not query or is_own(query):  # a sentence or picture of one's own is no example that both sides have
        query = f"{audit.query_split}:{int(found.rows[0]) if len(found.rows) else 0}"
    set_parameter("query", query)
    st.session_state[KEY] = query
    row = _row(audit, query) if query.startswith(f"{audit.query_split}:") else -1
    with st.container(horizontal=True, vertical_alignment="bottom", key="compare_steps"):
        st.text_input(
            tr("Query example"),
            key=KEY,
            width=240,
            max_chars=80,
            on_change=_typed,
            help=tr("Its identifier, such as test:17. The Influence page helps to find one."),
        )
        neighbour_buttons(audit, found, row)
    candidates(audit, found, table, row)
    return query


def _typed() -> None:
    remember("query", str(st.session_state[KEY] or "").strip())


def _row(audit: Audit, query: str) -> int:
    """Row of an example that this audit has; -1 for anything else."""
    split, _, row = query.rpartition(":")
    known = row.isdecimal() and row.isascii() and int(row) < audit.splits.get(split, 0)
    return int(row) if known else -1


def _ask(side: Side, query: str, ranking: str, top: int, place: Any) -> dict[str, Any]:
    question = {"query": query, "ranking": ranking, "top": top, "exact": True}
    # A question of one side must not cancel that of the other.
    session = f"{visit()} {side.name}"
    return ask(side.audit, question, place, tr("Asking the training examples …"), session=session)


def _queries(left: Side, right: Side, query: str, answers: Mapping[str, dict[str, Any]]) -> None:
    """The query as each side sees it."""
    for column, side in zip(st.columns(2, gap="medium"), (left, right), strict=True):
        with column, st.container(key=f"answer_{side.name}"):
            st.markdown(f"#### {side.title}")
            if side.name not in answers:
                st.info(tr("This audit has no example {id}.", id=text.plain(query)))
                continue
            card = large_card(side.audit, answers[side.name]["query"], without="compare")
            show_large(
                side.audit,
                [card],
                key=f"query_{side.name}",
                label=tr("The example asked about"),
                compact=True,
            )


def _said(name: str, found: Overlap) -> str:
    """How many examples of a list are on both sides."""
    if not found.both:
        return tr(NONE[name])
    one, many = SAID[name]
    longest = round(len(found.both) / found.share)
    said = trn(one, many, longest, both=f"**{len(found.both):,}**")
    return f"{said} {tr('Under each example: its place on the left → its place on the right.')}"
