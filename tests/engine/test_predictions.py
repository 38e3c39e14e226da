"""How outputs are read: one class, several at once, or a number; judged example by example."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset

from tracin_viz.engine import Checkpoint, InfluenceEngine


def _measured(outputs: int, targets: torch.Tensor, loss: str | None):  # type: ignore[no-untyped-def]
    torch.manual_seed(0)
    model = nn.Linear(5, outputs)
    inputs = torch.randn(len(targets), 5)
    engine = InfluenceEngine(model, [Checkpoint(model.state_dict(), 0.1, 1)], loss=loss, sketch_dim=64)
    return engine.measure(TensorDataset(inputs, targets), 0), model(inputs).detach().double().numpy()


def test_several_labels_at_once_are_read_label_by_label() -> None:
    targets = (torch.rand(7, 4, generator=torch.Generator().manual_seed(1)) > 0.5).float()
    found, logits = _measured(4, targets, "bce")
    for row, (scores, labels) in enumerate(zip(logits, targets.numpy(), strict=True)):
        support = [score if label else -score for score, label in zip(scores, labels, strict=True)]
        weakest = min(range(4), key=support.__getitem__)
        assert found.margin[row] == pytest.approx(support[weakest], rel=1e-5)
        assert found.other[row] == weakest
        assert found.other_probability[row] == pytest.approx(1 / (1 + math.exp(support[weakest])), rel=1e-5)
        assert found.predicted[row] == int(np.argmax(scores))
        assert found.value[row] == sum(each < 0 for each in support)
        assert found.label_probability[row] == pytest.approx(
            math.prod(1 / (1 + math.exp(-each)) for each in support), rel=1e-5
        )


def test_a_number_is_read_with_its_distance_from_the_target() -> None:
    targets = torch.linspace(-2, 2, 6)
    found, outputs = _measured(1, targets, "mse")
    np.testing.assert_allclose(found.value, outputs[:, 0], rtol=1e-6)
    np.testing.assert_allclose(found.margin, -np.abs(outputs[:, 0] - targets.numpy()), rtol=1e-5)
    np.testing.assert_allclose(found.loss, (outputs[:, 0] - targets.numpy()) ** 2, rtol=1e-4)
    assert (found.predicted == -1).all()
    assert np.isnan(found.probability).all()


def test_one_class_has_no_number() -> None:
    found, logits = _measured(3, torch.tensor([0, 1, 2, 1]), None)
    assert np.isnan(found.value).all()
    assert (found.predicted == logits.argmax(1)).all()


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_measuring_does_not_depend_on_the_callers_gradient_mode(mode) -> None:  # type: ignore[no-untyped-def]
    model = nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 3))
    data = TensorDataset(torch.randn(6, 5), torch.arange(6) % 3)
    engine = InfluenceEngine(model, [Checkpoint(model.state_dict(), 0.1, 1)], sketch_dim=64)
    expected = engine.influence(data, data)
    with mode():
        np.testing.assert_array_equal(engine.influence(data, data), expected)
        assert not torch.is_grad_enabled()
