"""The answer as cards: proponents and opponents side by side, and what merely looks alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from tracin_viz.audit import Audit
from tracin_viz.ui import text
from tracin_viz.ui.cards import influence_cards, similar_cards
from tracin_viz.ui.components.gallery import Card, gallery
from tracin_viz.ui.details import open_details
from tracin_viz.ui.language import later, tr, trn
from tracin_viz.ui.short import short

#: Colour, title, meaning and name of each list of an answer.
SIDES: dict[str, tuple[str, str, str, str]] = {
    "proponents": ("blue", text.FOR, text.PROPONENTS, later("Proponents")),
    "opponents": ("orange", text.AGAINST, text.OPPONENTS, later("Opponents")),
}


def show_lists(audit: Audit, found: dict[str, Any], *, key: str = "", beside: bool = True) -> None:
    """Proponents and opponents of an answer, with what is explained and how exact the scores are.

    Args:
        audit: Where the examples come from.
        found: Document of ``audit.influence``.
        key: Put after every key, so that two answers can be drawn on one page.
        beside: Side by side; else one under the other, for narrow places.
    """
    explained(found)
    st.caption(exactness(found))
    places = st.columns(2, gap="medium") if beside else (st.container(), st.container())
    for place, side in zip(places, SIDES, strict=True):
        with place:
            show_side(audit, found, side, key=key)


def show_side(
    audit: Audit,
    found: dict[str, Any],
    side: str,
    *,
    key: str = "",
    marks: Mapping[str, str] | None = None,
    opens: bool = True,
) -> None:
    """One list of an answer, with its title.

    Args:
        audit: Where the examples come from.
        found: Document of ``audit.influence``.
        side: ``"proponents"`` or ``"opponents"``.
        key: Put after every key.
        marks: A line for each card that has one, by example; with them, what the list means is left out.
        opens: Whether a card opens the page's dialog.
    """
    colour, title, means, label = SIDES[side]
    both = [entry for name in SIDES for entry in found[name]]
    strongest = max((abs(float(entry["score"])) for entry in both), default=0.0)
    with st.container(key=f"{side}{key}"):
        st.subheader(f":{colour}[{tr(title)}] {target_words(found)}", anchor=False)
        if marks is None:
            st.caption(tr(means))
        cards = influence_cards(audit, found[side], strongest)
        if marks:
            cards = [replace(card, why=marks.get(card.id, "")) for card in cards]
        _shown(audit if opens else None, cards, key=f"list_{side}{key}", label=tr(label))


def show_similar(audit: Audit, found: dict[str, Any], *, key: str = "") -> None:
    """The most and least similar training examples by embedding, for comparison (the paper's figure 1)."""
    st.subheader(tr("Which training examples merely look alike to the model?"), anchor=False)
    st.caption(tr(text.WHAT_SIMILAR))
    titles = (("most_similar", tr("Most alike")), ("least_similar", tr("Least alike")))
    for place, (side, title) in zip(st.columns(2, gap="medium"), titles, strict=True):
        with place:
            st.markdown(f"**{title}**")
            cards = similar_cards(audit, found[side])
            _shown(audit, cards, key=f"list_{side}{key}", label=title, strip=True)


def explained(found: dict[str, Any]) -> None:
    """Say whose push is shown where it is not the loss at the example's own label."""
    if found["target"]["kind"] == "score":
        target = target_words(found)
        st.caption(
            ":material/info: "
            + (
                tr(
                    "Its right label is not known, so what is explained is the model's score for {target}: "
                    "examples for it raised that score, examples against it lowered it.",
                    target=target,
                )
                if found["query"]["label"] is None
                else tr(
                    "What is explained is the model's score for {target}, not a loss: examples for it raised "
                    "that score, examples against it lowered it.",
                    target=target,
                )
            )
        )
    left_out = int(found["query"].get("left_out") or 0)
    if left_out:
        st.caption(
            trn(
                ":material/warning: {n} example of the group has a gradient that is no finite number and is "
                "left out.",
                ":material/warning: {n} examples of the group have gradients that are no finite numbers and "
                "are left out.",
                left_out,
            )
        )


def exactness(found: dict[str, Any]) -> str:
    """How exact the scores are, in words, and how long they took."""
    number = f"{int(found['candidates']):,}"
    seconds = f"{float(found['seconds']):.1f}"
    if found["exact"]:
        return tr(
            ":material/check_circle: **Exact** scores: the {number} strongest candidates were computed anew "
            "and ranked by that ({seconds} s).",
            number=number,
            seconds=seconds,
        )
    why = "" if found["can_be_exact"] else " " + tr("The group is too large for exact ones.")
    return (
        tr(
            ":material/speed: **Estimated** scores, from the stored gradient sketches of all training "
            "examples ({seconds} s).",
            seconds=seconds,
        )
        + why
    )


def target_words(found: dict[str, Any]) -> str:
    """What is explained: a class, or whatever the label is where it is several classes or a number."""
    name, label = found["target"]["class"], found["query"]["label"]
    if name is not None:
        return f"“{text.plain(short(name))}”"
    if found["target"]["kind"] == "score":
        return tr("a higher number")
    if "group" in found["query"]:
        return tr("their own labels")
    return f"“{text.plain(short(label))}”"


def _shown(audit: Audit | None, cards: list[Card], *, key: str, label: str, strip: bool = False) -> None:
    if not cards:
        st.caption(tr("None."))
        return
    gallery(
        cards,
        key=key,
        label=label,
        layout="strip" if strip else "dense",
        on_pick=None if audit is None else (lambda identity: open_details(audit, identity)),
    )
