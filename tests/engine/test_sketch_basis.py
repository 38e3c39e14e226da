"""Sketches with a fitted basis: still unbiased, more accurate, and the same wherever seed and basis are."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from tests import oracles
from tests.engine.test_sketches import large_case
from tracin_viz.engine import Basis, Checkpoint, InfluenceEngine
from tracin_viz.engine.pilot import completion, kept_sides, leading
from tracin_viz.errors import InputError

KINDS = ["linear", "linear over positions", "convolution", "transposed convolution", "embedding"]


def engine_of(model, *, seed=0, dim=128, sketch="pca", **settings):
    points = [Checkpoint(model.state_dict(), 1.0)]
    return InfluenceEngine(model, points, sketch_dim=dim, sketch=sketch, seed=seed, device="cpu", **settings)


def sketches(model, data, **settings):
    return engine_of(model, **settings).sketches(data)[0].astype(np.float64)


def true_products(model, data):
    return oracles.BruteForce(model, [(model.state_dict(), 1.0)]).influence(data, data)


@pytest.mark.parametrize("kind", KINDS)
def test_inner_products_are_unbiased_for_examples_outside_the_pilot(kind):
    # The pilot is one example with one other input, so most of the gradients lie outside its directions.
    model, data = large_case(kind)
    other = [(data[0][0].flip(0), torch.tensor(1))]
    true = true_products(model, data)
    found = []
    for seed in range(40):
        engine = engine_of(model, seed=seed, dim=64)
        engine.fit_sketches(other)
        rows = engine.sketches(data)[0].astype(np.float64)
        found.append(rows @ rows.T)
    mean, spread = np.mean(found, 0), np.std(found, 0, ddof=1)
    allowed = 5 * spread / np.sqrt(len(found)) + 1e-4 * np.abs(true).max()
    assert (np.abs(mean - true) <= allowed).all(), f"ratio of the means {mean / true}"


@pytest.mark.parametrize("kind", KINDS)
def test_a_basis_is_closer_than_random_maps_on_the_data_it_was_fitted_to(kind):
    model, data = large_case(kind)
    true = true_products(model, data)

    def error(sketch):
        rows = [sketches(model, data, seed=seed, sketch=sketch, dim=2048) for seed in range(4)]
        return np.sqrt(np.mean([np.square(row @ row.T - true) for row in rows]))

    assert error("pca") < 0.8 * error("random")


def test_a_gradient_smaller_than_the_sketch_is_kept_exactly():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 3), nn.LayerNorm(3), nn.Linear(3, 3))
    data = [(torch.randn(4), torch.tensor(row % 3)) for row in range(5)]
    found = sketches(model, data, dim=128)
    assert oracles.relative_error(found @ found.T, true_products(model, data)) <= 1e-6


@pytest.mark.parametrize("kind", ["convolution", "embedding"])
def test_batch_size_changes_nothing(kind):
    model, data = large_case(kind)
    alone = sketches(model, data, batch_size=1)
    assert oracles.relative_error(sketches(model, data, batch_size=3), alone) <= 1e-5


def test_a_stored_basis_gives_another_engine_the_same_bytes():
    model, data = large_case("convolution")
    first = engine_of(model)
    expected = first.sketches(data)
    stored = Basis.from_state({key: value.clone() for key, value in first.sketch_basis.state().items()})
    again = engine_of(model, sketch=stored)
    np.testing.assert_array_equal(again.sketches(data[2:]), expected[:, 2:])
    assert again.sketch_blocks() == first.sketch_blocks()


@pytest.mark.parametrize("kind", ["convolution", "embedding"])
def test_a_basis_fitted_again_to_the_same_pilot_has_the_same_bytes_on_the_disk(kind, tmp_path):
    model, data = large_case(kind)
    told = []
    for name in "ab":
        engine_of(model).fit_sketches(data, on_batch=told.append).save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert any(side is not None for pair in Basis.load(tmp_path / "a").maps.values() for side in pair)
    assert told[-1] == 2 * len(data)  # one checkpoint, two sweeps
    (tmp_path / "a").write_bytes(b"no tensors")
    with pytest.raises(InputError, match="no sketch basis"):
        Basis.load(tmp_path / "a")


def test_blocks_cover_the_columns_once_and_hold_only_their_layers():
    model, data = large_case("linear")
    engine = engine_of(model, dim=100)
    rows = engine.sketches(data)[0]
    edges = [(block.start, block.stop) for block in engine.sketch_blocks()]
    assert edges[0][0] == 0
    assert edges[-1][1] == 100
    assert all(a[1] == b[0] for a, b in pairwise(edges))
    state = {name: value.clone() for name, value in model.state_dict().items()}
    last = next(block for block in engine.sketch_blocks() if "2" in block.layers)
    state["2.weight"] = torch.zeros_like(state["2.weight"])  # then nothing flows back to the first layer
    body = InfluenceEngine(
        model, [Checkpoint(state, 1.0)], sketch_dim=100, sketch=engine.sketch_basis, device="cpu"
    )
    without = body.sketches(data)[0]
    outside = np.ones(100, bool)
    outside[last.start : last.stop] = False
    assert np.abs(rows[:, outside]).max() > 0
    np.testing.assert_array_equal(without[:, outside], 0)
    assert np.abs(without[:, ~outside]).max() > 0


def test_a_basis_of_another_model_or_seed_and_unknown_kinds_are_refused():
    model, data = large_case("linear")
    basis = engine_of(model).fit_sketches(data)
    with pytest.raises(InputError, match="seed"):
        engine_of(model, sketch=basis, seed=1).sketches(data)
    other, rows = large_case("convolution")
    with pytest.raises(InputError, match="parameters"):
        engine_of(other, sketch=basis).sketches(rows)
    with pytest.raises(InputError, match="random"):
        engine_of(model, sketch="svd")
    with pytest.raises(InputError, match="after data"):
        engine_of(model).sketch_blocks()
    with pytest.raises(InputError, match="no sketch basis"):
        Basis.from_state({})


def test_leading_directions_are_orthonormal_and_span_a_low_rank_pilot():
    torch.manual_seed(1)
    rows = torch.randn(30, 3) @ torch.randn(3, 20)
    found = leading(rows, 8)
    assert found.shape == (3, 20)
    assert torch.allclose(found @ found.t(), torch.eye(3), atol=1e-6)
    assert torch.allclose(rows @ found.t() @ found, rows, atol=1e-4)
    whole = torch.cat([found, completion(found)])
    assert torch.allclose(whole @ whole.t(), torch.eye(20), atol=1e-5)
    assert kept_sides((10,)) == (None, None)
    assert leading(torch.zeros(4, 20), 8).shape == (0, 20)
