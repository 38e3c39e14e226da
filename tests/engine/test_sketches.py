"""Sketches keep inner products in expectation: E⟨s(z), s(z')⟩ = ⟨∇ℓ(z), ∇ℓ(z')⟩, for every layer shape.

The mean over many seeds is compared with the exact product; a factor that depends on the layer's shape (a
missing 1/√m, rows normalised instead of the map) shows up as a mean that is off by that factor.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from tests import oracles
from tests.engine import cases_hugging_face, cases_layers, cases_models  # noqa: F401 - they register
from tests.engine.cases import ARCHITECTURES, RATES
from tracin_viz.engine import Checkpoint, InfluenceEngine

SEEDS = 60


def large_case(kind: str):
    """A model whose layers are large enough to be mapped on both sides, with its data."""
    torch.manual_seed(3)
    bodies = {
        "linear": (nn.Sequential(nn.Linear(150, 200), nn.Tanh(), nn.Linear(200, 3)), (150,)),
        "linear over positions": (
            nn.Sequential(nn.Linear(150, 200), nn.Tanh(), nn.Flatten(), nn.Linear(1000, 3)),
            (5, 150),
        ),
        "convolution": (
            nn.Sequential(
                nn.Conv2d(16, 80, 3, stride=2, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(720, 3)
            ),
            (16, 6, 6),
        ),
        "transposed convolution": (
            nn.Sequential(
                nn.ConvTranspose2d(80, 24, 3, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(600, 3)
            ),
            (80, 2, 2),
        ),
        "embedding": (nn.Sequential(nn.Embedding(400, 80), nn.Flatten(), nn.Linear(480, 3)), (6,)),
    }
    model, shape = bodies[kind]
    inputs = torch.randint(0, 400, (4, *shape)) if kind == "embedding" else torch.randn(4, *shape)
    if kind == "embedding":
        inputs[:, 2] = inputs[0, 0]  # shared tokens, so that the table's part is not zero
    data = [(inputs[row], torch.tensor(row % 3)) for row in range(4)]
    return model, data


def sketches(model, data, *, seed=0, dim=128, **settings):
    engine = InfluenceEngine(
        model, [Checkpoint(model.state_dict(), 1.0)], sketch_dim=dim, seed=seed, device="cpu", **settings
    )
    return engine.sketches(data)[0].astype(np.float64)


@pytest.mark.parametrize(
    "kind", ["linear", "linear over positions", "convolution", "transposed convolution", "embedding"]
)
def test_inner_products_are_unbiased(kind):
    model, data = large_case(kind)
    oracle = oracles.BruteForce(model, [(model.state_dict(), 1.0)])
    true = oracle.influence(data, data)
    found = np.stack([s @ s.T for s in (sketches(model, data, seed=seed) for seed in range(SEEDS))])
    error = found.mean(0) - true
    # Five standard errors of the mean, from the spread over seeds itself; a wrong scale is far outside.
    allowed = 5 * found.std(0, ddof=1) / np.sqrt(SEEDS) + 1e-4 * np.abs(true).max()
    assert (np.abs(error) <= allowed).all(), f"ratio of the means {found.mean(0) / true}"
    spread = found.std(0, ddof=1).max() / np.abs(true).max()
    assert spread < 0.6, f"{kind}: one seed is off by {spread:.0%} of the largest product"


def test_a_gradient_smaller_than_the_sketch_is_kept_exactly():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 3), nn.LayerNorm(3), nn.Linear(3, 3))
    data = [(torch.randn(4), torch.tensor(row % 3)) for row in range(5)]
    found = sketches(model, data, dim=128)
    true = oracles.BruteForce(model, [(model.state_dict(), 1.0)]).influence(data, data)
    assert oracles.relative_error(found @ found.T, true) <= 1e-6


def test_a_larger_sketch_is_closer():
    model, data = large_case("convolution")
    true = oracles.BruteForce(model, [(model.state_dict(), 1.0)]).influence(data, data)

    def error(dim):
        found = np.stack([s @ s.T for s in (sketches(model, data, seed=seed, dim=dim) for seed in range(12))])
        return np.sqrt(np.square(found - true).mean())

    assert error(1024) < 0.7 * error(64)


def test_same_seed_gives_the_same_bytes_and_another_seed_another_map():
    model, data = large_case("linear")
    first = sketches(model, data, seed=4)
    torch.manual_seed(99)  # the caller's random state must not matter
    np.random.seed(99)
    assert sketches(model, data, seed=4).tobytes() == first.tobytes()
    assert not np.allclose(sketches(model, data, seed=5), first)


@pytest.mark.parametrize("kind", ["convolution", "embedding"])
def test_batch_size_changes_nothing(kind):
    model, data = large_case(kind)
    alone = sketches(model, data, batch_size=1)
    assert oracles.relative_error(sketches(model, data, batch_size=3), alone) <= 1e-5


def test_the_map_is_the_same_at_every_checkpoint():
    # φ concatenates checkpoints, but a sketch of one must be comparable with itself under other settings.
    case = ARCHITECTURES["linear_mlp"]()
    states = case.states()

    def at(*chosen):
        points = [Checkpoint(states[i], RATES[i], i) for i in chosen]
        return InfluenceEngine(case.model, points, sketch_dim=32, device="cpu").sketches(case.train)

    np.testing.assert_array_equal(at(0, 1)[1], at(1)[0])


def test_sketches_of_a_zero_gradient_are_zero_and_learning_rates_are_not_in_them():
    case = ARCHITECTURES["linear_mlp"]()
    state = case.states()[0]

    def at(rate):
        return InfluenceEngine(case.model, [Checkpoint(state, rate)], sketch_dim=32, device="cpu")

    np.testing.assert_array_equal(at(0.1).sketches(case.train), at(7.0).sketches(case.train))
    flat = {name: torch.zeros_like(value) for name, value in state.items()}
    flat["2.bias"] = torch.tensor([200.0, 0.0, 0.0])  # certain of class 0: exactly no loss in float32
    sure = [(inputs, torch.tensor(0)) for inputs, _ in case.train]
    engine = InfluenceEngine(case.model, [Checkpoint(flat, 0.1)], sketch_dim=32, device="cpu")
    np.testing.assert_array_equal(engine.sketches(sure), 0)


def test_measure_returns_the_same_sketches_and_exact_self_influence():
    case = ARCHITECTURES["conv2d_grouped"]()
    points = [
        Checkpoint(state, rate, i) for i, (state, rate) in enumerate(zip(case.states(), RATES, strict=True))
    ]
    engine = InfluenceEngine(case.model, points, sketch_dim=64, device="cpu", batch_size=4)
    rows = engine.sketches(case.train)
    oracle = oracles.BruteForce(case.model, [(p.weights, 1.0) for p in points[1:]])
    found = engine.measure(case.train, 1)
    assert oracles.relative_error(found.rows, rows[1]) <= 1e-6
    assert oracles.relative_error(found.self_influence, oracle.self_influence(case.train)) <= 1e-4
    logits = logits_at(case.model, points[1].weights, case.train)
    labels = np.array([int(target) for _, target in case.train])
    probability = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    own = logits[np.arange(len(labels)), labels]
    others = np.where(np.arange(3) == labels[:, None], -np.inf, logits)
    np.testing.assert_array_equal(found.predicted, logits.argmax(1))
    np.testing.assert_array_equal(found.other, others.argmax(1))
    np.testing.assert_allclose(found.margin, own - others.max(1), atol=1e-5)
    np.testing.assert_allclose(found.probability, probability.max(1), atol=1e-5)
    np.testing.assert_allclose(
        found.label_probability, probability[np.arange(len(labels)), labels], atol=1e-5
    )
    np.testing.assert_allclose(found.loss, -np.log(probability[np.arange(len(labels)), labels]), atol=1e-5)


def logits_at(model, state, pairs):
    model.load_state_dict(state)
    with torch.no_grad():
        return model.eval()(torch.stack([inputs for inputs, _ in pairs])).double().numpy()
