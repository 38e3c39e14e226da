"""The charts: pure functions from numbers to Plotly figures, in the theme's colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from tracin_viz.ui.language import tr

#: No buttons over a chart; scrolling the page over it must scroll the page.
CONFIG: dict[str, Any] = {"displayModeBar": False, "scrollZoom": False}
BINS = 60


@dataclass(frozen=True)
class Axis:
    """How scores lie on the axis of their histogram.

    Logarithmic when the scores are positive and spread over more than two powers of ten, because
    self-influence is heavy-tailed.

    Attributes:
        logarithmic: Whether places are powers of ten.
        smallest: Score at which a logarithmic axis begins; zeros lie there.
    """

    logarithmic: bool
    smallest: float

    @classmethod
    def of(cls, scores: np.ndarray) -> Axis:
        """The axis for these finite scores."""
        logarithmic = bool(scores.size) and _is_spread(scores)
        return cls(logarithmic, _smallest(scores) if logarithmic else 0.0)

    def places(self, scores: np.ndarray) -> np.ndarray:
        """Where scores lie."""
        return np.log10(np.maximum(scores, self.smallest)) if self.logarithmic else scores

    def edges(self, ends: tuple[float, float]) -> np.ndarray:
        """(``BINS`` + 1,) scores at which bars of a histogram begin and end, between the outermost scores."""
        low, high = self.places(np.asarray(ends, dtype=np.float64))
        places = np.linspace(low, high, BINS + 1)
        return np.power(10.0, places) if self.logarithmic else places

    def score(self, place: float) -> float:
        """The score at a place."""
        if not self.logarithmic:
            return place
        return float(10.0 ** min(max(place, -300.0), 300.0))


def histogram(
    scores: np.ndarray, chosen: tuple[float, float], *, marked: str, rest: str, direction: str
) -> go.Figure:
    """Distribution of suspicion scores with the chosen range in the colour of suspects; a range can be drawn.

    Args:
        scores: (N,) one per example, higher = more suspicious. Not finite ones are left out.
        chosen: Scores from and up to here are marked; infinite ends are open.
        marked: Colour of marked bars.
        rest: Colour of the others.
        direction: What is written under the axis.

    Returns:
        Bars of pre-counted bins (never the raw values).
    """
    values = np.asarray(scores, dtype=np.float64)
    values = values[np.isfinite(values)]
    figure = go.Figure()
    if values.size:
        axis = Axis.of(values)
        ends = axis.places(np.asarray(chosen, dtype=np.float64))
        counts, edges = np.histogram(axis.places(values), bins=BINS)
        middle = (edges[:-1] + edges[1:]) / 2
        inside = (middle >= ends[0]) & (middle <= ends[1])
        figure.add_bar(
            x=middle,
            y=counts,
            width=np.diff(edges) * 0.9,
            marker={"color": np.where(inside, marked, rest).tolist(), "line": {"width": 0}},
            # What is chosen is said by colour and lines; Plotly must not fade the rest on top of that.
            unselected={"marker": {"opacity": 1}},
            hovertemplate="%{y:,}<extra></extra>",
        )
        for end in ends:
            if edges[0] <= end <= edges[-1]:
                figure.add_vline(x=end, line={"color": marked, "width": 2})
        if axis.logarithmic:
            figure.update_xaxes(**_powers(edges[0], edges[-1]))
    figure.update_yaxes(fixedrange=True)
    figure.update_xaxes(title=direction, fixedrange=True)
    return _framed(figure, height=220).update_layout(dragmode="select", selectdirection="h")


def recovery(
    curves: Mapping[str, Sequence[float]],
    fractions: Sequence[float],
    *,
    chosen: str,
    names: Mapping[str, str],
    colours: tuple[str, str],
) -> go.Figure:
    """Share of planted wrong labels found when looking at the top of each ranking.

    Args:
        curves: By ranking, the share found at each fraction.
        fractions: Share of the training set looked at, rising.
        chosen: The ranking drawn strong.
        names: Words for rankings.
        colours: Of the chosen ranking, and of the others.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        name=tr("Looking at random"),
        hoverinfo="skip",
        line={"color": colours[1], "dash": "dot", "width": 1},
    )
    dashes = ("dash", "dashdot", "longdash", "longdashdot", "solid")
    for place, ranking in enumerate(sorted(curves, key=lambda name: name == chosen)):
        strong = ranking == chosen
        line = {"color": colours[0 if strong else 1], "width": 3 if strong else 1.5}
        line["dash"] = "solid" if strong else dashes[place % len(dashes)]
        figure.add_scatter(
            x=list(fractions),
            y=list(curves[ranking]),
            mode="lines",
            name=names.get(ranking, ranking),
            line=line,
            hovertemplate="look at %{x:.0%} → find %{y:.0%}<extra>" + names.get(ranking, "") + "</extra>",
        )
    figure.update_xaxes(title=tr("share of the training set looked at"), tickformat=".0%", range=[0, 1])
    figure.update_yaxes(title=tr("planted labels found"), tickformat=".0%", range=[0, 1.02])
    return _framed(figure, height=320).update_layout(showlegend=True, legend={"orientation": "h", "y": -0.3})


def checkpoint_curve(
    steps: Sequence[int],
    values: Sequence[float],
    used: Sequence[bool],
    *,
    what: str,
    colours: tuple[str, str],
) -> go.Figure:
    """A number of each checkpoint, such as its training loss, as a small curve.

    Args:
        steps: Optimizer steps, rising.
        values: The number at each.
        used: Whether the checkpoint counts.
        what: What the number is, in our own words.
        colours: Of those that count, and of the others.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=list(steps),
        y=list(values),
        mode="lines+markers",
        line={"color": colours[1], "width": 2},
        marker={"size": 10, "color": [colours[0] if one else colours[1] for one in used]},
        hovertemplate=f"step %{{x}}: {what} %{{y:.3g}}<extra></extra>",
    )
    figure.update_xaxes(title=tr("step"))
    figure.update_yaxes(title=what, rangemode="tozero")
    return _framed(figure, height=160)


def _framed(figure: go.Figure, *, height: int) -> go.Figure:
    return figure.update_layout(
        height=height, margin={"l": 8, "r": 8, "t": 8, "b": 8}, showlegend=False, bargap=0, dragmode=False
    )


def _is_spread(values: np.ndarray) -> bool:
    if values.min() < 0 or values.max() <= 0:
        return False
    return bool(values.max() / max(np.quantile(values, 0.05), _smallest(values)) > 100)


def _smallest(values: np.ndarray) -> float:
    # Zeros have no logarithm; more than ten powers of ten of tail would squeeze everything else.
    positive = values[values > 0]
    return float(max(positive.min(), positive.max() * 1e-10))


def _powers(low: float, high: float) -> dict[str, Any]:
    powers = np.arange(np.ceil(low), np.floor(high) + 1)
    powers = powers[:: max(1, len(powers) // 6)]
    return {"tickvals": powers.tolist(), "ticktext": [f"10<sup>{int(power)}</sup>" for power in powers]}
