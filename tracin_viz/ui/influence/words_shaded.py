"""The words of training texts that carry an influence, shaded; and the legend that says how to read them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from tracin_viz.audit import Audit
from tracin_viz.errors import InputError
from tracin_viz.ui import text
from tracin_viz.ui.cards import signed
from tracin_viz.ui.components.example_card import LargeCard, Piece
from tracin_viz.ui.influence.waiting import answered
from tracin_viz.ui.language import tr
from tracin_viz.ui.large import answers, links, show_large
from tracin_viz.ui.results import examples
from tracin_viz.ui.session import visit
from tracin_viz.ui.translation import said

#: Texts of a list that are shaded; each takes a pass of its own.
TEXTS = 5
#: A piece with less than this share of the strongest is left plain, else everything would be shaded.
LEAST = 0.05
NAMED = 3


def show_words(audit: Audit, question: dict[str, Any], rows: list[int]) -> None:
    """Shade the words of these training rows, at most ``TEXTS`` of them.

    Args:
        audit: The audit, of texts.
        question: Arguments of ``Audit.influence`` without lists' settings.
        rows: Training rows.
    """
    chosen = rows[:TEXTS]
    place = st.empty()
    session = f"{visit()} words"
    try:
        found = answered(
            audit,
            ("words", {**question, "rows": chosen}),
            lambda: audit.influence_words(chosen, session=session, **question),
            lambda seconds: place.caption(
                f":material/hourglass_top: {tr('Looking at the words …')} {seconds:.0f} s"
            ),
        )
    except InputError as error:
        st.caption(f":material/info: {text.plain(said(error.message), longest=400)}")
        return
    finally:
        place.empty()
    st.markdown(f"**{tr('Which words carry it?')}**")
    cards = shaded_texts(found["texts"], strongest=tr("Strongest"), elsewhere=tr("of no single word"))
    label = tr("Training texts with the words that carry the influence shaded")
    show_large(audit, [_labelled(audit, card) for card in cards], key="shaded_words", label=label)
    st.caption(
        tr(
            "Blue with a straight underline is for, orange with a wavy one is against; the stronger the "
            "shade, the larger the part. A word's part is what the model learned at its place; what it read "
            "there from other words counts as well."
        )
        + (f" {tr('The first {n} of the list.', n=len(chosen))}" if len(rows) > len(chosen) else "")
    )


def shaded_texts(texts: list[dict[str, Any]], *, strongest: str, elsewhere: str) -> list[LargeCard]:
    """From the words document to what is drawn; shares compare within all of the texts.

    Args:
        texts: ``texts`` of ``Audit.influence_words``.
        strongest: Word before the strongest pieces.
        elsewhere: Words after what belongs to no piece.
    """
    most = max((abs(piece["score"]) for one in texts for piece in one["pieces"]), default=0.0) or 1.0
    return [
        LargeCard(
            id=one["id"],
            text=one["text"],
            pieces=_pieces(one["text"], one["pieces"], most),
            note=_note(one, strongest, elsewhere),
        )
        for one in texts
    ]


def _labelled(audit: Audit, card: LargeCard) -> LargeCard:
    """The card with the text's labels and the way to decide about them."""
    row = examples(audit, "train").iloc[int(card.id.rpartition(":")[2])].to_dict()
    return replace(card, facts=answers(audit, row), links=links(audit, card.id))


def _pieces(whole: str, pieces: list[dict[str, Any]], most: float) -> list[Piece]:
    """The whole text in stretches; what lies between tokens, such as spaces, is plain."""
    found, done = [], 0
    for piece in pieces:
        start, stop = max(done, piece["start"]), min(len(whole), piece["stop"])
        if stop <= start:
            continue
        if start > done:
            found.append(Piece(whole[done:start]))
        share = piece["score"] / most
        shown = share if abs(share) >= LEAST else 0.0
        found.append(Piece(whole[start:stop], shown, signed(piece["score"])))
        done = stop
    return [*found, Piece(whole[done:])] if done < len(whole) else found


def _note(one: dict[str, Any], strongest: str, elsewhere: str) -> str:
    ranked = sorted(one["pieces"], key=lambda piece: -abs(piece["score"]))[:NAMED]
    named = [
        f"“{one['text'][piece['start'] : piece['stop']].strip()}” {signed(piece['score'])}"
        for piece in ranked
    ]
    parts = [f"{strongest}: {', '.join(named)}"] if named else []
    return " · ".join([*parts, f"{signed(one['elsewhere'])} {elsewhere}"])
