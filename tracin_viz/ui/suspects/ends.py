"""A range of scores: in the address, in words, and as two sliders that move its ends by keyboard.

The sliders under the histogram and what is drawn in it with the mouse are one state, the address's ``range``.
"""

from __future__ import annotations

import math

import numpy as np
import streamlit as st

from tracin_viz.ui import charts
from tracin_viz.ui.cards import signed
from tracin_viz.ui.language import tr
from tracin_viz.ui.session import set_parameter

Range = tuple[float, float]

LOW, HIGH = "range_low", "range_high"
#: Key of the widget for the share from the top (``session.linked``).
SHARE = "linked_share"
#: Between the ends of a range in the address; an end that is left out is open.
_TO = "~"


def drawn_range(words: str) -> Range | None:
    """The range that an address names (``0.2~1.5``, ``0.2~``); ``None`` where it names none."""
    low, separator, high = words.partition(_TO)
    if not separator:
        return None
    try:
        found = (float(low) if low else -math.inf, float(high) if high else math.inf)
    except ValueError:
        return None
    return found if found[0] <= found[1] and found != (-math.inf, math.inf) else None


def range_words(drawn: Range) -> str:
    """A range for people."""
    low, high = ("" if math.isinf(end) else _number(end) for end in drawn)
    if not low:
        return f"≤ {high}"
    return f"≥ {low}" if not high else f"{low} – {high}"


def keep_range(low: float, high: float) -> None:
    """Put a range into the address; the list begins at its first page."""
    set_parameter("range", f"{_end(low)}{_TO}{_end(high)}")
    set_parameter("page", "")


def clear_range() -> None:
    """Go back to the share from the top."""
    set_parameter("range", "")
    set_parameter("page", "")


def choose_ends(axis: charts.Axis, extremes: Range, present: Range) -> None:
    """Draw a slider for each end; an arrow key moves it by one bar of the histogram.

    Args:
        axis: Of the histogram.
        extremes: Its smallest and largest score.
        present: Scores from and up to which examples are picked now; infinite ends are open.
    """
    last = charts.BINS
    edges = axis.edges(extremes)
    low, high = (_place(axis, edges, end) for end in present)
    low, high = min(low, last - 1), max(high, 1)

    def words(place: int) -> str:
        if place in (0, last):
            return tr("highest") if place else tr("lowest")
        return _number(float(edges[place]))

    with st.container(horizontal=True, vertical_alignment="bottom", key="range_ends"):
        for key, title, place, options in (
            (LOW, tr("Scores from"), low, range(last)),
            (HIGH, tr("Scores up to"), high, range(1, last + 1)),
        ):
            # Only where it differs: a value that is sent back would undo keys pressed meanwhile.
            if st.session_state.get(key) != place:
                st.session_state[key] = place
            st.select_slider(
                title,
                options,
                format_func=words,
                key=key,
                on_change=_moved,
                args=(key, edges, present),
                width="stretch",
                help=tr("An end of the range in the histogram. Arrow keys move it by one bar."),
            )


def _moved(key: str, edges: np.ndarray, present: Range) -> None:
    """Take the end that was moved; the other one stays as it is, or is pushed along."""
    last, place = len(edges) - 1, int(st.session_state[key])
    low, high = present
    if key == LOW:
        low = -math.inf if place == 0 else float(edges[place])
        if high <= low:
            high = math.inf if place + 1 == last else float(edges[place + 1])
    else:
        high = math.inf if place == last else float(edges[place])
        if low >= high:
            low = -math.inf if place == 1 else float(edges[place - 1])
    if math.isinf(low) and math.isinf(high):
        st.session_state[SHARE] = 100
        clear_range()
    else:
        keep_range(low, high)


def _place(axis: charts.Axis, edges: np.ndarray, end: float) -> int:
    """The edge that is nearest on the axis; the first or last one for an open end."""
    if math.isinf(end):
        return 0 if end < 0 else len(edges) - 1
    return int(np.abs(axis.places(edges) - axis.places(np.array(end))).argmin())


def _number(score: float) -> str:
    return signed(score).lstrip("+")


def _end(value: float) -> str:
    return "" if math.isinf(value) else f"{value:.6g}"
