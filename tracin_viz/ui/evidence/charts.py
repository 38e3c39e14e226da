"""Charts of evidence: pure functions from documents to Plotly figures. Words come in already translated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

#: Classes drawn at most: those with the largest effect.
MOST_CLASSES = 20
_ROW = 26
#: A grey that is seen on white, on black and on bars.
_BOTH_THEMES = "#868C96"
_SHAPES = {1: "▼", -1: "▲", 0: "?"}


def effects(
    entries: Sequence[Mapping[str, Any]],
    *,
    colours: Mapping[int, str],
    axis: str,
    ink: str,
    numbers: bool,
) -> go.Figure:
    """By how much the loss of each class would fall, with intervals.

    Args:
        entries: ``class``, ``mean``, ``low``, ``high``, ``sign`` each, in the order from top to bottom.
        colours: By sign: +1 falls, −1 rises, 0 not clear.
        axis: Under the axis.
        ink: Colour of the error bars, seen on the page and on the bars.
        numbers: Whether the size means something; else only the bars' direction and order are shown.
    """
    shown = list(entries)[:MOST_CLASSES][::-1]
    names = [f"{_SHAPES[entry['sign']]} {entry['class']}" for entry in shown]
    means = [entry["mean"] for entry in shown]
    figure = go.Figure()
    figure.add_bar(
        x=means,
        y=names,
        orientation="h",
        marker={"color": [colours[entry["sign"]] for entry in shown], "line": {"width": 0}},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [_length(entry["high"], entry["mean"]) for entry in shown],
            "arrayminus": [_length(entry["mean"], entry["low"]) for entry in shown],
            "thickness": 1.5,
            "width": 4,
            "color": ink,
        },
        hovertemplate="%{y}: %{x:.3g}<extra></extra>" if numbers else "%{y}<extra></extra>",
    )
    figure.update_xaxes(title=axis, showticklabels=numbers, zeroline=True, zerolinewidth=2)
    # A class name is a text and no number or date, whatever it looks like.
    figure.update_yaxes(type="category")
    return _framed(figure, height=96 + _ROW * max(2, len(shown)))


def seeds(
    arms: Sequence[Mapping[str, Any]],
    *,
    names: Mapping[str, str],
    colours: Sequence[str],
    axis: str,
    shares: bool,
) -> go.Figure:
    """Each training as a point, those of one seed joined, and the mean of each arm.

    Args:
        arms: ``name``, ``values`` by seed and ``mean``, from left to right.
        names: Words for the arms.
        colours: Of each arm.
        axis: Beside the axis.
        shares: Whether the values are shares of a whole, shown as percentages.
    """
    figure = go.Figure()
    columns = [names[arm["name"]] for arm in arms]
    for values in zip(*(arm["values"] for arm in arms), strict=True):
        figure.add_scatter(
            x=columns,
            y=list(values),
            mode="lines+markers",
            line={"color": _BOTH_THEMES, "width": 1},
            marker={"size": 8, "color": list(colours[: len(columns)])},
            hovertemplate="%{x}: %{y:.4g}<extra></extra>",
        )
    figure.add_scatter(
        x=columns,
        y=[arm["mean"] for arm in arms],
        mode="markers",
        marker={
            "size": 34,
            "symbol": "line-ew-open",
            "color": list(colours[: len(columns)]),
            "line": {"width": 3},
        },
        hovertemplate="%{x}: %{y:.4g}<extra></extra>",
    )
    figure.update_yaxes(title=axis, tickformat=".1%" if shares else None)
    figure.update_xaxes(range=[-0.5, len(columns) - 0.5])
    return _framed(figure, height=280)


def found_by_looking(
    found: Mapping[str, Any],
    *,
    chosen: str,
    names: Mapping[str, str],
    colours: tuple[str, str],
    axes: tuple[str, str],
) -> go.Figure:
    """Share of planted labels found against the share of the data looked at, with the range of repetitions.

    Args:
        found: A self-test's document.
        chosen: The ranking drawn strong, with its range.
        names: Words for rankings, and for ``"random"``.
        colours: Of the chosen ranking, and of the others.
        axes: Under the horizontal axis, and beside the vertical one.
    """
    figure, fractions = go.Figure(), list(found["fractions"])
    band = found["curves"][chosen]
    figure.add_scatter(
        x=[*fractions, *fractions[::-1]],
        y=[*band["high"], *band["low"][::-1]],
        fill="toself",
        mode="lines",
        line={"width": 0},
        fillcolor=_faint(colours[0]),
        hoverinfo="skip",
        showlegend=False,
    )
    dots = {"color": colours[1], "dash": "dot", "width": 1}
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", name=names["random"], hoverinfo="skip", line=dots)
    dashes = ("dash", "dashdot", "longdash")
    others = [name for name in found["curves"] if name != chosen]
    for name in [*others, chosen]:
        strong = name == chosen
        line: dict[str, Any] = {"color": colours[0 if strong else 1], "width": 3 if strong else 1.5}
        line["dash"] = "solid" if strong else dashes[others.index(name) % len(dashes)]
        figure.add_scatter(
            x=fractions,
            y=list(found["curves"][name]["mean"]),
            mode="lines",
            name=names[name],
            line=line,
            hovertemplate="%{x:.0%} → %{y:.0%}<extra>" + names[name] + "</extra>",
        )
    figure.update_xaxes(title=axes[0], tickformat=".0%", range=[0, 1])
    figure.update_yaxes(title=axes[1], tickformat=".0%", range=[0, 1.02])
    legend = {"orientation": "h", "y": -0.3}
    return _framed(figure, height=320).update_layout(showlegend=True, legend=legend)


def _framed(figure: go.Figure, *, height: int) -> go.Figure:
    margin = {"l": 8, "r": 8, "t": 8, "b": 8}
    return figure.update_layout(height=height, margin=margin, showlegend=False, dragmode=False)


def _length(end: float | None, begin: float | None) -> float:
    return 0.0 if end is None or begin is None else max(0.0, end - begin)


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.2)"
