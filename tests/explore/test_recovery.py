from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from tracin_viz.errors import InputError
from tracin_viz.explore.recovery import auroc, average_precision, compare, recovery_curve, share_at


def drawn(seed):
    rng = np.random.default_rng(seed)
    planted = rng.random(200) < 0.1
    planted[0] = True
    return np.round(rng.normal(size=200) + 2 * planted, 1), planted  # rounded: with ties


@pytest.mark.parametrize("seed", range(6))
def test_areas_equal_those_of_scikit_learn_with_ties(seed):
    values, planted = drawn(seed)
    assert auroc(values, planted) == pytest.approx(roc_auc_score(planted, values))
    assert average_precision(values, planted) == pytest.approx(average_precision_score(planted, values))


@pytest.mark.parametrize("seed", range(4))
def test_the_curve_is_the_average_over_all_orders_of_equal_scores(seed):
    values, planted = drawn(seed)
    rng = np.random.default_rng(99)
    shares = []
    for _ in range(3000):
        shuffled = np.lexsort((rng.random(200), -values))
        shares.append(planted[shuffled][:40].mean() * 40 / planted.sum())
    assert share_at(values, planted, 0.2) == pytest.approx(np.mean(shares), abs=0.01)


def test_the_curve_rises_from_nothing_to_everything():
    fractions, shares = recovery_curve(*drawn(0))
    assert len(fractions) == 101 and fractions[20] == pytest.approx(0.2)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert (np.diff(shares) >= 0).all()


def test_a_perfect_ranking_finds_all_at_the_planted_share_and_a_constant_one_is_random():
    planted = np.arange(100) < 10
    assert share_at(-np.arange(100.0), planted, 0.1) == 1.0
    assert auroc(-np.arange(100.0), planted) == 1.0
    np.testing.assert_allclose(recovery_curve(np.ones(100), planted)[1], np.linspace(0, 1, 101))
    assert auroc(np.ones(100), planted) == 0.5


def test_examples_without_a_score_come_last():
    planted = np.array([True, False, False, False])
    assert share_at([np.nan, 1.0, -5.0, 2.0], planted, 0.75) == 0.0


def test_compare_gives_plain_numbers_for_each_ranking():
    values, planted = drawn(1)
    result = compare({"good": values, "bad": -values}, planted)
    assert result["planted"] == int(planted.sum()) and result["examples"] == 200
    assert result["at_20"]["good"] > 0.7 > result["at_20"]["bad"]
    assert result["curves"]["good"][20] == pytest.approx(result["at_20"]["good"])
    assert result["random"] == result["fractions"]
    assert all(type(share) is float for share in result["curves"]["bad"])


def test_without_planted_labels_there_is_nothing_to_recover():
    with pytest.raises(InputError, match="nothing to recover"):
        recovery_curve([1.0, 2.0], [False, False])
    with pytest.raises(InputError, match="one per example"):
        auroc([1.0, 2.0], [True])
