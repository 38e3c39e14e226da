"""A last layer trained alone: as good as scikit-learn's, with the gradients of autograd."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression, LogisticRegression

from tests.oracles import relative_error
from tracin_viz.errors import InputError
from tracin_viz.explore.last_layer import KEPT, Layer, Problem, measured, prepared, train

RANDOM = np.random.default_rng(4)
EMBEDDING = (RANDOM.normal(size=(900, 12)) * np.linspace(0.1, 30, 12) + 5).astype(np.float32)
TRUE = RANDOM.normal(size=(12, 3))
SIGNAL = (EMBEDDING - 5) / np.linspace(0.1, 30, 12) @ TRUE
TARGETS = {
    "class": (SIGNAL + RANDOM.normal(size=(900, 3))).argmax(axis=1),
    "multi-label": (SIGNAL + RANDOM.normal(size=(900, 3)) > 0).astype(np.float32),
    "number": (SIGNAL[:, 0] + 0.1 * RANDOM.normal(size=900)).astype(np.float32),
}


def problem(target: str) -> Problem:
    return Problem(target, 1 if target == "number" else 3)


@pytest.mark.parametrize("target", TARGETS)
def test_it_learns_what_scikit_learns_models_learn(target: str):
    training, test = prepared(EMBEDDING[:600], EMBEDDING[600:])
    wanted = TARGETS[target]
    layer = train(training, wanted[:600], problem(target), seed=0)[-1]
    found = problem(target).rightness(layer.outputs(test), wanted[600:]).mean()
    if target == "number":
        model = LinearRegression().fit(training, wanted[:600])
        theirs = -np.abs(model.predict(test) - wanted[600:]).mean()
        assert found > theirs - 0.02
    else:
        theirs = np.mean(
            [
                LogisticRegression(C=100).fit(training[:, :-1], column[:600]).predict(test[:, :-1])
                == column[600:]
                for column in (wanted.T if wanted.ndim == 2 else [wanted])
            ]
        )
        assert found > theirs - 0.02


@pytest.mark.parametrize("target", TARGETS)
def test_measures_equal_those_of_autograd_in_double(target: str):
    inputs = prepared(EMBEDDING[:20])[0]
    wanted = TARGETS[target][:20]
    layers = [
        Layer(RANDOM.normal(size=(13, problem(target).outputs)).astype(np.float32), rate)
        for rate in (0.5, 0.1)
    ]
    found = measured(layers, inputs, wanted, problem(target))
    assert found["learning_rates"].tolist() == [0.5, 0.1]
    for place, layer in enumerate(layers):
        norms, losses = [], []
        for row in range(20):
            weights = torch.tensor(layer.weights, dtype=torch.float64, requires_grad=True)
            outputs = torch.tensor(inputs[row], dtype=torch.float64) @ weights
            loss = _loss(target, outputs, torch.as_tensor(wanted[row]))
            (gradient,) = torch.autograd.grad(loss, weights)
            norms.append(float(gradient.square().sum()))
            losses.append(float(loss.detach()))
        assert relative_error(found["self_influence"][place], np.array(norms)) < 1e-4
        assert relative_error(found["loss"][place], np.array(losses)) < 1e-4


def _loss(target: str, outputs: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    if target == "class":
        return torch.nn.functional.cross_entropy(outputs, wanted)
    if target == "multi-label":
        return torch.nn.functional.binary_cross_entropy_with_logits(outputs, wanted.double())
    return (outputs[0] - wanted) ** 2


def test_a_margin_speaks_against_a_label_that_another_class_beats():
    outputs = np.array([[2.0, 1.0, 0.0], [2.0, 1.0, 0.0]], dtype=np.float32)
    assert problem("class").margins(outputs, np.array([0, 2])).tolist() == [1.0, -2.0]
    several = problem("multi-label").margins(outputs, np.array([[1, 1, 0], [0, 1, 0]], dtype=np.float32))
    assert several.tolist() == [0.0, -2.0]


def test_the_same_seed_gives_the_same_layer_and_another_seed_another():
    inputs = prepared(EMBEDDING)[0]
    once, again, other = (
        train(inputs, TARGETS["class"], problem("class"), seed=seed, epochs=2)[-1].weights
        for seed in (0, 0, 1)
    )
    assert np.array_equal(once, again)
    assert not np.array_equal(once, other)


def test_moments_of_the_training_are_kept_and_its_share_is_told():
    shares: list[float] = []
    kept = train(
        prepared(EMBEDDING)[0], TARGETS["class"], problem("class"), seed=0, epochs=4, on_share=shares.append
    )
    assert len(kept) == len(KEPT)
    assert [one.rate for one in kept] == sorted((one.rate for one in kept), reverse=True)
    assert shares == [0.25, 0.5, 0.75, 1.0]


def test_constant_columns_say_nothing_and_inputs_have_length_two_whatever_the_scale():
    one = prepared(np.concatenate([1e4 * EMBEDDING, np.full((900, 1), 7.0, np.float32)], axis=1))[0]
    assert np.isfinite(one).all()
    assert (one[:, -2] == 0).all()
    assert np.square(one).sum(axis=1).mean() == pytest.approx(2, abs=0.2)


def test_what_cannot_be_trained_is_refused_with_the_reason():
    inputs = prepared(EMBEDDING)[0]
    with pytest.raises(InputError, match="single class"):
        train(inputs, np.zeros(900, np.int64), problem("class"), seed=0)
    with pytest.raises(InputError, match="no last linear layer"):
        prepared(np.zeros((5, 0), np.float32))
