"""Suspects of both sides: how far their rankings agree, and what only one of them finds suspicious."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st

from tracin_viz.audit import Agreement, agreement
from tracin_viz.ui import text
from tracin_viz.ui.cards import example_card, percentile
from tracin_viz.ui.compare.sides import Side
from tracin_viz.ui.components.gallery import gallery
from tracin_viz.ui.details import open_details
from tracin_viz.ui.language import tr, trn
from tracin_viz.ui.results import document, examples, shared, state_key
from tracin_viz.ui.session import linked, publish

SHARES = [1, 2, 5, 10, 20, 30, 50]
SHOWN = 12


def compare_suspects(left: Side, right: Side) -> None:
    """Compare the rankings of suspects; only for sides with the same training examples."""
    st.subheader(tr("Do both sides suspect the same labels?"), anchor=False)
    by, share = _controls()
    first, second = _scores(left, by), _scores(right, by)
    finite = int(np.isfinite(first).sum())
    top = max(1, round(finite * share / 100))
    found: Agreement = shared(
        left.audit,
        "agreement",
        state_key(right.audit),
        right.audit.name,
        by,
        top,
        compute=lambda: agreement(first, second, top),
    )
    if not found.top:
        st.info(tr("No example has a finite score on both sides."))
        return
    st.markdown(_said(found, share))
    for column, side, rows in zip(
        st.columns(2, gap="medium"), (left, right), (found.left_only, found.right_only), strict=True
    ):
        with column, st.container(key=f"only_{side.name}"):
            _only(side, rows, by)


def _scores(side: Side, by: str) -> npt.NDArray[np.float64]:
    found: npt.NDArray[np.float64] = shared(
        side.audit, "scores", by, compute=lambda: side.audit.suspect_scores(by)
    )
    return found


def _controls() -> tuple[str, int]:
    with st.container(horizontal=True, vertical_alignment="bottom", key="compare_suspects"):
        by = st.selectbox(
            tr("Suspects by"),
            list(text.SUSPECT_RANKINGS),
            format_func=lambda name: tr(text.SUSPECT_RANKINGS[name]),
            key=linked("by", list(text.SUSPECT_RANKINGS), "self-influence"),
            persist_state="session",
            width=220,
        )
        share = st.select_slider(
            tr("Most suspicious"),
            SHARES,
            format_func=lambda value: f"{value} %",
            key=linked("share", SHARES, 10),
            persist_state="session",
            width=240,
        )
    publish("by", by, "self-influence")
    publish("share", share, 10)
    return str(by), int(share)


def _said(found: Agreement, share: int) -> str:
    same = trn(
        "**{both}** of the {n} most suspicious example ({share} %) is the same on both sides.",
        "**{both}** of the {n} most suspicious examples ({share} %) are the same on both sides.",
        found.top,
        both=f"{found.both:,}",
        share=share,
    )
    if found.spearman != found.spearman:
        return same
    correlation = tr(
        "Rank correlation of all scores (Spearman): **{value}** (1 = the same order, 0 = unrelated).",
        value=f"{found.spearman:.2f}".replace("-", "−"),
    )
    return f"{same} {correlation}"


def _only(side: Side, rows: Any, by: str) -> None:
    number = trn("{n} example", "{n} examples", len(rows))
    title = (
        tr("**Only the left side suspects** {number}", number=number)
        if side.name == "left"
        else tr("**Only the right side suspects** {number}", number=number)
    )
    st.markdown(title)
    shown = [int(row) for row in rows[:SHOWN]]
    if not shown:
        return
    table = examples(side.audit, "train").iloc[shown]
    ranks = document(
        side.audit, "percentiles", by, tuple(shown), compute=lambda: _percentiles(side, by, shown)
    )
    cards = [
        example_card(side.audit, row, sign="suspect", number=percentile(rank))
        for row, rank in zip(table.to_dict("records"), ranks, strict=True)
    ]
    gallery(
        cards,
        key=f"only_{side.name}_cards",
        label=tr("Suspects of one side only"),
        on_pick=(lambda identity: open_details(side.audit, identity)) if side.opens else None,
    )


def _percentiles(side: Side, by: str, rows: list[int]) -> list[float]:
    """More suspicious than how many per cent, on this side."""
    entries = side.audit.suspect_entries(rows, ranking=by)
    return [float("nan") if one["percentile"] is None else float(one["percentile"]) for one in entries]
