"""The first-order effect of other labels: against batches of one in float64, and against real steps."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from tests.oracles import BruteForce, relative_error
from tracin_viz.engine import Checkpoint, InfluenceEngine
from tracin_viz.engine.label_changes import LabelledChanges, first_order
from tracin_viz.errors import InputError

Pairs = list[tuple[torch.Tensor, torch.Tensor]]


def network(outputs: int = 3) -> nn.Module:
    torch.manual_seed(5)
    return nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, outputs))


def checkpoints(model: nn.Module) -> list[tuple[dict[str, torch.Tensor], float]]:
    found = []
    for number, rate in enumerate((0.3, 0.07)):
        torch.manual_seed(number)
        state = {name: value + 0.3 * torch.randn_like(value) for name, value in model.state_dict().items()}
        found.append((state, rate))
    return found


def examples(count: int, seed: int) -> Pairs:
    random = torch.Generator().manual_seed(seed)
    inputs = torch.randn(count, 4, generator=random)
    return [(inputs[row], torch.tensor(row % 3)) for row in range(count)]


def test_it_equals_the_sum_of_differences_of_gradients_of_batches_of_one():
    model, weights = network(), checkpoints(network())
    tests, train = examples(7, seed=1), examples(5, seed=2)
    # Example 0 gets another label, example 2 is left out, example 4 had no label before.
    pairs = [(train[0][0], torch.tensor(2)), train[0], train[2], (train[4][0], torch.tensor(1))]
    signs, change = np.array([1.0, -1.0, -1.0, 1.0]), np.array([0, 0, 1, 2])
    engine = InfluenceEngine(
        model, [Checkpoint(state, rate) for state, rate in weights], device="cpu", on_nonfinite="record"
    )
    reported: list[int] = []
    found = first_order(engine, tests, LabelledChanges(pairs, signs, change), on_batch=reported.append)
    slow = BruteForce(model, weights).influence(pairs, tests) * signs  # (tests, pairs)
    assert relative_error(found.tests, slow.sum(axis=1)) < 1e-5
    by_change = np.stack([slow[:, change == place].sum(axis=1).mean() for place in range(3)])
    assert relative_error(found.changes, by_change) < 1e-5
    assert found.changes.sum() == pytest.approx(found.tests.mean(), rel=1e-5)
    assert reported == sorted(reported)
    assert reported[-1] == (len(tests) + len(pairs)) * len(weights)


@pytest.mark.parametrize("kind", ["numbers", "classes"])
def test_it_is_the_derivative_of_one_real_step_with_the_changed_labels(kind: str):
    """η/N · Σ⟨g(test), Δg⟩ is what a full-batch step with rate η → 0 does to the loss of the tests."""
    torch.manual_seed(0)
    model = nn.Linear(4, 1).double() if kind == "numbers" else network().double()
    loss = "mse" if kind == "numbers" else None
    inputs, test_inputs = torch.randn(6, 4).double(), torch.randn(9, 4).double()
    old = torch.randn(6).double() if kind == "numbers" else torch.arange(6) % 3
    new = old.clone()
    new[1] = 4.0 if kind == "numbers" else 0
    wanted = torch.randn(9).double() if kind == "numbers" else torch.arange(9) % 3
    engine = InfluenceEngine(
        model, [Checkpoint(copy.deepcopy(model.state_dict()), 1.0)], loss=loss, device="cpu", dtype="float64"
    )
    pairs = [(inputs[1], new[1]), (inputs[1], old[1]), (inputs[3], old[3])]  # example 3 is left out
    changed = LabelledChanges(pairs, np.array([1.0, -1.0, -1.0]), np.array([0, 0, 1]))
    tests = list(zip(test_inputs, wanted, strict=True))
    derivative = first_order(engine, tests, changed).tests.mean() / len(inputs)

    def after(targets: torch.Tensor, kept: list[int], rate: float) -> float:
        """Loss of the tests after one step on the sum of the kept examples' losses / N."""
        copied = copy.deepcopy(model)
        _loss(kind, copied(inputs[kept]), targets[kept]).sum().div(len(inputs)).backward()
        with torch.no_grad():
            for parameter in copied.parameters():
                parameter -= rate * parameter.grad
            return float(_loss(kind, copied(test_inputs), wanted).mean())

    errors = []
    for rate in (1e-3, 1e-5):
        lowered = after(old, [0, 1, 2, 3, 4, 5], rate) - after(new, [0, 1, 2, 4, 5], rate)
        errors.append(abs(lowered / rate - derivative) / abs(derivative))
    assert errors[1] < 1e-3
    assert errors[1] < errors[0], "the error of a first-order estimate shrinks with the step"


def _loss(kind: str, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    if kind == "numbers":
        return (outputs[:, 0] - targets) ** 2
    return nn.functional.cross_entropy(outputs, targets, reduction="none")


def test_a_change_without_a_finite_gradient_is_left_out_and_named():
    model, weights = network(), checkpoints(network())
    tests, train = examples(4, seed=1), examples(3, seed=2)
    broken = (torch.full((4,), torch.nan), torch.tensor(0))
    engine = InfluenceEngine(
        model, [Checkpoint(state, rate) for state, rate in weights], device="cpu", on_nonfinite="record"
    )
    pairs, change = [train[0], broken, train[2]], np.array([0, 1, 2])
    found = first_order(engine, tests, LabelledChanges(pairs, -np.ones(3), change))
    alone = first_order(engine, tests, LabelledChanges([train[0], train[2]], -np.ones(2), np.array([0, 1])))
    assert np.isnan(found.changes).tolist() == [False, True, False]
    np.testing.assert_allclose(found.tests, alone.tests, rtol=1e-6)


def test_without_changes_there_is_nothing_to_estimate():
    engine = InfluenceEngine(network(), [Checkpoint(network().state_dict(), 1.0)], device="cpu")
    with pytest.raises(InputError, match="nothing to estimate"):
        first_order(engine, examples(2, seed=1), LabelledChanges([], np.zeros(0), np.zeros(0, np.int64)))
