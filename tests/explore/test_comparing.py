"""How far two answers agree: lists by hand, ranks against slow twins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from tracin_viz.errors import InputError
from tracin_viz.explore.comparing import agreement, overlap

SCORES = st.lists(
    st.tuples(st.one_of(st.integers(-3, 3).map(float), st.just(float("nan"))), st.integers(-3, 3).map(float)),
    min_size=1,
    max_size=40,
)


def test_lists_agree_in_members_whatever_their_places():
    found = overlap(["a", "b", "c", "d"], ["d", "x", "a"])
    assert found.both == ("a", "d")
    assert found.places == {"a": (1, 3), "d": (4, 1)}
    assert found.share == 2 / 4
    assert overlap(["a"], ["a"]).share == 1
    assert np.isnan(overlap([], []).share)


@given(SCORES, st.integers(1, 50))
def test_the_rank_correlation_and_the_tops_are_those_of_the_slow_twins(
    pairs: list[tuple[float, float]], top: int
):
    left, right = map(np.array, zip(*pairs, strict=True))
    found = agreement(left, right, top)
    kept = [row for row, pair in enumerate(pairs) if np.isfinite(pair).all()]
    assert found.compared == len(kept)
    tops = [sorted(kept, key=lambda row: (-scores[row], row))[:top] for scores in (left, right)]
    assert found.both == len(set(tops[0]) & set(tops[1]))
    assert found.left_only.tolist() == [row for row in tops[0] if row not in tops[1]]
    assert found.right_only.tolist() == [row for row in tops[1] if row not in tops[0]]
    if len({left[row] for row in kept}) > 1 and len({right[row] for row in kept}) > 1:
        assert found.spearman == pytest.approx(spearmanr(left[kept], right[kept]).statistic)
    else:
        assert np.isnan(found.spearman)


def test_rankings_of_different_examples_are_refused():
    with pytest.raises(InputError, match="3 and 2"):
        agreement([1, 2, 3], [1, 2], 1)
    with pytest.raises(InputError):
        agreement([1.0], [1.0], 0)
