"""What holds for every model: it is given back untouched, and answers do not depend on how they were got."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from torch import nn

from tests import oracles
from tests.engine import cases_hugging_face, cases_layers, cases_models  # noqa: F401 - they register
from tests.engine.cases import ARCHITECTURES, RATES
from tracin_viz.engine import Checkpoint, Groups, InfluenceEngine
from tracin_viz.errors import EngineError, InputError, TracinVizError

EXACT = 1e-5  # relative, for the same numbers computed in another order
NAMES = [
    "conv2d_grouped",
    "batch_norm",
    "transformer_encoder",
    "lstm_bidirectional",
    "bert",
    "spectral_norm",
    "time_major_rows",
    "parameter_of_an_exotic_operation",
]


def engine_of(case, **settings) -> InfluenceEngine:
    points = [
        Checkpoint(state, rate, step)
        for step, (state, rate) in enumerate(zip(case.states(), RATES, strict=True))
    ]
    settings = {"device": "cpu", "batch_size": 4, "collate_fn": case.collate, **settings}
    return InfluenceEngine(case.model, points, **settings)


# ---- the caller's model ---------------------------------------------------------------------------------


def everything_about(model: nn.Module) -> dict:
    """Bits of all tensors, where they are stored, flags and hooks; and all random states."""
    tensors = [*model.named_parameters(), *model.named_buffers()]
    return {
        "bits": {name: tensor.detach().clone().numpy().tobytes() for name, tensor in tensors},
        "identity": [(name, id(tensor), tensor.data_ptr()) for name, tensor in tensors],
        "requires_grad": [(name, tensor.requires_grad) for name, tensor in tensors],
        "grad": [
            (name, None if p.grad is None else p.grad.sum().item()) for name, p in model.named_parameters()
        ],
        "training": [(name, module.training) for name, module in model.named_modules()],
        "hooks": [
            (name, len(module._forward_hooks), len(module._forward_pre_hooks), len(module._backward_hooks))
            for name, module in model.named_modules()
        ],
        "random": (
            torch.get_rng_state().numpy().tobytes(),
            random.getstate(),
            np.random.get_state()[1].tobytes(),
        ),
    }


def used_in_training(model: nn.Module) -> nn.Module:
    """Training mode in parts, some parameters frozen, gradients left from a step, a hook of the user's."""
    model.train()
    first = next(iter(model.modules()))
    first.register_forward_hook(lambda module, inputs, outputs: None)
    for module in list(model.modules())[2::2]:
        module.training = False
    parameters = list(model.parameters())
    parameters[0].grad = torch.ones_like(parameters[0])
    parameters[-1].requires_grad_(False)
    return model


@pytest.mark.parametrize("name", NAMES)
def test_model_is_given_back_bit_for_bit(name):
    case = ARCHITECTURES[name]()
    model = used_in_training(case.model)
    engine = engine_of(case, dtype="float64" if name == "batch_norm" else None)
    train = [(oracles.in_double(x), y) for x, y in case.train] if name == "batch_norm" else case.train
    before = everything_about(model)
    engine.influence(train, train[:2])
    engine.self_influence(train)
    engine.measure(train, 0)
    engine.coverage()
    engine.influence(train, Groups(train, [[0, 1], [2]]))
    engine.embeddings(train)
    engine.sketch_error(train, train, pairs=4)
    if name in ("bert", "transformer_encoder"):
        engine.token_influence(train, train[:1], [1, 2])
    assert everything_about(model) == before


def test_model_is_given_back_after_an_error():
    case = ARCHITECTURES["batch_norm"]()
    model = used_in_training(case.model)
    before = everything_about(model)
    broken = [*case.train, (torch.full_like(case.train[0][0], torch.nan), case.train[0][1])]
    with pytest.raises(EngineError):
        engine_of(case).self_influence(broken)
    assert everything_about(model) == before


# ---- batch size and order -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_batch_size_changes_nothing(name):
    case = ARCHITECTURES[name]()
    alone = engine_of(case, batch_size=1)
    for size in (2, 5, "auto"):
        engine = engine_of(case, batch_size=size)
        for ask in (
            lambda e: e.influence(case.train, case.queries),
            lambda e: e.self_influence(case.train),
            lambda e: e.influence(case.train, Groups(case.train, [[0, 3, 4], [5, 1]])),
            lambda e: e.sketches(case.train).reshape(len(RATES), -1),
        ):
            assert oracles.relative_error(ask(engine), ask(alone)) <= EXACT


@pytest.mark.parametrize("name", NAMES)
def test_order_changes_nothing(name):
    case = ARCHITECTURES[name]()
    order = [4, 0, 5, 2, 1, 3]
    shuffled = [case.train[i] for i in order]
    engine = engine_of(case)
    expected = engine.influence(case.train, case.queries)[:, order]
    assert oracles.relative_error(engine.influence(shuffled, case.queries), expected) <= EXACT
    assert (
        oracles.relative_error(engine.self_influence(shuffled), engine.self_influence(case.train)[order])
        <= EXACT
    )


def test_candidates_equal_the_columns_of_everything():
    case = ARCHITECTURES["layer_norm"]()
    engine = engine_of(case)
    whole = engine.influence(case.train, case.queries)
    np.testing.assert_allclose(
        engine.influence(case.train, case.queries, candidates=[5, 1]), whole[:, [5, 1]]
    )
    each = np.array([[0, 3], [4, 2]])
    found = engine.influence(case.train, case.queries, candidates=each)
    np.testing.assert_allclose(found, np.take_along_axis(whole, each, axis=1))


def test_self_influence_is_the_diagonal():
    case = ARCHITECTURES["bert"]()
    engine = engine_of(case)
    diagonal = np.diag(engine.influence(case.train, case.train))
    assert oracles.relative_error(engine.self_influence(case.train), diagonal) <= EXACT


