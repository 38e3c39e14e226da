"""Batch sizes, memory, start check and restoration, seen through the engine."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset

from tests.oracles import relative_error
from tracin_viz.engine import Checkpoint, InfluenceEngine
from tracin_viz.engine.session import layer_of
from tracin_viz.errors import EngineError, InputError


def data(count=9):
    generator = torch.Generator().manual_seed(3)
    return TensorDataset(torch.randn(count, 5, generator=generator), torch.arange(count) % 3)


def network():
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(5, 6), nn.Tanh(), nn.Linear(6, 3))


def engine(model, **options):
    state = {name: value.clone() for name, value in model.state_dict().items()}
    return InfluenceEngine(model, [Checkpoint(state, 0.1, 7)], **options)


class Hungry(nn.Module):
    """Fails as an allocator does for more than ``limit`` examples."""

    def __init__(self, limit):
        super().__init__()
        self.body, self.limit, self.seen = network(), limit, []

    def forward(self, x):
        """Runs the body."""
        self.seen.append(len(x))
        if len(x) > self.limit:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes.")
        return self.body(x)


def test_a_batch_that_does_not_fit_is_halved_and_the_result_is_the_same():
    whole = engine(network(), batch_size=8).self_influence(data())
    model = Hungry(limit=3)
    halved = engine(model, batch_size=8).self_influence(data())
    assert relative_error(halved, whole) < 1e-5
    assert 5 in model.seen


def test_an_example_that_never_fits_is_named():
    model = Hungry(limit=0)
    subject = engine(model, batch_size=4)
    model.limit = 100
    subject.coverage(data())
    model.limit = 0
    with pytest.raises(EngineError, match=r"row 0.*memory"):
        subject.self_influence(data())


class Centred(nn.Module):
    """Subtracts the mean of the batch: examples influence each other."""

    def __init__(self):
        super().__init__()
        self.body = network()

    def forward(self, x):
        """Runs the body on centred inputs."""
        return self.body(x - x.mean(0))


def test_a_model_whose_examples_influence_each_other_is_refused():
    with pytest.raises(EngineError, match="influence each other"):
        engine(Centred()).self_influence(data())


def test_a_model_without_the_asked_parameters_in_its_graph_is_refused():
    model = network()
    model.unused = nn.Linear(2, 2)
    model.forward = lambda x: model[2](model[1](model[0](x)))
    with pytest.raises(EngineError, match="does not depend"):
        engine(model, layers="unused").self_influence(data())


def test_training_flags_gradients_and_generators_are_restored():
    model = network().train()
    model[0].eval()
    model[2].bias.requires_grad_(False)
    model[0].weight.grad = torch.ones_like(model[0].weight)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    torch.manual_seed(5)
    np.random.seed(5)
    expected = (torch.rand(1), np.random.rand())
    torch.manual_seed(5)
    np.random.seed(5)
    state = {name: value + 1 for name, value in before.items()}
    subject = InfluenceEngine(model, [Checkpoint(state, 0.1)], dtype="float64")
    assert np.isfinite(subject.self_influence(TensorDataset(data()[:][0].double(), data()[:][1]))).all()
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in before.items())
    assert [m.training for m in model.modules()] == [True, False, True, True]
    assert [p.requires_grad for p in model.parameters()] == [True, True, True, False]
    assert torch.equal(model[0].weight.grad, torch.ones_like(model[0].weight))
    assert (torch.rand(1), np.random.rand()) == expected
    assert not any(module._forward_hooks for module in model.modules())


def test_an_error_of_the_caller_passes_through_and_the_model_is_restored():
    model = network().train()
    before = model[0].weight.clone()
    state = {name: value + 1 for name, value in model.state_dict().items()}

    def stop(done):
        raise KeyboardInterrupt

    subject = InfluenceEngine(model, [Checkpoint(state, 0.1)], batch_size=4)
    with pytest.raises(KeyboardInterrupt):
        subject.measure(data(), 0, on_batch=stop)
    assert torch.equal(model[0].weight, before)
    assert model.training


def test_progress_counts_examples():
    counted = []
    engine(network(), batch_size=4).measure(data(), 0, on_batch=counted.append)
    assert counted == [3, 6, 9]


@pytest.mark.parametrize("layers", ["[", "nothing"])
def test_a_choice_of_layers_that_cannot_be_is_an_input_error(layers):
    with pytest.raises(InputError, match="layers"):
        engine(network(), layers=layers)


def test_the_last_layer_is_the_one_that_produces_the_outputs():
    subject = engine(network(), layers="last")
    assert [entry.name for entry in subject.coverage(data())] == ["2.weight", "2.bias"]


def test_an_input_overwritten_after_its_use_is_refused():
    class Overwriting(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = network()

        def forward(self, x):
            x = x.clone()
            hidden = self.body[0](x)
            x.mul_(2)
            return self.body[2](hidden)

    with pytest.raises(EngineError, match="overwritten"):
        engine(Overwriting()).self_influence(data())


def test_a_parametrisation_belongs_to_its_module():
    assert layer_of("body.0.parametrizations.weight.original0") == "body.0"
    assert layer_of("body.0.bias") == "body.0"
    assert layer_of("scale") == "(model)"
