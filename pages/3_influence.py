"""Influence: choose a prediction; see the training examples for and against it."""

from __future__ import annotations

from typing import Any

import pandas
import streamlit as st

from tracin_viz.audit import Audit
from tracin_viz.fingerprint import fingerprint
from tracin_viz.ui import text
from tracin_viz.ui.cards import example_card, influence_cards, similar_cards
from tracin_viz.ui.components.gallery import Card, gallery
from tracin_viz.ui.details import open_details, show_details
from tracin_viz.ui.frame import audit_page
from tracin_viz.ui.language import later, tr
from tracin_viz.ui.picker import pick
from tracin_viz.ui.results import document, examples
from tracin_viz.ui.session import linked, publish, visit

OWN_ANSWER = "its own label"
PREDICTED_ANSWER = "the prediction"


def _controls(audit: Audit, *, has_label: bool) -> tuple[str, str | None, int]:
    """Ranking, the class whose answer is explained (``None`` = as the data say), examples per list."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="controls"):
        ranking = st.segmented_control(
            "Ranking",
            list(text.RANKINGS),
            format_func=lambda name: tr(text.RANKINGS[name]),
            required=True,
            key=linked("ranking", list(text.RANKINGS), "dot"),
            persist_state="session",
        )
        natural = OWN_ANSWER if has_label else PREDICTED_ANSWER
        label = st.selectbox("Explain the answer", [natural, *audit.classes], key="answer", width=200)
        top = st.select_slider(
            "Examples per list", [5, 10, 20, 50], value=10, key="top", bind="query-params", width=160
        )
    chosen = str(ranking or "dot")
    publish("ranking", chosen, "dot")
    st.caption(tr(text.RANKING_HELP[chosen]))
    return chosen, None if label == natural else label, int(top)


def _ask(audit: Audit, question: dict[str, Any], ranking: str, top: int) -> dict[str, Any]:
    known = {key: value for key, value in question.items() if value is not None}
    found: dict[str, Any] = document(
        audit,
        "influence",
        fingerprint(known),
        ranking,
        top,
        compute=lambda: audit.influence(**known, ranking=ranking, top=top, session=visit()),
    )
    return found


def _query_card(audit: Audit, found: dict[str, Any], question: dict[str, Any]) -> None:
    query = found["query"]
    own = "query" not in question
    sure = f"predicts {query['predicted']}"
    if audit.target == "class":
        sure = f"{float(query['confidence']):.0%} sure of {query['predicted']}"
    with st.container(key="query_card"):
        if "image" in question:
            st.image(question["image"], width=240, alt="Your own picture")
            st.markdown(f"Predicted: **{text.plain(query['predicted'])}** · {text.plain(sure)}")
            return
        row = {**query, "id": query.get("id") or "own:0"}
        card = example_card(audit, row, size=384, why=sure, **({"src": ""} if own else {}))
        gallery([card], key="query_large", label="The example asked about", layout="large")


def _lists(audit: Audit, found: dict[str, Any]) -> None:
    both = [*found["proponents"], *found["opponents"]]
    strongest = max((abs(float(entry["score"])) for entry in both), default=0.0)
    target = _target_words(found)
    left, right = st.columns(2, gap="medium")
    for column, side, title, meaning in (
        (left, "proponents", f":blue[{tr(text.FOR)}] {target}", tr(text.PROPONENTS)),
        (right, "opponents", f":orange[{tr(text.AGAINST)}] {target}", tr(text.OPPONENTS)),
    ):
        with column, st.container(key=side):
            st.subheader(title, anchor=False)
            st.caption(meaning)
            _shown(audit, influence_cards(audit, found[side], strongest), key=f"list_{side}", label=side)


def _similar(audit: Audit, found: dict[str, Any]) -> None:
    st.subheader("Which training examples merely look alike to the model?", anchor=False)
    st.caption(tr(text.WHAT_SIMILAR))
    for side, title in (("most_similar", "Most alike"), ("least_similar", "Least alike")):
        st.markdown(f"**{title}**")
        _shown(audit, similar_cards(audit, found[side]), key=f"list_{side}", label=title, strip=True)


def _shown(audit: Audit, cards: list[Card], *, key: str, label: str, strip: bool = False) -> None:
    if not cards:
        st.caption("None.")
        return
    gallery(
        cards,
        key=key,
        label=label,
        layout="strip" if strip else "grid",
        on_pick=lambda identity: open_details(audit, identity),
    )


def _has_label(question: dict[str, Any], table: pandas.DataFrame) -> bool:
    """Whether it is known what the right answer is."""
    if "query" not in question:
        return question.get("label") is not None
    label = table.loc[table["id"] == question["query"], "label"]
    return bool(label.notna().any())


def _target_words(found: dict[str, Any]) -> str:
    """What is explained: a class, or whatever the label is where it is several classes or a number."""
    name, label = found["target"]["class"], found["query"]["label"]
    if name is not None:
        return f"“{text.plain(name)}”"
    return "a higher number" if found["target"]["kind"] == "score" else f"“{text.plain(label)}”"


def _what_is_explained(found: dict[str, Any]) -> None:
    """Say whose push is shown: the loss at a label, or, where none is known, the score of a class."""
    target = _target_words(found)
    if found["target"]["kind"] == "score":
        st.caption(
            f":material/info: Its right label is not known, so what is explained is the model's score for "
            f"{target}: examples for it raised that score, examples against it lowered it."
        )


def main(audit: Audit) -> None:
    """Draw the page for one audit."""
    show_details(audit)
    table = examples(audit, audit.query_split)
    question = pick(audit, table)
    if question is None:
        return
    left, right = st.columns([1, 4], gap="medium")
    with right:
        has_label = _has_label(question, table)
        ranking, label, top = _controls(audit, has_label=has_label)
        answers = st.container(key="answers")
    if label is not None:
        as_label = has_label and audit.target == "class"
        question = {**question, "label" if as_label else "score": label}
    with answers:
        waiting = st.empty()
        if not st.session_state.get("answered_before"):
            # The first answer waits for the query process; its place is kept, so that nothing jumps.
            waiting.skeleton(height=480)
        with st.spinner("Asking the training examples …", show_time=True):
            found = _ask(audit, question, ranking, top)
        waiting.empty()
        st.session_state["answered_before"] = True
        _what_is_explained(found)
    with left:
        _query_card(audit, found, question)
    with answers:
        _lists(audit, found)
        st.caption("Exact scores." if found["exact"] else "Scores estimated from gradient sketches.")
        with st.expander("What do these numbers mean?"):
            st.write(tr(text.WHAT_INFLUENCE))
    _similar(audit, found)


audit_page(later("Which training examples pushed this prediction?"), main)
