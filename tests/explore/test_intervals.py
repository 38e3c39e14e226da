"""Intervals cover what they say they cover."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tracin_viz.explore.intervals import over_examples, over_seeds


def test_the_interval_over_seeds_is_that_of_students_t_test():
    values = np.array([0.02, 0.05, 0.03, 0.01, 0.04])
    found = over_seeds(values)
    low, high = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    assert (found.mean, found.low, found.high) == pytest.approx((values.mean(), low, high))
    assert found.sign == 1
    assert found.over == "seeds"


def test_one_seed_has_a_mean_and_no_interval():
    found = over_seeds([0.5])
    assert (found.mean, found.low, found.high, found.sign) == (0.5, None, None, 0)
    assert over_seeds([]).mean is None


def test_the_bootstrap_over_examples_covers_the_true_mean_nineteen_times_in_twenty():
    random = np.random.default_rng(3)
    hits = 0
    for trial in range(200):
        found = over_examples(random.exponential(1.0, size=120), seed=trial)
        hits += found.low <= 1.0 <= found.high
    assert 180 <= hits <= 198


def test_the_bootstrap_is_repeatable_and_leaves_out_what_is_not_finite():
    values = np.random.default_rng(0).normal(size=50)
    once, again = over_examples(values), over_examples(np.append(values, np.nan))
    assert once == again
    assert once.sign == 0


def test_more_examples_than_fit_at_once_give_the_same_kind_of_interval():
    values = np.random.default_rng(1).normal(1.0, 1.0, size=30_000)
    found = over_examples(values)
    standard_error = values.std() / np.sqrt(len(values))
    assert found.high - found.low == pytest.approx(2 * 1.96 * standard_error, rel=0.1)
