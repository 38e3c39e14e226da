"""The interval of a share, against scipy's."""

from __future__ import annotations

import pytest
from scipy.stats import binomtest

from tracin_viz.errors import InputError
from tracin_viz.explore.noise import Reviewed, wilson


@pytest.mark.parametrize(
    ("found", "asked"), [(0, 1), (1, 1), (0, 40), (40, 40), (3, 17), (71, 120), (500, 9_999)]
)
def test_the_interval_is_wilson_s(found: int, asked: int):
    expected = binomtest(found, asked).proportion_ci(0.95, method="wilson")
    assert wilson(found, asked) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_nothing_reviewed_is_no_estimate():
    nothing = Reviewed("cat", examples=500, reviewed=0, wrong=0, undecided=2)
    assert nothing.share is None
    assert nothing.interval is None
    with pytest.raises(InputError, match="no share"):
        wilson(0, 0)
    with pytest.raises(InputError, match="2 of 1"):
        wilson(2, 1)