def test_one_sgd_step_lowers_the_query_loss_by_the_influence():
    # What TracIn means (Pruthi et al., §3.1): a step on z moves the loss of z' by -η ∇ℓ(z)·∇ℓ(z').
    case = ARCHITECTURES["layer_norm"]()
    state, rate = case.states()[1], 1e-6
    model = case.model.double()
    train, query = (oracles.in_double(case.train[0][0]), case.train[0][1]), case.queries[0]
    query = (oracles.in_double(query[0]), query[1])
    state = {name: value.double() for name, value in state.items()}
    engine = InfluenceEngine(model, [Checkpoint(state, rate)], device="cpu")
    predicted = engine.influence([train], [query])[0, 0]
    model.load_state_dict(state)

    def loss(pair):
        return nn.functional.cross_entropy(model(pair[0][None]), pair[1][None])

    before = loss(query).item()
    loss(train).backward()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.sub_(rate * parameter.grad)
    assert before - loss(query).item() == pytest.approx(predicted, rel=1e-3)


# ---- refusals -------------------------------------------------------------------------------------------


class BatchStatistics(nn.BatchNorm1d):
    """A BatchNorm that normalises by the batch also in evaluation mode, over examples and two positions."""

    def forward(self, x):
        pairs = torch.stack([x, 2 * x.tanh()], 2)
        return nn.functional.batch_norm(pairs, None, None, self.weight, self.bias, training=True).mean(2)


class CentredOutputs(nn.Module):
    def forward(self, x):
        return x - x.mean(0, keepdim=True)


class AttentionOverTheBatch(nn.Module):
    def forward(self, x):
        return x + torch.softmax(x @ x.T, 1) @ x


@pytest.mark.parametrize("layer", [BatchStatistics(5), CentredOutputs(), AttentionOverTheBatch()])
def test_examples_that_influence_each_other_are_refused(layer):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 5), layer, nn.Linear(5, 3))
    data = [(torch.randn(4), torch.tensor(i % 3)) for i in range(6)]
    engine = InfluenceEngine(model, [Checkpoint(model.state_dict(), 0.1)], device="cpu")
    with pytest.raises(EngineError, match="influence each other"):
        engine.influence(data, data[:1])


def test_a_loss_reduced_over_the_batch_is_refused():
    case = ARCHITECTURES["linear_mlp"]()
    engine = engine_of(case, loss=lambda outputs, targets: nn.functional.cross_entropy(outputs, targets))
    with pytest.raises(EngineError, match="one number per example"):
        engine.self_influence(case.train)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_the_reduction_of_the_users_loss_changes_nothing(reduction):
    case = ARCHITECTURES["linear_mlp"]()
    found = engine_of(case, loss=nn.CrossEntropyLoss(reduction=reduction)).influence(case.train, case.queries)
    assert oracles.relative_error(found, engine_of(case).influence(case.train, case.queries)) <= EXACT


@pytest.mark.parametrize(
    ("name", "make", "factor"),
    [
        ("regression", nn.MSELoss, {"none": 2.0, "mean": 1.0, "sum": 2.0}),
        ("multi_label", nn.BCEWithLogitsLoss, {"none": 4.0, "mean": 1.0, "sum": 4.0}),
        (
            "linear_mlp",
            lambda reduction: nn.CrossEntropyLoss(torch.full((3,), 0.5), reduction=reduction),
            None,
        ),
        ("linear_mlp", lambda reduction: nn.CrossEntropyLoss(label_smoothing=0.0, reduction=reduction), None),
    ],
)
def test_numbers_of_one_example_are_averaged_or_summed_as_the_user_did_and_examples_never(name, make, factor):
    case = ARCHITECTURES[name]()
    plain = engine_of(case, loss=case.loss).influence(case.train, case.queries)
    scale = 0.5 if name == "linear_mlp" and factor is None and make("sum").weight is not None else 1.0
    for reduction in ("none", "mean", "sum"):
        found = engine_of(case, loss=make(reduction=reduction)).influence(case.train, case.queries)
        numbers = factor[reduction] if factor else scale
        assert oracles.relative_error(found, numbers**2 * plain) <= EXACT


@pytest.mark.parametrize(
    "change",
    [
        lambda state: state.pop("0.weight"),
        lambda state: state.update(extra=torch.zeros(1)),
        lambda state: state.update({"0.weight": torch.zeros(2, 2)}),
    ],
)
def test_weights_that_do_not_fit_are_refused_with_their_names(change):
    case = ARCHITECTURES["linear_mlp"]()
    state = case.states()[0]
    change(state)
    engine = InfluenceEngine(case.model, [Checkpoint(state, 0.1)], device="cpu")
    with pytest.raises(TracinVizError, match=r"0\.weight|extra"):
        engine.self_influence(case.train)


def test_a_model_without_trainable_parameters_is_refused():
    model = nn.Linear(2, 2).requires_grad_(False)
    with pytest.raises(InputError, match="no trainable parameter"):
        InfluenceEngine(model, [Checkpoint(model.state_dict(), 0.1)], device="cpu")


def test_a_model_that_cannot_do_a_batch_of_one_is_refused_with_the_reason():
    class AlwaysNormalises(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = torch.nn.Linear(3, 2)

        def forward(self, inputs):
            return torch.nn.functional.batch_norm(self.linear(inputs), None, None, training=True)

    data = [(torch.randn(3), torch.tensor(row % 2)) for row in range(4)]
    model = AlwaysNormalises()
    engine = InfluenceEngine(model, [Checkpoint(model.state_dict(), learning_rate=0.1, step=1)])
    with pytest.raises(EngineError, match="influence each other"):
        engine.self_influence(data)
