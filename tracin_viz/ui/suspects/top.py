"""The suspects themselves: a page of cards, and the way to decide about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st

from tracin_viz.audit import Audit
from tracin_viz.ui import text
from tracin_viz.ui.access import may_decide
from tracin_viz.ui.cards import decision_words, suspect_cards
from tracin_viz.ui.components.gallery import Card, gallery
from tracin_viz.ui.details import open_details, show_details
from tracin_viz.ui.frame import go, guarded
from tracin_viz.ui.inline import inlined
from tracin_viz.ui.language import tr
from tracin_viz.ui.marks import Marks
from tracin_viz.ui.results import document
from tracin_viz.ui.session import parameter, publish
from tracin_viz.ui.suspects.teachers import teachers_of

PAGE = 48
Rows = npt.NDArray[np.int64]


@st.fragment  # turning a page draws the cards again, and neither filters nor histogram
@guarded
def show_suspects(audit: Audit, rows: Rows, ranking: str, *, scope: str) -> None:
    """A page of the suspects as cards.

    Args:
        audit: The audit.
        rows: Training rows, the most suspicious first.
        ranking: What they are ranked by.
        scope: Names this list: another one begins at its first page.
    """
    show_details(audit)
    if not len(rows):
        st.info(tr("No example is in this range. Choose a larger one, or take a filter back."))
        return
    marks = Marks(audit, "suspects", ranking)
    shown, truth = _bar(audit, rows, ranking, marks, scope=scope)
    begin = (shown - 1) * PAGE
    part = tuple(rows[begin : begin + 2 * PAGE].tolist())
    entries = document(
        audit,
        "suspect entries",
        ranking,
        part,
        audit.sign_column() is not None,
        compute=lambda: audit.suspect_entries(part, ranking=ranking),
    )
    cards = _cards(audit, entries, truth)
    here = [card.id for card in cards[:PAGE]]
    gallery(
        inlined(audit, cards[:PAGE]),
        key="suspects",
        label=tr("The most suspicious training examples: given label, suggested label"),
        on_pick=lambda identity: open_details(audit, identity),
        marked=marks.ids,
        on_mark=lambda marked: marks.replace(here, marked),
        ahead=cards[PAGE:],
        later_lines=teachers_of(audit, part[:PAGE]),
    )


def _bar(audit: Audit, rows: Rows, ranking: str, marks: Marks, *, scope: str) -> tuple[int, bool]:
    """Buttons over the cards; returns the page and whether to say which labels were changed on purpose."""
    pages = (len(rows) + PAGE - 1) // PAGE
    shown, truth, number = 1, False, len(marks.ids)
    with st.container(horizontal=True, vertical_alignment="center", key="top_bar"):
        review = may_decide() and st.button(
            tr("Review the {n} marked", n=f"{number:,}")
            if number
            else tr("Review these {n}", n=f"{len(rows):,}"),
            type="primary",
            key="review",
            icon=":material/edit:",
            help=tr(text.MARK_HELP),
        )
        if pages > 1:
            asked = parameter("page")
            begin = min(max(1, int(asked)), pages) if asked.isascii() and asked.isdigit() else 1
            shown = st.pagination(pages, default=begin, key=f"suspects_page_{scope}")
        if audit.recovery() is not None:
            truth = st.toggle(tr("Show which were changed on purpose"), key="truth")
    publish("page", shown, 1)
    if review and number:
        marks.relabel(ranking)
    elif review:
        _review(audit, rows, ranking)
    return shown, truth


def _review(audit: Audit, rows: Rows, ranking: str) -> None:
    """Go to relabelling with these suspects as a queue."""
    whole = audit.suspect_order(ranking)[: len(rows)]
    if np.array_equal(whole, rows):
        go("relabel", audit=audit.name, by=ranking, top=str(len(rows)))
    go("relabel", audit=audit.name, sel=audit.selections.keep(rows), by=ranking)


def _cards(audit: Audit, entries: Sequence[dict[str, Any]], truth: bool) -> list[Card]:
    now = audit.decisions()
    ids = [str(row["id"]) for row in entries]
    decided = {one: decision_words(now[one].action, now[one].label) for one in ids if one in now}
    return suspect_cards(audit, entries, decided, truth=truth)
