"""Which scores are suspicious: a share from the top, or a range drawn in the histogram."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import streamlit as st

from tracin_viz.audit import Audit
from tracin_viz.ui import charts, text, theme
from tracin_viz.ui.language import tr, trn
from tracin_viz.ui.results import shared
from tracin_viz.ui.session import linked, parameter, publish
from tracin_viz.ui.suspects.ends import Range, choose_ends, clear_range, drawn_range, keep_range, range_words

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

SHARES = [1, 2, 5, 10, 20, 30, 50, 100]
USUAL_SHARE = 10
USUAL_RANKING = "self-influence"


@dataclass(frozen=True, eq=False)
class Ranked:
    """One ranking of the training examples. Shared between visits: read-only.

    Attributes:
        scores: (n,) higher = more suspicious, NaN where there is none.
        order: (n,) rows, the most suspicious first.
    """

    scores: npt.NDArray[np.float64]
    order: Rows


@dataclass(frozen=True, eq=False)
class Picked:
    """What is above the line or inside the range.

    Attributes:
        rows: The most suspicious first.
        among: Examples with a score that pass the filters.
        left_out: Examples without a score that pass them.
        ends: Scores from and up to which examples are picked.
    """

    rows: Rows
    among: int
    left_out: int
    ends: Range


def ranked(audit: Audit, ranking: str) -> Ranked:
    """The ranking's scores and order."""
    found: Ranked = shared(
        audit,
        "ranked",
        ranking,
        compute=lambda: Ranked(audit.suspect_scores(ranking), audit.suspect_order(ranking)),
    )
    return found


def pick(found: Ranked, passing: Mask, *, share: float, drawn: Range | None) -> Picked:
    """The suspects among the examples that pass the filters.

    Args:
        found: The ranking.
        passing: (n,) which examples count.
        share: Percent of them from the top, unless a range is drawn.
        drawn: Scores from and up to here.
    """
    scored = passing & np.isfinite(found.scores)
    among, left_out = int(scored.sum()), int(passing.sum() - scored.sum())
    rows = found.order[scored[found.order]]
    if drawn is not None:
        scores = found.scores[rows]
        return Picked(rows[(scores >= drawn[0]) & (scores <= drawn[1])], among, left_out, drawn)
    rows = rows[: max(1, round(among * share / 100))]
    lowest = float(found.scores[rows[-1]]) if len(rows) else math.inf
    return Picked(rows, among, left_out, (lowest, math.inf))


def controls(ranking: str) -> tuple[int, Range | None]:
    """The share, and the range where one is drawn."""
    drawn = drawn_range(parameter("range"))
    with st.container(horizontal=True, vertical_alignment="bottom", key="threshold"):
        share = st.select_slider(
            tr("Most suspicious"),
            SHARES,
            format_func=lambda value: f"{value} %",
            key=linked("share", SHARES, USUAL_SHARE),
            persist_state="session",
            width=240,
            on_change=clear_range,
            help=tr("Or draw a range in the histogram with the mouse, or move its ends below it."),
        )
        if drawn is not None:
            st.button(
                tr("Forget the range {range}", range=range_words(drawn)),
                key="clear_range",
                icon=":material/close:",
                on_click=clear_range,
            )
    publish("share", share, USUAL_SHARE)
    return int(share), drawn


def histogram(audit: Audit, found: Ranked, picked: Picked, passing: Mask, ranking: str) -> bool:
    """Draw the distribution; returns whether there is anything to rank.

    A range that is drawn with the mouse goes into the address, which runs the page's part again.
    """
    scores = found.scores[passing & np.isfinite(found.scores)]
    if not scores.size:
        return False
    if scores.min() == scores.max() and len(found.scores) == int(passing.sum()):
        st.warning(
            tr(
                "All scores are equal or not finite: there is nothing to rank. "
                "Check that the learning rates are not zero and the checkpoints differ."
            )
        )
        return False
    direction = tr("{ranking}: more suspicious →", ranking=tr(text.SUSPECT_RANKINGS[ranking]))
    colours, across = (theme.colour("suspect"), theme.colour("neutral")), tr("examples")
    # Making the figure costs half of a rerun, and turning a page of the gallery changes nothing in it.
    figure = shared(
        audit,
        "histogram",
        ranking,
        picked.ends,
        hashlib.sha256(np.packbits(passing).tobytes()).hexdigest(),
        (*colours, direction, across),
        compute=lambda: charts.histogram(
            scores, picked.ends, marked=colours[0], rest=colours[1], direction=direction
        ).update_yaxes(title=across),
    )
    key = f"histogram_{ranking}"
    axis, ends = charts.Axis.of(scores), (float(scores.min()), float(scores.max()))
    st.plotly_chart(
        figure,
        key=key,
        config=charts.CONFIG,
        on_select=lambda: _drawn(key, axis, ends),
        selection_mode="box",
        alt=tr(
            "Histogram of {all} scores; {number} examples are chosen.",
            all=f"{picked.among:,}",
            number=f"{len(picked.rows):,}",
        ),
    )
    if ends[0] < ends[1]:
        choose_ends(axis, ends, picked.ends)
    _say(picked)
    return True


def _say(picked: Picked) -> None:
    inside = math.isfinite(picked.ends[1])
    number = trn("{n} example", "{n} examples", len(picked.rows))
    line = (
        tr("{number} of {all} in the range.", number=number, all=f"{picked.among:,}")
        if inside
        else tr("{number} of {all} above the line.", number=number, all=f"{picked.among:,}")
    )
    if picked.left_out:
        left = trn(
            "{n} example without a finite score left out.",
            "{n} examples without a finite score left out.",
            picked.left_out,
        )
        line = f"{line} {left}"
    st.caption(f"{theme.SIGNS['suspect']} {line}")


def _drawn(key: str, axis: charts.Axis, ends: Range) -> None:
    """Take the range that was drawn: what reaches over an end of the histogram is open there."""
    try:
        places = st.session_state[key]["selection"]["box"][0]["x"]
        low, high = sorted(axis.score(float(place)) for place in places)
    except (KeyError, IndexError, TypeError, ValueError):
        return  # nothing was drawn: the selection was only cleared
    low, high = (-math.inf if low <= ends[0] else low), (math.inf if high >= ends[1] else high)
    keep_range(low, high)
