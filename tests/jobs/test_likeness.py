"""Likeness answers what ``neighbors.similar`` does, from float32 products."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracin_viz.errors import InputError
from tracin_viz.explore.neighbors import similar
from tracin_viz.jobs.likeness import Likeness


def assert_same(values, query, *, top, exclude):
    parts = np.array_split(values, 3)
    found = Likeness(parts).similar(query, top=top, exclude=exclude)
    expected = similar(values, query, top=top, exclude=exclude)
    np.testing.assert_array_equal(found.most, expected.most)
    np.testing.assert_array_equal(found.least, expected.least)
    np.testing.assert_allclose(found.most_cosine, expected.most_cosine, atol=1e-12)
    np.testing.assert_allclose(found.least_cosine, expected.least_cosine, atol=1e-12)


@pytest.mark.parametrize("top", [1, 10, 300])
def test_likeness_equals_exact_cosines_of_all(top):
    draw = np.random.default_rng(0)
    values = draw.normal(size=(1000, 33)) * draw.uniform(1e-6, 9, (1000, 1)) ** 4
    values = values.astype(np.float16)
    values[[3, 500]] = 0
    values[7, 2] = np.nan
    values[8] = 65504
    assert_same(values, draw.normal(size=33), top=top, exclude=np.array([1, 999]))
    assert_same(values, np.zeros(33), top=top, exclude=np.zeros(0, np.int64))


# Copies, and rows that differ by the last bit of float16: their cosines differ by less than float32 can say.
@settings(max_examples=40, deadline=None)
@given(
    kinds=st.lists(st.integers(0, 7), min_size=3, max_size=80),
    scale=st.sampled_from([1.0, 1e-6, 200.0]),
    top=st.integers(1, 12),
)
def test_rows_that_are_all_but_equal_are_ordered_as_by_exact_cosines(kinds, scale, top):
    draw = np.random.default_rng(1)
    base = draw.normal(size=(1, 24)) * (1 + 1e-3 * draw.normal(size=(8, 24)))
    values = (scale * base[kinds]).astype(np.float16)
    assert_same(values, draw.normal(size=24), top=top, exclude=np.zeros(0, np.int64))


def test_rows_are_found_whatever_part_they_are_in():
    values = np.random.default_rng(2).normal(size=(20, 4)).astype(np.float16)
    rows = np.array([19, 0, 7, 7, 12])
    np.testing.assert_array_equal(Likeness(np.array_split(values, 6)).rows(rows), values[rows])


def test_widths_that_differ_are_refused():
    with pytest.raises(InputError, match="do not fit a query of 3"):
        Likeness([np.ones((2, 4), np.float16)]).similar(np.ones(3), top=1, exclude=np.zeros(0, np.int64))
