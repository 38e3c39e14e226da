"""The relabel card as a component; how its decisions travel is told in ``docs/decisions/0060``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

_HERE = Path(__file__).parent
#: One module in the browser: Streamlit takes one text, so the parts are joined in this order.
SCRIPTS = (
    "outbox.js",
    "queue.js",
    "keys.js",
    "card.js",
    "choices.js",
    "grid.js",
    "help.js",
    "focus.js",
    "behaviour.js",
    "relabel.js",
)


def relabel_card(data: Mapping[str, Any], *, key: str, on_rest: Callable[[], None] = lambda: None) -> None:
    """Draw the card of a queue.

    Args:
        data: What ``ui.relabel.board.board`` makes.
        key: Unique on the page.
        on_rest: Called when everything decided is stored and nothing was decided for a moment.
    """
    # Each event lets the page run again: after a rest for its table, to renew for a fresh pass in ``data``.
    _component()(key=key, data=dict(data), on_rest_change=on_rest, on_renew_change=lambda: None)


def script() -> str:
    """All of the component's script."""
    return "\n".join((_HERE / name).read_text("utf-8") for name in SCRIPTS)


@cache
def _component() -> Callable[..., Any]:
    # Registered on first use: registering needs Streamlit's runtime, and importing this module must not.
    return st.components.v2.component(
        "tracin_viz_relabel",
        html='<div id="relabel"></div>\n',
        css=(_HERE / "relabel.css").read_text("utf-8"),
        js=script(),
    )
