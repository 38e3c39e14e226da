"""Charts are pure: bins instead of raw values, ids beside points, nothing read as formatting."""

from __future__ import annotations

import numpy as np
import pandas
import pytest

from tracin_viz.ui import charts


def bars(scores: np.ndarray, threshold: float):
    figure = charts.histogram(scores, threshold, marked="#E69F00", rest="#999999", direction="more")
    return figure, figure.data[0]


def test_every_finite_score_is_counted_once():
    scores = np.r_[np.random.default_rng(0).normal(size=5_000), np.nan, np.inf]
    _, bar = bars(scores, 1.0)
    assert sum(bar.y) == 5_000
    assert len(bar.x) == charts.BINS


def test_bars_from_the_threshold_on_are_marked():
    scores = np.linspace(0, 1, 1_000)
    _, bar = bars(scores, 0.8)
    marked = [x for x, colour in zip(bar.x, bar.marker.color, strict=True) if colour == "#E69F00"]
    assert min(marked) >= 0.8
    assert max(x for x in bar.x if x not in marked) < 0.8


def test_a_heavy_tail_gets_a_logarithmic_axis_and_zeros_do_not_break_it():
    scores = np.r_[np.random.default_rng(0).lognormal(0, 3, 2_000), 0.0]
    figure, bar = bars(scores, float(np.quantile(scores, 0.9)))
    assert figure.layout.xaxis.ticktext
    assert sum(bar.y) == 2_001
    assert np.isfinite(bar.x).all()


@pytest.mark.parametrize("scores", [np.array([]), np.array([np.nan]), np.zeros(5), np.full(3, -2.0)])
def test_empty_and_constant_scores_draw_without_error(scores: np.ndarray):
    figure = charts.histogram(scores, 0.0, marked="#E69F00", rest="#999999", direction="more")
    assert figure.to_json()


def test_points_carry_ids_not_row_numbers():
    points = pandas.DataFrame(
        {
            "id": ["train:5", "train:2", "train:9"],
            "x": [0.0, 1.0, 2.0],
            "y": [0.0, 1.0, 2.0],
            "group": ["<b>a</b>", "b", "<b>a</b>"],
            "hover": ["", "", ""],
        }
    )
    figure = charts.influence_map(points, [("<b>a</b>", "#0072B2"), ("b", "#E69F00")])
    assert list(figure.data[0].customdata) == ["train:5", "train:9"]
    assert list(figure.data[1].customdata) == ["train:2"]
    assert figure.data[0].name == "&lt;b&gt;a&lt;/b&gt;"
    assert {trace.type for trace in figure.data} == {"scattergl"}


def test_the_chosen_ranking_is_drawn_last_and_strongest():
    curves = {"self-influence": [0, 1], "aum": [0, 0.5]}
    figure = charts.recovery(
        curves, [0, 1], chosen="self-influence", names={}, colours=("#E69F00", "#999999")
    )
    assert figure.data[0].name == "random"
    assert figure.data[-1].name == "self-influence"
    assert figure.data[-1].line.width > figure.data[-2].line.width
