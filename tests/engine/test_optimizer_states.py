"""Which moments belong to which parameter, and states of optimizers that cannot precondition."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.engine import cases_layers  # noqa: F401 - they register
from tests.engine.cases import ARCHITECTURES
from tracin_viz.engine import Checkpoint, InfluenceEngine
from tracin_viz.errors import InputError


def two_layers():
    return nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4), nn.Linear(4, 2))


def decayed_as_in_the_trainer(model):
    decay = [p for n, p in model.named_parameters() if n in ("0.weight", "2.weight")]
    rest = [p for n, p in model.named_parameters() if n not in ("0.weight", "2.weight")]
    return torch.optim.AdamW([{"params": decay, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}])


def named(model):
    return torch.optim.Adam(reversed(list(model.named_parameters())))


def frozen_left_out(model):
    model[0].requires_grad_(False)
    return torch.optim.Adam([p for p in model.parameters() if p.requires_grad])


@pytest.mark.parametrize("make", [decayed_as_in_the_trainer, named, frozen_left_out])
def test_moments_find_their_parameters_in_the_usual_orders(make):
    model = two_layers()
    optimizer = make(model)
    model(torch.randn(5, 4)).square().sum().backward()
    optimizer.step()
    engine = InfluenceEngine(
        model, [Checkpoint(model.state_dict(), 0.1, 1, optimizer.state_dict())], device="cpu"
    )
    chosen = [name for name, p in model.named_parameters() if p.requires_grad]
    found = engine._states[0].moments(chosen)
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            assert torch.equal(found[name].second, optimizer.state[parameter]["exp_avg_sq"])


def refused(case: str) -> tuple[nn.Module, dict]:
    """A model and a state that does not fit it, by what is wrong."""
    model = two_layers()
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.randn(5, 4)).square().sum().backward()
    optimizer.step()
    state = optimizer.state_dict()
    if case == "another model":
        return nn.Sequential(nn.Linear(4, 5), nn.LayerNorm(5), nn.Linear(5, 2)), state
    if case == "fewer parameters":
        return nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4)), state
    if case == "two orders fit":
        groups = [{"params": [0, 1, 2], "weight_decay": 0.1}, {"params": [3, 4, 5], "weight_decay": 0.0}]
        pairs = nn.Sequential(*[nn.Linear(2, 2) for _ in range(3)])
        return pairs, {"state": {}, "param_groups": groups}
    if case == "not a state":
        return model, {"state": {}}
    if case == "no moments":
        del state["state"][2]
    if case == "never stepped":
        state["state"] = {}
    if case == "incomplete":
        del state["state"][0]["exp_avg"]
    if case == "negative":
        state["state"][0]["exp_avg_sq"] = -torch.ones(4, 4)
    if case == "maximised":
        state["param_groups"][0]["maximize"] = True
    return model, state


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("another model", "fits no usual order"),
        ("fewer parameters", "fits no usual order"),
        ("two orders fit", "fits more than one order"),
        ("not a state", "needs 'state' and 'param_groups'"),
        ("no moments", "no moments for 1 of 6 parameters, for example '1.weight'"),
        ("never stepped", "no moments for 6 of 6"),
        ("incomplete", "lacks exp_avg"),
        ("negative", "negative second moments"),
        ("maximised", "wrong sign"),
    ],
)
def test_a_missing_or_wrong_state_is_refused_with_the_remedy(case, message):
    model, state = refused(case)
    data = [(torch.randn(4), torch.tensor(0)), (torch.randn(4), torch.tensor(1))]
    with pytest.raises(InputError, match=message) as caught:
        InfluenceEngine(model, [Checkpoint(model.state_dict(), 0.1, 1, state)], device="cpu").influence(
            data, data, preconditioner="adam"
        )
    assert caught.value.remedy


def test_without_an_optimizer_the_preconditioner_is_refused_before_any_work():
    case = ARCHITECTURES["linear_mlp"]()
    engine = InfluenceEngine(case.model, [Checkpoint(case.model.state_dict(), 0.1, 7)], device="cpu")
    with pytest.raises(InputError, match="step 7 has none"):
        engine.self_influence(case.train, preconditioner="adam")
    with pytest.raises(InputError, match="'rmsprop' is not known"):
        engine.self_influence(case.train, preconditioner="rmsprop")
    with pytest.raises(InputError, match="list of learning rates"):
        InfluenceEngine(case.model, [Checkpoint(case.model.state_dict(), [0.1, 0.2])], device="cpu")
