"""The selection of training examples: in the address, on the map, as a gallery, and on to relabelling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas
import streamlit as st

from tracin_viz.audit import Audit, Grouping
from tracin_viz.errors import NotFoundError
from tracin_viz.ui import text, theme
from tracin_viz.ui.access import may_decide
from tracin_viz.ui.cards import decision_words, example_card, percentile
from tracin_viz.ui.components.gallery import Card, gallery
from tracin_viz.ui.details import open_details
from tracin_viz.ui.frame import go
from tracin_viz.ui.inline import inlined
from tracin_viz.ui.language import tr, trn
from tracin_viz.ui.marks import Marks
from tracin_viz.ui.session import parameter, remember, remembered
from tracin_viz.ui.translation import said

#: Pictures of a selection that are shown at once; a random part, because the first rows are no sample.
SHOWN = 36
SUSPICIOUS = 90.0

Rows = npt.NDArray[np.int64]


def selected_rows(audit: Audit) -> Rows:
    """Training rows of the selection that the address (or this visit) names; none when there is none."""
    asked, name = parameter("sel"), remembered("sel")
    if not name:
        return np.zeros(0, dtype=np.int64)
    try:
        return audit.selections.get(name)
    except NotFoundError as error:
        remember("sel", "")
        if asked:  # a selection of the audit looked at before is nothing to complain about
            st.info(f"{text.plain(said(error.message))} {text.plain(said(error.remedy))}")
        return np.zeros(0, dtype=np.int64)


def choose(audit: Audit, rows: Rows) -> None:
    """Make these training rows the selection; none clears it."""
    remember("sel", audit.selections.keep(rows) if len(rows) else "")
    st.session_state["selection_draw"] = 0


def mask_of(found: Grouping, rows: Rows) -> npt.NDArray[np.bool_]:
    """(n,) which of the map's points are among ``rows``."""
    top = int(max(found.rows.max(initial=-1), rows.max(initial=-1))) + 1
    chosen = np.zeros(top, dtype=bool)
    chosen[rows] = True
    return chosen[found.rows]


def show_selection(audit: Audit, rows: Rows, table: pandas.DataFrame) -> None:
    """A random part of the selection as cards, what it holds, and what can be done with it.

    Args:
        audit: The audit.
        rows: The selected training rows.
        table: All training examples.
    """
    st.subheader(tr("What is in the selection?"), anchor=False)
    if not len(rows):
        st.caption(tr("Nothing is selected. Draw around some points of the map, or select a cluster below."))
        return
    chosen = table.iloc[rows]
    st.markdown(_summary(chosen))
    draw = int(st.session_state.get("selection_draw", 0))
    marks = Marks(audit, "selection", remembered("sel"), draw)
    number = len(marks.ids)
    with st.container(horizontal=True, vertical_alignment="center", key="selection_bar"):
        if may_decide() and st.button(
            tr("Relabel the {n} marked", n=f"{number:,}")
            if number
            else tr("Relabel the {n} selected", n=f"{len(rows):,}"),
            key="relabel_selected",
            type="primary",
            icon=":material/edit:",
            help=f"{tr('As a queue, the most suspicious first.')} {tr(text.MARK_HELP)}",
        ):
            if number:
                marks.relabel()
            go("relabel", audit=audit.name, sel=remembered("sel"))
        if st.button(
            tr("Ask about them as a group"),
            key="group_selected",
            icon=":material/compare_arrows:",
            help=tr("Which training examples pushed the model on all of these together?"),
        ):
            go("influence", audit=audit.name, group=f"sel:{remembered('sel')}")
        if len(rows) > SHOWN:
            st.button(
                tr("Show others"),
                key="resample",
                icon=":material/casino:",
                on_click=_draw_again,
                args=(draw,),
            )
    part = random_part(rows, draw)
    if len(part) < len(rows):
        st.caption(tr("A random {part} of {all}:", part=len(part), all=f"{len(rows):,}"))
    now = audit.decisions()
    shown = [f"train:{row}" for row in part.tolist()]
    words = {one: decision_words(now[one].action, now[one].label) for one in shown if one in now}
    cards = [_card(audit, row, words) for row in table.iloc[part].to_dict("records")]
    ids = [card.id for card in cards]
    gallery(
        inlined(audit, cards),
        key="selection",
        label=tr("{part} of {all} selected examples", part=len(part), all=f"{len(rows):,}"),
        on_pick=lambda identity: open_details(audit, identity),
        marked=marks.ids,
        on_mark=lambda marked: marks.replace(ids, marked),
    )


def random_part(rows: Rows, draw: int) -> Rows:
    """At most ``SHOWN`` of the rows, ascending; the same for the same selection and ``draw``."""
    if len(rows) <= SHOWN:
        return rows
    generator = np.random.default_rng([draw, len(rows), int(rows[0]), int(rows[-1])])
    return np.sort(generator.choice(rows, size=SHOWN, replace=False))


def _draw_again(draw: int) -> None:
    st.session_state["selection_draw"] = draw + 1


def _summary(chosen: pandas.DataFrame) -> str:
    counts = chosen["label"].astype(str).value_counts()
    mix = ", ".join(f"{text.plain(name)} ({count:,})" for name, count in counts.head(4).items())
    if len(counts) > 4:
        mix = tr("{classes} and {n} more", classes=mix, n=f"{len(counts) - 4:,}")
    share = float((chosen["percentile"] >= SUSPICIOUS).mean())
    wrong = float(chosen["wrong"].mean())
    size = trn("{n} example", "{n} examples", len(chosen))
    suspects = tr("{share} suspects", share=text.percent(share))
    disagrees = tr("the model disagrees with {share}", share=text.percent(wrong))
    return f"**{size}**: {mix} · :yellow[{theme.SIGNS['suspect']} {suspects}] · {disagrees}"


def _card(audit: Audit, row: Mapping[str, Any], decided: Mapping[str, str]) -> Card:
    rank = float(row["percentile"])
    return example_card(
        audit,
        row,
        sign="suspect" if rank >= SUSPICIOUS else "",
        number=percentile(rank),
        bar=rank / 100 if rank == rank else None,
        done=decided.get(str(row["id"]), ""),
    )
