"""The Python side of the presentation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import streamlit as st

from tracin_viz.ui.components.registering import component


@dataclass(frozen=True)
class Slide:
    """One step. All text reaches the page through ``textContent``.

    Attributes:
        title: In the largest type: what is found.
        lines: Below it, one after the other.
        picture: Address of a picture, or empty.
        alt: What the picture shows.
        text: The example's text, where it is no picture.
        small: Who says so, in small type: identifier, decision.
        sign: Meaning of the mark before the title.
    """

    title: str
    lines: tuple[str, ...] = ()
    picture: str = ""
    alt: str = ""
    text: str = ""
    small: str = ""
    sign: Literal["suspect", "decided", ""] = ""


def stage(
    slides: Sequence[Slide],
    place: int,
    *,
    words: dict[str, str],
    on_place: Callable[[int], None],
    on_leave: Callable[[], None],
) -> None:
    """Show ``slides`` over the whole window.

    Args:
        slides: In their order.
        place: The step that is shown first, from 0.
        words: ``label``, ``step`` (with ``{n}`` and ``{total}``), ``missing`` and ``keys``, in the
            reader's language.
        on_place: Called with the step when another one is shown.
        on_leave: Called when ``Escape`` was pressed.
    """
    key = "stage"

    def moved() -> None:
        event = st.session_state[key].get("move")
        told = event.get("place") if isinstance(event, dict) else None
        if isinstance(told, int) and 0 <= told < len(slides):  # the browser's message can be anything
            on_place(told)

    component("stage", ("parts/element.js", "parts/picture.js", "stage.js"))(
        key=key,
        data={"slides": [asdict(slide) for slide in slides], "place": place, "words": words},
        on_move_change=moved,
        on_leave_change=on_leave,
    )
