"""The relabel card as a component; how its decisions travel is told in ``docs/decisions/0060``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tracin_viz.ui.components.registering import component

#: One module in the browser: Streamlit takes one text, so the parts are joined in this order.
SCRIPTS = (
    "parts/element.js",
    "parts/picture.js",
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
    component("relabel_card", SCRIPTS, styles=("relabel.css",), element="relabel")(
        key=key, data=dict(data), on_rest_change=on_rest, on_renew_change=lambda: None
    )
