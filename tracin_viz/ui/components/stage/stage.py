"""The Python side of the presentation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import streamlit as st

_HERE = Path(__file__).parent


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
        words: ``label``, ``step`` (with ``{n}`` and ``{total}``) and ``keys``, in the reader's language.
        on_place: Called with the step when another one is shown.
        on_leave: Called when ``Escape`` was pressed.
    """
    key = "stage"

    def moved() -> None:
        event = st.session_state[key].get("move")
        told = event.get("place") if isinstance(event, dict) else None
        if isinstance(told, int) and 0 <= told < len(slides):  # the browser's message can be anything
            on_place(told)

    _component()(
        key=key,
        data={"slides": [asdict(slide) for slide in slides], "place": place, "words": words},
        on_move_change=moved,
        on_leave_change=on_leave,
    )


@cache
def _component() -> Callable[..., Any]:
    # Registered on first use: registering needs Streamlit's runtime, and importing this module must not.
    return st.components.v2.component(
        "tracin_viz_stage",
        html='<div id="stage" role="dialog" aria-modal="true" tabindex="-1"></div>\n',
        css=(_HERE / "stage.css").read_text("utf-8"),
        js=(_HERE / "stage.js").read_text("utf-8"),
    )
