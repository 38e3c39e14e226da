from __future__ import annotations

import sys

import numpy as np
import pytest

from tracin_viz.errors import InputError
from tracin_viz.explore import principal
from tracin_viz.explore.influence_map import build_map
from tracin_viz.explore.principal import reduce_unit_rows, unit_scales


def blobs(seed=0, count=120, groups=4, width=200, spread=0.15):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(groups, width))
    member = rng.integers(0, groups, size=count)
    vectors = centres[member] + spread * rng.normal(size=(count, width))
    vectors *= rng.lognormal(sigma=3, size=(count, 1))  # lengths over orders of magnitude
    return vectors.astype(np.float32), member


def exact_components(vectors, dimensions):
    unit = vectors.astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    unit -= unit.mean(axis=0)
    left, sizes, _ = np.linalg.svd(unit, full_matrices=False)
    return (left * sizes)[:, :dimensions]


def test_components_equal_an_exact_decomposition_of_unit_rows_across_blocks(monkeypatch):
    monkeypatch.setattr(principal, "BLOCK", 17)
    vectors, _ = blobs(spread=0.02)
    found = reduce_unit_rows(vectors, unit_scales(vectors), dimensions=3, seed=0)
    exact = exact_components(vectors, 3)
    np.testing.assert_allclose(np.abs(found), np.abs(exact), atol=1e-4)
    assert (found[np.abs(found).argmax(axis=0), np.arange(3)] > 0).all()


def test_distances_between_reduced_rows_are_those_of_the_unit_vectors():
    vectors, _ = blobs(count=40)
    reduced = reduce_unit_rows(vectors, unit_scales(vectors), dimensions=50, seed=0)
    assert reduced.shape == (40, 40)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    expected = np.sqrt(np.maximum(0, 2 - 2 * unit.astype(float) @ unit.astype(float).T))
    distances = np.linalg.norm(reduced[:, None] - reduced[None], axis=2)
    np.testing.assert_allclose(distances, expected, atol=1e-3)


@pytest.mark.parametrize("factor", [1e-12, 1e-3, 1e12])
def test_the_length_of_the_vectors_does_not_change_the_components(factor):
    vectors, _ = blobs(spread=0.05)
    plain = reduce_unit_rows(vectors, unit_scales(vectors), dimensions=4, seed=0)
    scaled = (vectors * factor).astype(np.float32)
    np.testing.assert_allclose(
        reduce_unit_rows(scaled, unit_scales(scaled), dimensions=4, seed=0), plain, atol=1e-4
    )


def test_rows_without_direction_are_flagged_and_change_nothing_for_the_others():
    vectors, _ = blobs()
    spoiled = np.insert(vectors, [0, 30, 120], 0.0, axis=0)
    spoiled[31, 5], spoiled[122, 7] = np.nan, np.inf
    kept = np.delete(np.arange(123), [0, 31, 122])
    result, clean = build_map(spoiled), build_map(vectors)
    assert np.flatnonzero(result.left_out).tolist() == [0, 31, 122]
    assert np.isnan(result.coordinates[result.left_out]).all()
    assert np.isnan(result.reduced[result.left_out]).all()
    np.testing.assert_allclose(result.reduced[kept], clean.reduced, atol=1e-5)
    assert "3 of 123 examples have no usable gradient" in result.note


def test_the_map_keeps_groups_together_and_is_the_same_every_time():
    vectors, member = blobs()
    before = vectors.copy()
    result = build_map(vectors, seed=3)
    assert result.method == "umap" and result.note == ""
    assert result.coordinates.shape == (120, 2) and result.coordinates.dtype == np.float32
    distances = np.linalg.norm(result.coordinates[:, None] - result.coordinates[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (member[distances.argmin(axis=1)] == member).mean() > 0.98
    np.testing.assert_array_equal(result.coordinates, build_map(vectors, seed=3).coordinates)
    assert not np.array_equal(result.coordinates, build_map(vectors, seed=4).coordinates)
    np.testing.assert_array_equal(vectors, before)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 99, 100, 101])
def test_any_number_of_examples_gets_a_place(count):
    vectors, _ = blobs(count=count, width=30)
    result = build_map(vectors)
    assert result.coordinates.shape == (count, 2)
    assert np.isfinite(result.coordinates).all()
    assert result.method == ("umap" if count >= 100 else "pca")


def test_identical_narrow_and_empty_vectors_still_give_a_map():
    same = build_map(np.ones((140, 8), dtype=np.float32))
    assert np.isfinite(same.coordinates).all()
    narrow = build_map(np.random.default_rng(0).normal(size=(140, 1)).astype(np.float32))
    assert np.isfinite(narrow.coordinates).all()
    nothing = build_map(np.zeros((140, 8), dtype=np.float32))
    assert np.isnan(nothing.coordinates).all() and "140 of 140" in nothing.note


def test_many_copies_of_few_vectors_still_give_a_map():
    vectors, member = blobs(count=190, spread=0.0)
    result = build_map(vectors)
    assert np.isfinite(result.coordinates).all()
    middles = np.array([result.coordinates[member == group].mean(axis=0) for group in range(4)])
    nearest = np.linalg.norm(result.coordinates[:, None] - middles[None], axis=2).argmin(axis=1)
    assert (nearest == member).all()


def test_where_umap_fails_the_map_shows_components_and_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)  # importing it now raises ImportError
    vectors, _ = blobs(count=130)
    result = build_map(vectors)
    assert result.method == "pca" and "UMAP failed" in result.note
    np.testing.assert_array_equal(result.coordinates, result.reduced[:, :2])


def test_something_that_is_no_matrix_is_refused():
    with pytest.raises(InputError, match=r"\(3,\)"):
        build_map(np.ones(3))
