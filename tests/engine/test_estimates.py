"""The expected error of sketched scores, from pairs of which both are known; embeddings."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from tests import oracles
from tests.engine.cases import Flow
from tests.engine.test_preconditioners import Trained
from tests.engine.test_sketches import large_case
from tracin_viz.engine import Checkpoint, InfluenceEngine, sketch_error
from tracin_viz.errors import InputError


def engine_of(kind: str, dim: int, **settings):
    model, data = large_case(kind)
    state = {name: value.clone() for name, value in model.state_dict().items()}
    points = [Checkpoint(state, 0.1), Checkpoint({k: 1.1 * v for k, v in state.items()}, 0.03)]
    return InfluenceEngine(model, points, sketch_dim=dim, device="cpu", **settings), data


def test_known_errors_come_back_in_units_of_the_norms():
    draw = np.random.default_rng(1)
    norms, query_norms = draw.uniform(0.1, 10, 400), draw.uniform(0.1, 10, 50)
    exact = draw.normal(size=(50, 400))
    noise = 0.05 * draw.normal(size=(50, 400)) + 0.01
    found = sketch_error(exact + noise * np.outer(query_norms, norms), exact, norms, query_norms)
    assert found.pairs == 20000
    assert found.relative_rms == pytest.approx(np.sqrt(0.05**2 + 0.01**2), rel=0.03)
    assert found.bias == pytest.approx(0.01, abs=0.002)
    expected = found.relative_rms * query_norms[3] * norms[7]
    assert found.standard_error(norms, query_norms)[3, 7] == pytest.approx(expected)


def test_pairs_that_are_not_finite_or_have_no_direction_are_left_out():
    exact = np.array([[1.0, np.nan, 3.0, 0.0]])
    found = sketch_error(exact + 0.5, exact, np.array([1.0, 1.0, 2.0, 0.0]), np.array([1.0]))
    assert found.pairs == 2
    assert found.relative_rms == pytest.approx(np.sqrt((0.5**2 + 0.25**2) / 2))
    none = sketch_error(exact[:, 3:], exact[:, 3:], np.zeros(1), np.ones(1))
    assert none.pairs == 0
    assert np.isnan(none.relative_rms)


def test_scores_of_other_pairs_are_refused():
    with pytest.raises(InputError, match="do not belong"):
        sketch_error(np.zeros((2, 3)), np.zeros((2, 3)), np.ones(2), np.ones(3))


@pytest.mark.parametrize("kind", ["linear", "convolution"])
def test_the_error_is_that_of_the_sketches_against_brute_force(kind):
    engine, data = engine_of(kind, 256)
    found = engine.sketch_error(data, data)
    states = [(point.weights, point.learning_rate) for point in engine.checkpoints]
    oracle = oracles.BruteForce(large_case(kind)[0], states)
    rows = engine.sketches(data).astype(np.float64)
    sketched = sum(rate * s @ s.T for s, (_, rate) in zip(rows, states, strict=True))
    norms = np.sqrt(oracle.self_influence(data))
    relative = (sketched - oracle.influence(data, data)) / np.outer(norms, norms)
    assert found.pairs == len(data) ** 2
    assert found.relative_rms == pytest.approx(np.sqrt(np.square(relative).mean()), rel=1e-3)
    assert found.bias == pytest.approx(relative.mean(), rel=1e-2, abs=1e-6)


def test_a_larger_sketch_has_a_smaller_error_and_the_seed_chooses_the_pairs():
    errors = []
    for dim in (64, 4096):
        engine, data = engine_of("linear", dim)
        errors.append(engine.sketch_error(data, data).relative_rms)
    assert errors[1] < 0.5 * errors[0]
    some = engine.sketch_error(data, data, pairs=4, seed=3)
    assert some.pairs == 4
    assert engine.sketch_error(data, data, pairs=4, seed=3) == some


def test_rates_per_parameter_have_no_sketched_score():
    model, data = large_case("linear")
    engine = InfluenceEngine(model, [Checkpoint(model.state_dict(), {"bias": 0.1, ".": 0.2})], device="cpu")
    with pytest.raises(InputError, match="per parameter"):
        engine.sketch_error(data, data)


@pytest.mark.parametrize("kind", ["second_moment", "adam"])
def test_sketches_of_preconditioned_gradients_keep_the_preconditioned_products(kind):
    # A model smaller than the sketch is kept exactly, so the products must agree, not only in expectation.
    trained = Trained("linear_mlp")
    engine = trained.engine(sketch_dim=512)
    train, queries = trained.case.train, trained.case.queries
    ours, theirs = engine.sketches(train, preconditioner=kind), engine.sketches(queries)
    rates = [point.learning_rate for point in engine.checkpoints]
    found = sum(rate * b @ a.T for rate, a, b in zip(rates, ours, theirs, strict=True))
    exact = engine.influence(train, queries, preconditioner=kind)
    assert oracles.relative_error(found, exact) <= 1e-4


# ---- embeddings -----------------------------------------------------------------------------------------


class Pooled(nn.Module):
    """A linear layer over positions, pooled, and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = nn.Linear(4, 7), nn.Linear(7, 3)

    def forward(self, x):
        """Logits."""
        return self.head(self.body(x).tanh().mean(1))


def test_embeddings_are_the_inputs_of_the_last_layer_at_each_checkpoint():
    torch.manual_seed(2)
    model = Pooled()
    states = [{name: value + 0.3 * k for name, value in model.state_dict().items()} for k in range(2)]
    data = [(torch.randn(5, 4), torch.tensor(row % 3)) for row in range(7)]
    engine = InfluenceEngine(model, [Checkpoint(s, 0.1) for s in states], device="cpu", batch_size=3)
    for place, state in ((0, states[0]), (-1, states[1]), (1, states[1])):
        twin = Pooled().double()
        twin.load_state_dict(state)
        inputs = torch.stack([x for x, _ in data]).double()
        true = twin.body(inputs).tanh().mean(1).detach().numpy()
        found = engine.embeddings(data, checkpoint=place)
        assert found.dtype == np.float32
        assert oracles.relative_error(found, true) <= 1e-5
        np.testing.assert_allclose(found, engine.measure(data, place).embedding, rtol=1e-6)


def test_a_model_without_a_last_layer_has_empty_embeddings():
    model = Flow(lambda m, x: x * m.scale, scale=nn.Parameter(torch.randn(3)))
    data = [(torch.randn(3), torch.tensor(row % 3)) for row in range(4)]
    engine = InfluenceEngine(model, [Checkpoint(model.state_dict(), 0.1)], device="cpu")
    assert engine.embeddings(data).shape == (4, 0)
    with pytest.raises(InputError, match="no checkpoint 1"):
        engine.embeddings(data, checkpoint=1)
