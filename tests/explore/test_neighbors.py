from __future__ import annotations

import numpy as np
import pytest

from tracin_viz.errors import InputError
from tracin_viz.explore import neighbors
from tracin_viz.explore.neighbors import cosines, similar


@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_cosines_equal_their_formula_across_blocks(kind, monkeypatch):
    monkeypatch.setattr(neighbors, "BLOCK", 7)
    rng = np.random.default_rng(0)
    embeddings, query = rng.normal(size=(50, 9)).astype(kind), rng.normal(size=9).astype(kind)
    wide, target = embeddings.astype(float), query.astype(float)
    expected = [row @ target / (np.linalg.norm(row) * np.linalg.norm(target)) for row in wide]
    np.testing.assert_allclose(cosines(embeddings, query), expected, rtol=1e-12)


def test_most_and_least_are_opposite_ends_and_ties_go_by_row():
    base = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    found = similar(np.tile(base, (4, 1)).astype(np.float32), np.array([2.0, 0.0]), top=3)
    assert found.most.tolist() == [0, 3, 6] and found.most_cosine.tolist() == [1, 1, 1]
    assert found.least.tolist() == [2, 5, 8] and found.least_cosine.tolist() == [-1, -1, -1]


def test_cosines_that_differ_only_by_rounding_are_ordered_by_row():
    rng = np.random.default_rng(1)
    embeddings = rng.normal(size=33) * rng.lognormal(size=(200, 1))
    query = rng.normal(size=33)
    assert len(np.unique(cosines(embeddings, query))) > 1
    found = similar(embeddings, query, top=200)
    assert found.most.tolist() == found.least.tolist() == list(range(200))


def test_the_query_itself_and_rows_without_direction_are_left_out():
    embeddings = np.eye(4, dtype=np.float32)
    embeddings[1] = 0
    embeddings[2, 0] = np.nan
    found = similar(embeddings, np.ones(4), exclude=0)
    assert found.most.tolist() == [3] and found.least.tolist() == [3]
    assert similar(embeddings, np.zeros(4)).most.size == 0


def test_widths_that_differ_are_refused():
    with pytest.raises(InputError, match="do not fit a query of 3"):
        cosines(np.ones((2, 4)), np.ones(3))
