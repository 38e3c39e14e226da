"""Colours and signs with a meaning, read from ``.streamlit/config.toml``: light and dark have one source.

Components use the same values as CSS variables (``--st-blue-color`` and so on); charts ask here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import streamlit as st

Meaning = Literal["proponent", "opponent", "suspect", "decided", "neutral", "accent"]

#: Shape beside the colour, so that nothing depends on seeing colours.
SIGNS: dict[str, str] = {"proponent": "▲", "opponent": "▼", "suspect": "⚑", "decided": "✓"}

_OPTIONS: dict[str, str] = {
    "proponent": "blueColor",
    "opponent": "orangeColor",
    "suspect": "yellowColor",
    "decided": "greenColor",
    "neutral": "grayColor",
    "accent": "primaryColor",
}

#: The same file's values, for a process started in another folder, where Streamlit finds no theme.
_FALLBACK: dict[str, str] = {
    "blueColor": "#0072B2",
    "orangeColor": "#D55E00",
    "yellowColor": "#E69F00",
    "greenColor": "#009E73",
    "grayColor": "#9AA5B1",
    "primaryColor": "#4A4FB5",
}
_GROUND = {"light": "#FFFFFF", "dark": "#12161C"}
_INK = {"light": "#17202A", "dark": "#E6EAF0"}
_CLASSES = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#7D3C68")

#: More colours than this cannot be told apart.
MOST_COLOURS = len(_CLASSES)


def mode() -> Literal["light", "dark"]:
    """The look that the browser shows now."""
    return "dark" if st.context.theme.type == "dark" else "light"


def colour(meaning: Meaning) -> str:
    """Hexadecimal colour of a meaning in the present look."""
    option = _OPTIONS[meaning]
    return str(st.get_option(f"theme.{mode()}.{option}") or _FALLBACK[option])


def ground() -> str:
    """Hexadecimal colour of the page in the present look."""
    return str(st.get_option(f"theme.{mode()}.backgroundColor") or _GROUND[mode()])


def ink() -> str:
    """Hexadecimal colour of its text."""
    return str(st.get_option(f"theme.{mode()}.textColor") or _INK[mode()])


def class_colours(classes: Sequence[str], chosen: Sequence[str] = ()) -> dict[str, str]:
    """A colour for each class: at most eight differ, the others are grey.

    Args:
        classes: All classes in their fixed order.
        chosen: Classes that shall have a colour; the first eight of ``classes`` when empty. A class keeps
            the colour of its place in the fixed order as long as that colour is free.
    """
    palette = list(st.get_option("theme.chartCategoricalColors") or _CLASSES)[:MOST_COLOURS]
    wanted = [name for name in classes if name in set(chosen)] or list(classes)
    wanted = wanted[: len(palette)]
    colours = dict.fromkeys(classes, colour("neutral"))
    free = dict(enumerate(palette))
    late = []
    for name in wanted:
        place = list(classes).index(name)
        if place in free:
            colours[name] = free.pop(place)
        else:
            late.append(name)
    for name in late:
        colours[name] = free.pop(min(free))
    return colours
