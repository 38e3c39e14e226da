"""The charts of the Influence page: pure functions from numbers to Plotly figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from tracin_viz.ui.short import short

#: Pixels per row of a heat map, and of everything around its rows.
ROW, AROUND = 26, 96
#: Layers drawn; of more, those with the most influence, and the rest in one row.
LAYERS = 30
LONGEST = 40
#: Characters of a class beside the matrix, which shall have most of the room.
LONGEST_TICK = 24

_ABOVE = {"orientation": "h", "y": 1.0, "yanchor": "bottom", "thickness": 12, "tickformat": "+.2g"}

Floats = npt.NDArray[np.float64]


def confusion_figure(
    counts: npt.NDArray[np.int64],
    names: Sequence[str],
    *,
    words: Mapping[str, str],
    colours: tuple[str, str, str, str],
) -> go.Figure:
    """The confusion matrix: right predictions in one colour, mistakes in the other, its cells to be clicked.

    Args:
        counts: (C, C) by given and predicted class.
        names: Class names.
        words: "given" and "predicted" for the axes, "cell" for the hover text.
        colours: Of right predictions, of mistakes, of the page and of its text.
    """
    size = len(names)
    # Counts differ by powers of ten; a mistake made three times shall be seen beside a thousand right ones.
    shade = np.log1p(counts) / max(1e-9, float(np.log1p(counts.max())))
    signed = np.where(np.eye(size, dtype=bool), -shade, shade)
    signed = np.where(counts == 0, np.nan, signed)
    right, wrong, ground, ink = colours
    figure = go.Figure()
    figure.add_heatmap(
        z=signed,
        zmin=-1,
        zmax=1,
        xgap=1,
        ygap=1,
        showscale=False,
        hoverinfo="skip",
        colorscale=[
            # Never the full colour: the numbers on it must stay readable.
            [0, _mixed(right, ground, 0.6)],
            [0.5, _mixed(right, ground, 0.15)],
            [0.501, _mixed(wrong, ground, 0.15)],
            [1, _mixed(wrong, ground, 0.6)],
        ],
    )
    _add_points(figure, counts, names, words["cell"], ink)
    ticks: dict[str, Any] = {
        "tickvals": list(range(size)),
        "ticktext": [_literal(short(name, LONGEST_TICK)) for name in names],
    }
    grid = {"showgrid": False, "zeroline": False}
    figure.update_xaxes(title=words["predicted"], **ticks, **grid)
    figure.update_yaxes(title=words["given"], autorange="reversed", **ticks, **grid)
    return _framed(figure, AROUND + max(ROW * size, 240))


def _add_points(
    figure: go.Figure, counts: npt.NDArray[np.int64], names: Sequence[str], hover: str, ink: str
) -> None:
    """An invisible point in each cell with examples: Streamlit reports clicks on points, not on cells."""
    size = len(names)
    given, predicted = np.nonzero(counts)
    data = [
        [_literal(names[g]), _literal(names[p]), int(counts[g, p])]
        for g, p in zip(given.tolist(), predicted.tolist(), strict=True)
    ]
    figure.add_scatter(
        x=predicted.tolist(),
        y=given.tolist(),
        mode="markers+text" if size <= 15 else "markers",
        text=[f"{one[2]:,}" for one in data],
        textfont={"color": ink, "size": 12},
        customdata=data,
        hovertemplate=hover + "<extra></extra>",
        marker={"symbol": "square", "size": 24 if size <= 15 else 14, "opacity": 0},
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
    )


def origin_figure(
    parts: Floats,
    checkpoints: Sequence[int],
    layers: Sequence[str],
    *,
    words: Mapping[str, str],
    colours: tuple[str, str, str],
) -> go.Figure:
    """Influence by checkpoint and layer; the middle colour is zero.

    Args:
        parts: (K, L).
        checkpoints: Steps (K).
        layers: Names (L).
        words: "step" and "influence".
        colours: Against, zero, for.
    """
    most = float(np.abs(parts).max(initial=0.0)) or 1.0
    against, zero, towards = colours
    figure = go.Figure()
    figure.add_heatmap(
        z=parts.T,
        x=[f"{words['step']} {step}" for step in checkpoints],
        y=list(range(len(layers))),
        zmin=-most,
        zmax=most,
        xgap=1,
        ygap=1,
        customdata=[[_literal(name)] * len(checkpoints) for name in layers],
        colorscale=[[0, against], [0.5, zero], [1, towards]],
        # Above the map: beside it there is no room on a telephone.
        colorbar={**_ABOVE, "title": {"text": words["influence"], "side": "top"}},
        # The sign is written too: colour alone must not say it.
        texttemplate="%{z:+.2g}" if parts.size <= 400 else "",
        hovertemplate="%{customdata}<br>%{x}: %{z:+.3g}<extra></extra>",
    )
    figure.update_xaxes(type="category", showgrid=False)
    figure.update_yaxes(
        tickvals=list(range(len(layers))),
        ticktext=[_short(name) for name in layers],
        tickfont={"size": 11},
        autorange="reversed",
        showgrid=False,
        zeroline=False,
    )
    return _framed(figure, AROUND + 64 + ROW * max(3, len(layers)))


def strongest_layers(parts: Floats, layers: Sequence[str], rest: str) -> tuple[Floats, list[str]]:
    """At most ``LAYERS`` layers in model order; the others are summed in a last one called ``rest``."""
    if len(layers) <= LAYERS:
        return parts, list(layers)
    order = np.argsort(-np.abs(parts).sum(axis=0), kind="stable")
    kept = np.sort(order[: LAYERS - 1])
    others = np.setdiff1d(np.arange(len(layers)), kept)
    together = np.column_stack([parts[:, kept], parts[:, others].sum(axis=1)])
    return together, [*(layers[place] for place in kept.tolist()), rest]


def _mixed(colour: str, ground: str, share: float) -> str:
    """``colour`` laid over ``ground``, of which ``1 - share`` shows through."""
    places = (1, 3, 5)
    pairs = [(int(colour[place : place + 2], 16), int(ground[place : place + 2], 16)) for place in places]
    return "#" + "".join(f"{round(share * top + (1 - share) * below):02x}" for top, below in pairs)


def _short(name: str) -> str:
    if len(name) <= LONGEST:
        return _literal(name)
    # The front of a layer's name is what it shares with the others; it goes first, part by part.
    while len(name) > LONGEST and "." in name[:-1]:
        name = name.partition(".")[2]
    return _literal(name if len(name) <= LONGEST else "…" + name[-LONGEST + 1 :])


def _literal(name: str) -> str:
    """``name`` as Plotly shows it literally: it reads a little HTML in ticks and hover texts."""
    return name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _framed(figure: go.Figure, height: int) -> go.Figure:
    return figure.update_layout(
        height=height, margin={"l": 8, "r": 8, "t": 8, "b": 8}, showlegend=False, dragmode=False
    )
