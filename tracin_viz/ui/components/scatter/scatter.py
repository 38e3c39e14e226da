"""The map in the browser: WebGL points, pan and zoom, lasso and box, legend, hover card (DESIGN §10).

Coordinates, categories and a selection travel as bytes by HTTP under names that follow from their content,
so a browser fetches each once; a selection comes back as one bit per point. Why this is our own code and
not Plotly is measured in docs/decisions/0050-map-and-gallery.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from tracin_viz.errors import InputError
from tracin_viz.ui import text
from tracin_viz.ui.blobs import BLOBS, Blob
from tracin_viz.ui.components.registering import component
from tracin_viz.ui.components.scatter.points import Colouring, Mask, Points, decode_mask, encode_mask
from tracin_viz.ui.language import tr

#: One module in the browser: Streamlit takes one text, so the parts are joined in this order.
SCRIPTS = (
    "parts/element.js",
    "parts/picture.js",
    "geometry.js",
    "webgl.js",
    "canvas.js",
    "legend.js",
    "card.js",
    "view.js",
    "pointer.js",
    "scatter.js",
)


@dataclass(frozen=True)
class Label:
    """Words on the map.

    Attributes:
        text: What is written.
        x: Place, in the coordinates of the points.
        y: Place.
        above: Written over the place instead of on it, so that a small group stays visible.
    """

    text: str
    x: float
    y: float
    above: bool = False


def scatter(
    points: Points,
    colouring: Colouring,
    *,
    key: str,
    label: str,
    bytes_url: str,
    card_url: str = "",
    labels: Sequence[Label] = (),
    selected: Mask | None = None,
    on_select: Callable[[Mask], None] | None = None,
    on_pick: Callable[[int], None] | None = None,
) -> None:
    """Draw a map.

    Args:
        points: Where the points are.
        colouring: Their categories, one code per point.
        key: Unique on the page.
        label: What the map shows, read aloud.
        bytes_url: Address before the name of a blob.
        card_url: Address of the hover card's document with ``{row}`` for the row; empty = no card.
        labels: Words on the map, most important first; those without room are left out.
        selected: (n,) selection to show; ``None`` = none.
        on_select: Called with the new selection (none: all False) after lasso, box or legend.
        on_pick: Called with the number of a point that was clicked or chosen by keyboard.
    """
    if len(colouring.codes) != points.count:
        raise InputError(f"{len(colouring.codes)} codes do not fit {points.count} points.")

    def sent(name: str) -> dict[str, Any]:
        found = st.session_state[key].get(name)
        return found if isinstance(found, dict) else {}

    def selecting() -> None:
        message = sent("select")
        # Remembered, so that the browser knows that the selection it shows is the one we hold.
        st.session_state[f"{key}_answered"] = str(message.get("n", ""))[:40]
        if on_select is not None:
            on_select(decode_mask(message.get("bits"), points.count))

    def picking() -> None:
        place = sent("pick").get("place")
        if on_pick is not None and isinstance(place, int) and 0 <= place < points.count:
            on_pick(place)

    chosen = encode_mask(selected) if selected is not None and selected.any() else None
    component("scatter", SCRIPTS)(
        key=key,
        data={
            "places": _address(bytes_url, points.places),
            "codes": _address(bytes_url, colouring.blob),
            "rows": _address(bytes_url, points.rows),
            "chosen": _address(bytes_url, chosen),
            "answered": st.session_state.get(f"{key}_answered", ""),
            "count": points.count,
            "frame": points.frame,
            "title": colouring.title,
            "categories": [dict(vars(category)) for category in colouring.categories],
            "labels": [dict(vars(one)) for one in labels],
            "card": card_url,
            "label": label,
            "words": {name: tr(words) for name, words in text.MAP_WORDS.items()},
        },
        on_select_change=selecting,
        on_pick_change=picking,
        # The bytes are gone (a restarted server): running the page again is all that it takes.
        on_missing_change=lambda: None,
    )


def _address(bytes_url: str, blob: Blob | None) -> str:
    if blob is None:
        return ""
    BLOBS.keep(blob)
    return f"{bytes_url}{blob.name}"
