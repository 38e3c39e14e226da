from __future__ import annotations

import numpy as np
import pytest

from tracin_viz.errors import InputError
from tracin_viz.explore.suspects import (
    RANKINGS,
    SINGLE,
    order,
    percentiles,
    scores,
    suggestions,
    votes,
)


def measured(seed=0, checkpoints=3, count=40):
    rng = np.random.default_rng(seed)
    return {
        "self_influence": rng.gamma(1.0, size=(checkpoints, count)),
        "loss": rng.gamma(1.0, size=(checkpoints, count)).astype(np.float32),
        "margin": rng.normal(size=(checkpoints, count)).astype(np.float32),
        "learning_rates": [0.1, 0.05, 0.2][:checkpoints],
    }


def slow_score(ranking, m, row):
    if ranking == "agreement":
        every = [[slow_score(one, m, each) for each in range(40)] for one in SINGLE]
        return float(np.mean([percentiles(column)[row] for column in every]))
    total = 0.0
    k = len(m["learning_rates"])
    for i, rate in enumerate(m["learning_rates"]):
        total += {
            "self-influence": rate * m["self_influence"][i][row],
            "gradient-norm": float(m["self_influence"][i][row]) ** 0.5 / k,
            "loss": float(m["loss"][i][row]) / k,
            "aum": -float(m["margin"][i][row]) / k,
        }[ranking]
    return total


@pytest.mark.parametrize("ranking", RANKINGS)
def test_scores_equal_their_formula_example_by_example(ranking):
    m = measured()
    expected = [slow_score(ranking, m, row) for row in range(40)]
    np.testing.assert_allclose(scores(ranking, **m), expected, rtol=1e-12)


@pytest.mark.parametrize("ranking", RANKINGS)
def test_a_more_suspicious_example_scores_higher_in_every_ranking(ranking):
    m = measured()
    m["self_influence"][:, 5] *= 100
    m["loss"][:, 5] += 100
    m["margin"][:, 5] -= 100
    assert order(scores(ranking, **m))[0] == 5


@pytest.mark.parametrize("ranking", RANKINGS)
def test_an_example_that_is_not_finite_at_any_checkpoint_is_nan_and_last(ranking):
    m = measured()
    for name in ("self_influence", "loss", "margin"):
        m[name][1, 7] = np.nan
        m[name][2, 3] = np.inf
    result = scores(ranking, **m)
    assert np.flatnonzero(np.isnan(result)).tolist() == [3, 7]
    assert order(result)[-2:].tolist() == [3, 7]
    assert np.isnan(percentiles(result)[[3, 7]]).all()
    assert np.isfinite(np.delete(percentiles(result), [3, 7])).all()


def test_switching_a_checkpoint_off_changes_no_other_weight():
    m = measured()
    whole = scores("self-influence", **m)
    first = scores("self-influence", **{n: v[:1] for n, v in m.items()})
    rest = scores("self-influence", **{n: v[1:] for n, v in m.items()})
    np.testing.assert_allclose(whole, first + rest, rtol=1e-12)


def test_equal_scores_are_ordered_by_row_and_share_a_percentile():
    values = np.array([1.0, 5.0, 1.0, 5.0, 0.0])
    assert order(values).tolist() == [1, 3, 0, 2, 4]
    assert percentiles(values).tolist() == [40.0, 80.0, 40.0, 80.0, 10.0]


@pytest.mark.parametrize("seed", range(5))
def test_percentiles_are_the_share_below_plus_half_the_equal_ones(seed):
    values = np.random.default_rng(seed).integers(0, 20, size=57).astype(float)
    expected = [100 * (np.sum(values < v) + np.sum(values == v) / 2) / 57 for v in values]
    np.testing.assert_allclose(percentiles(values), expected)
    assert percentiles(values).mean() == pytest.approx(50.0)


def test_percentiles_of_nothing_are_nothing():
    assert percentiles(np.array([])).shape == (0,)
    assert np.isnan(percentiles(np.array([np.nan, np.nan]))).all()


@pytest.mark.parametrize("seed", range(8))
def test_the_suggestion_has_the_largest_probability_summed_over_checkpoints(seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 5, size=60)
    other = (labels + rng.integers(1, 5, size=(4, 60))) % 5
    probability = rng.integers(0, 5, size=(4, 60)) / 8  # eighths: sums are exact and ties do occur
    table = np.zeros((60, 5))
    for k in range(4):
        for row in range(60):
            table[row, other[k, row]] += probability[k, row]
    classes, confidence = suggestions(labels, other, probability)
    known = table.max(axis=1) > 0
    assert (classes[known] == table.argmax(axis=1)[known]).all()
    assert (classes[~known] == -1).all()
    np.testing.assert_allclose(confidence, table.max(axis=1) / 4)
    assert (classes != labels).all()


def test_the_given_label_and_unknown_probabilities_are_never_suggested():
    labels = np.array([0, 1])
    classes, confidence = suggestions(labels, [[0, 2], [3, 0]], [[0.9, np.nan], [0.1, 0.2]])
    assert classes.tolist() == [3, 0]
    assert confidence.tolist() == [0.05, 0.1]


def test_bad_requests_name_what_is_wrong():
    m = measured()
    with pytest.raises(InputError, match=r"'best'.*self-influence, aum, loss, gradient-norm"):
        scores("best", **m)
    with pytest.raises(InputError, match="one shape"):
        scores("loss", **{**m, "loss": m["loss"][:2]})
    with pytest.raises(InputError, match="learning rates"):
        scores("loss", **{**m, "learning_rates": [0.1]})
    with pytest.raises(InputError, match="missing"):
        scores("loss", **{**m, "learning_rates": [0.1, float("nan"), 0.1]})
    with pytest.raises(InputError, match="fit together"):
        suggestions([0, 1], [[1, 0]], [[0.5]])


def test_votes_count_the_rankings_that_have_an_example_near_their_top():
    every = [np.array([99.0, 90.0, 10.0, np.nan]), np.array([95.0, 89.9, 99.0, 99.0])]
    assert votes(every).tolist() == [2, 1, 1, 1]


def test_every_ranking_explains_itself_in_words():
    for name, ranking in RANKINGS.items():
        assert ranking.name == name
        assert all(text.endswith(".") for text in (ranking.explanation, ranking.good_for))
