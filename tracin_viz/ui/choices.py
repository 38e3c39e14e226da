"""Choices that the address holds: a row of words, or a slider of a few numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from tracin_viz.ui import text
from tracin_viz.ui.language import tr
from tracin_viz.ui.session import linked, publish

#: Examples per list that can be asked for.
LENGTHS = (5, 10, 20, 50)


def one_of(
    title: str,
    words: Mapping[str, str],
    name: str,
    *,
    among: Sequence[str] | None = None,
    hidden: bool = False,
) -> str:
    """One of a few, all of them in sight. Where there is only one, nothing is drawn.

    Args:
        title: Of the choice, in the reader's language.
        words: The words of each choice, marked with ``later``.
        name: Parameter of the address; the first choice is the usual one and is left out there.
        among: The choices that there are here; by default all.
        hidden: Draw no title; it is only read aloud.
    """
    choices = list(words if among is None else among)
    chosen: str | None = choices[0]
    if len(choices) > 1:
        chosen = st.segmented_control(
            title,
            choices,
            format_func=lambda choice: tr(words[choice]),
            required=True,
            key=linked(name, choices, choices[0]),
            persist_state="session",
            label_visibility="collapsed" if hidden else "visible",
        )
    chosen = str(chosen or choices[0])
    publish(name, chosen, choices[0])
    return chosen


def number_of(
    title: str, numbers: Sequence[int], name: str, usual: int, *, width: int = 240, unit: str = ""
) -> int:
    """One of a few numbers, on a slider.

    Args:
        title: Of the choice, in the reader's language.
        numbers: From small to large.
        name: Parameter of the address.
        usual: The number when the address says nothing.
        width: In pixels.
        unit: Written behind each number.
    """
    chosen = int(
        st.select_slider(
            title,
            list(numbers),
            format_func=lambda number: f"{number}{unit}",
            key=linked(name, list(numbers), usual),
            persist_state="session",
            width=width,
        )
    )
    publish(name, chosen, usual)
    return chosen


def ranking_choice() -> str:
    """What training examples are ranked by: a key of ``text.RANKINGS``."""
    return one_of(tr("Ranking"), text.RANKINGS, "ranking")


def length_choice() -> int:
    """Examples per list."""
    return number_of(tr("Examples per list"), LENGTHS, "top", 10, width=160)
