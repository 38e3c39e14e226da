"""The same query on both sides: proponents and opponents, and how far the lists agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from tracin_viz.audit import Audit, Overlap, overlap
from tracin_viz.ui import text
from tracin_viz.ui.cards import example_card, influence_cards
from tracin_viz.ui.compare.sides import Side
from tracin_viz.ui.components.gallery import Card, gallery
from tracin_viz.ui.details import open_details
from tracin_viz.ui.influence.own import is_own
from tracin_viz.ui.language import later, tr, trn
from tracin_viz.ui.results import document, examples
from tracin_viz.ui.session import linked, publish, remember, remembered, visit
from tracin_viz.ui.short import class_word

SIDES = ("proponents", "opponents")
LENGTHS = [5, 10, 20, 50]
TITLES = {"proponents": later("**▲ For**"), "opponents": later("**▼ Against**")}
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
    ranking, top = _controls()
    asked = [(side, query) for side in (left, right) if _has(side.audit, query)]
    with st.spinner(tr("Asking the training examples …"), show_time=True):
        answers = {side.name: _ask(side, query, ranking, top) for side, query in asked}
    agreeing = {}
    if same_data and len(answers) == 2:
        for name in SIDES:
            lists = [[entry["id"] for entry in answers[side.name][name]] for side in (left, right)]
            agreeing[name] = overlap(*lists)
        _say(agreeing)
    for column, side in zip(st.columns(2, gap="medium"), (left, right), strict=True):
        with column, st.container(key=f"answer_{side.name}"):
            st.markdown(f"#### {side.title}")
            if side.name in answers:
                _answer(side, answers[side.name], agreeing)
            else:
                st.info(tr("This audit has no example {id}.", id=text.plain(query)))


def _query(audit: Audit) -> str:
    """The query, by its identifier: the one looked at last, else the first wrong prediction."""
    table = examples(audit, audit.query_split)
    key = "compare_query"
    if not st.session_state.get(key):
        wrong = table.index[table["wrong"]]
        first = str(table["id"].iloc[int(wrong[0]) if len(wrong) else 0])
        asked = remembered("query")
        # A sentence or picture of one's own is no example that both sides could have.
        st.session_state[key] = first if is_own(asked) else asked or first
    query = str(
        st.text_input(
            tr("Query example"),
            key=key,
            width=240,
            max_chars=80,
            persist_state="session",
            help=tr("Its identifier, such as test:17. The Influence page helps to find one."),
        )
    ).strip()
    remember("query", query)
    return query


def _controls() -> tuple[str, int]:
    with st.container(horizontal=True, vertical_alignment="bottom", key="compare_controls"):
        ranking = st.segmented_control(
            tr("Ranking"),
            list(text.RANKINGS),
            format_func=lambda name: tr(text.RANKINGS[name]),
            required=True,
            key=linked("ranking", list(text.RANKINGS), "dot"),
            persist_state="session",
        )
        top = st.select_slider(
            tr("Examples per list"),
            LENGTHS,
            key=linked("top", LENGTHS, 10),
            persist_state="session",
            width=200,
        )
    publish("ranking", ranking, "dot")
    publish("top", top, 10)
    return str(ranking or "dot"), int(top)


def _has(audit: Audit, query: str) -> bool:
    split, _, row = query.rpartition(":")
    return row.isdecimal() and row.isascii() and int(row) < audit.splits.get(split, 0)


def _ask(side: Side, query: str, ranking: str, top: int) -> dict[str, Any]:
    session = f"{visit()} {side.name}"  # a question of one side must not cancel that of the other
    found: dict[str, Any] = document(
        side.audit,
        "compared influence",
        query,
        ranking,
        top,
        compute=lambda: side.audit.influence(query=query, ranking=ranking, top=top, session=session),
    )
    return found


def _say(agreeing: Mapping[str, Overlap]) -> None:
    for name, found in agreeing.items():
        longest = round(len(found.both) / found.share) if found.both else 0
        if not found.both:
            st.markdown(tr(NONE[name]))
            continue
        one, many = SAID[name]
        st.markdown(trn(one, many, longest, both=f"**{len(found.both):,}**"))


def _answer(side: Side, found: dict[str, Any], agreeing: Mapping[str, Overlap]) -> None:
    query = found["query"]
    st.caption(
        tr(
            "Given label {label}, predicted {predicted}; exact scores of {steps}.",
            label=f"“{text.plain(class_word(side.audit, query['label']))}”",
            predicted=f"“{text.plain(class_word(side.audit, query['predicted']))}”",
            steps=trn("{n} checkpoint", "{n} checkpoints", len(found["checkpoints"])),
        )
    )
    row = {**query, "id": str(query["id"])}
    gallery(
        [example_card(side.audit, row, size=128)],
        key=f"query_{side.name}",
        label=tr("The example asked about"),
        layout="strip",
    )
    both = [entry for name in SIDES for entry in found[name]]
    strongest = max((abs(float(entry["score"])) for entry in both), default=0.0)
    for name in SIDES:
        st.markdown(tr(TITLES[name]))
        cards = influence_cards(side.audit, found[name], strongest)
        if not cards:
            st.caption(tr("None."))
            continue
        gallery(
            [_marked(card, side, agreeing.get(name)) for card in cards],
            key=f"{name}_{side.name}",
            label=tr("Proponents") if name == "proponents" else tr("Opponents"),
            on_pick=(lambda identity: open_details(side.audit, identity)) if side.opens else None,
        )


def _marked(card: Card, side: Side, found: Overlap | None) -> Card:
    """The card with its place on the other side, where it is on both."""
    if found is None or card.id not in found.places:
        return card
    left, right = found.places[card.id]
    words = (
        tr("place {place} on the right", place=right)
        if side.name == "left"
        else tr("place {place} on the left", place=left)
    )
    return replace(card, why=f"⇄ {words}")
