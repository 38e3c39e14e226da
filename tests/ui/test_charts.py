"""Charts are pure: bins instead of raw values."""

from __future__ import annotations

import numpy as np
import pytest

from tracin_viz.ui import charts


def bars(scores: np.ndarray, threshold: float):
    figure = charts.histogram(scores, (threshold, np.inf), marked="#E69F00", rest="#999999", direction="more")
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
    figure = charts.histogram(scores, (0.0, np.inf), marked="#E69F00", rest="#999999", direction="more")
    assert figure.to_json()


def test_the_chosen_ranking_is_drawn_last_and_strongest():
    curves = {"self-influence": [0, 1], "aum": [0, 0.5]}
    figure = charts.recovery(
        curves, [0, 1], chosen="self-influence", names={}, colours=("#E69F00", "#999999")
    )
    assert figure.data[0].name == "Looking at random"
    assert figure.data[-1].name == "self-influence"
    assert figure.data[-1].line.width > figure.data[-2].line.width


def test_a_range_marks_what_lies_between_its_ends_and_a_place_is_a_score_again():
    scores = np.random.default_rng(1).lognormal(0, 3, 2_000)
    low, high = np.quantile(scores, [0.3, 0.8])
    figure = charts.histogram(scores, (low, high), marked="#E69F00", rest="#999999", direction="more")
    bar, axis = figure.data[0], charts.Axis.of(scores)
    assert axis.logarithmic
    for place, colour in zip(bar.x, bar.marker.color, strict=True):
        assert (colour == "#E69F00") == (low <= axis.score(place) <= high)
    assert len(figure.layout.shapes) == 2
    for score in (low, high):
        assert axis.score(float(axis.places(np.array([score]))[0])) == pytest.approx(score)
    plain = charts.Axis.of(np.linspace(-1, 1, 50))
    assert not plain.logarithmic
    assert plain.score(-0.25) == -0.25
