"""Adam-preconditioned scores against a step that ``torch.optim.Adam`` itself takes, in float64."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from tests import oracles
from tests.engine import cases_hugging_face, cases_layers, cases_models  # noqa: F401 - they register
from tests.engine.cases import ARCHITECTURES
from tracin_viz.engine import Checkpoint, Groups, InfluenceEngine
from tracin_viz.errors import InputError

TOLERANCE = 1e-4
NAMES = ["linear_mlp", "conv2d_grouped", "embedding_with_padding", "distilbert", "tied_embedding_and_output"]
RATES = (0.05, 0.02)
ADAMS = {
    "adam": lambda p: torch.optim.Adam(p, lr=0.01, betas=(0.8, 0.95), eps=1e-4),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01, eps=1e-5, weight_decay=0.1),
    "amsgrad": lambda p: torch.optim.Adam(p, lr=0.03, betas=(0.7, 0.8), eps=1e-4, amsgrad=True),
}


class Trained:
    """A case trained for a few steps in float64 with a real Adam, kept at two steps."""

    def __init__(self, name: str, make=ADAMS["adam"]) -> None:
        self.case = ARCHITECTURES[name]()
        self.model = copy.deepcopy(self.case.model).double().eval()
        self.optimizer = make(self.model.parameters())
        self.states, self.optimizers = [], []
        pairs = self.case.train
        collate = self.case.collate or torch.utils.data.default_collate
        for step in range(6):
            inputs, target = collate([pairs[step % len(pairs)], pairs[(step + 1) % len(pairs)]])
            self.optimizer.zero_grad()
            outputs = oracles.call(self.model, oracles.in_double(inputs))
            nn.functional.cross_entropy(oracles.logits_of(outputs), target).backward()
            self.optimizer.step()
            if step in (2, 5):
                self.states.append({k: v.clone() for k, v in self.model.state_dict().items()})
                self.optimizers.append(copy.deepcopy(self.optimizer.state_dict()))

    def engine(self, **settings) -> InfluenceEngine:
        points = [
            Checkpoint({k: v.float() for k, v in state.items()}, rate, step, optimizer)
            for step, (state, rate, optimizer) in enumerate(
                zip(self.states, RATES, self.optimizers, strict=True)
            )
        ]
        settings = {"device": "cpu", "batch_size": 4, "collate_fn": self.case.collate, **settings}
        return InfluenceEngine(self.case.model, points, **settings)

    def gradients(self, data) -> list[dict[str, torch.Tensor]]:
        states = list(zip(self.states, RATES, strict=True))
        return oracles.BruteForce(self.model, states, collate=self.case.collate).gradients(data)

    def steps(self, data) -> list[dict[str, torch.Tensor]]:
        """Per checkpoint {name: (n, P)}: −Δθ/η of the step that torch's optimizer takes on each."""
        found = []
        for state, stored, rows in zip(self.states, self.optimizers, self.gradients(data), strict=True):
            each = {name: [] for name in rows}
            for place in range(len(data)):
                self.model.load_state_dict(state)
                self.optimizer.load_state_dict(copy.deepcopy(stored))
                for group in self.optimizer.param_groups:
                    group["weight_decay"] = 0.0
                before = {name: p.detach().clone() for name, p in self.model.named_parameters()}
                for name, parameter in self.model.named_parameters():
                    parameter.grad = rows[name][place].reshape(parameter.shape).clone()
                self.optimizer.step()
                rate = self.optimizer.param_groups[0]["lr"]
                for name, parameter in self.model.named_parameters():
                    each[name].append(((before[name] - parameter.detach()) / rate).flatten())
            found.append({name: torch.stack(values) for name, values in each.items()})
        return found

    def second_moments(self, data) -> list[dict[str, torch.Tensor]]:
        """Per checkpoint {name: (n, P)}: g / (√v̂ + ε) from the stored state, by index of the parameter."""
        found = []
        for stored, rows in zip(self.optimizers, self.gradients(data), strict=True):
            group, scaled = stored["param_groups"][0], {}
            for index, name in enumerate(rows):
                entry = stored["state"][index]
                second = entry["max_exp_avg_sq" if group["amsgrad"] else "exp_avg_sq"]
                corrected = second / (1 - group["betas"][1] ** float(entry["step"]))
                scaled[name] = rows[name] / (corrected.sqrt() + group["eps"]).flatten()
            found.append(scaled)
        return found

    def scores(self, train, queries, *, cosine: bool = False) -> np.ndarray:
        """(Q, n) Σ η ⟨∇ℓ(z'), Γ(z)⟩ or Σ η cos, from gradients and directions of all parameters."""
        total = 0
        for rate, ours, theirs in zip(RATES, train, queries, strict=True):
            a = torch.cat([ours[name] for name in ours], 1)
            b = torch.cat([theirs[name] for name in ours], 1)
            products = b @ a.T
            lengths = b.norm(dim=1)[:, None] * a.norm(dim=1) if cosine else 1.0
            total = total + rate * products / lengths
        return total.numpy()


@pytest.fixture(scope="module", params=NAMES)
def trained(request) -> Trained:
    return Trained(request.param)


def test_adam_equals_the_step_of_torch(trained):
    train, queries = trained.case.train, trained.case.queries
    true = trained.scores(trained.steps(train), trained.gradients(queries))
    engine = trained.engine()
    found = engine.influence(train, queries, preconditioner="adam")
    assert oracles.relative_error(found, true) <= TOLERANCE
    parts = engine.influence(train, queries, preconditioner="adam", by=("checkpoint", "layer"))
    assert oracles.relative_error(parts.scores.sum((2, 3)), found) <= 1e-5


def test_less_is_the_cosine_of_both(trained):
    train, queries = trained.case.train, trained.case.queries
    true = trained.scores(trained.steps(train), trained.gradients(queries), cosine=True)
    engine = trained.engine()
    found = engine.influence(train, queries, preconditioner="less")
    assert oracles.relative_error(found, true) <= TOLERANCE
    parts = engine.influence(train, queries, preconditioner="less", by=("checkpoint", "layer"))
    assert oracles.relative_error(parts.scores.sum((2, 3)), found) <= 1e-5


def test_second_moment_divides_by_its_root(trained):
    train, queries = trained.case.train, trained.case.queries
    true = trained.scores(trained.second_moments(train), trained.gradients(queries))
    engine = trained.engine()
    found = engine.influence(train, queries, preconditioner="second_moment")
    assert oracles.relative_error(found, true) <= TOLERANCE
    own = np.diag(trained.scores(trained.second_moments(train), trained.gradients(train)))
    found = engine.self_influence(train, preconditioner="second_moment")
    assert oracles.relative_error(found, own) <= TOLERANCE


@pytest.mark.parametrize("kind", ["adamw", "amsgrad"])
def test_other_kinds_of_adam_equal_the_step_of_torch(kind):
    trained = Trained("linear_mlp", ADAMS[kind])
    train, queries = trained.case.train, trained.case.queries
    engine = trained.engine()
    for preconditioner, directions in (("adam", trained.steps), ("second_moment", trained.second_moments)):
        true = trained.scores(directions(train), trained.gradients(queries))
        found = engine.influence(train, queries, preconditioner=preconditioner)
        assert oracles.relative_error(found, true) <= TOLERANCE


@pytest.mark.parametrize("kind", ["adam", "less"])
def test_preconditioned_self_influence_is_the_diagonal(kind):
    trained = Trained("conv2d_grouped")
    engine = trained.engine()
    diagonal = np.diag(engine.influence(trained.case.train, trained.case.train, preconditioner=kind))
    found = engine.self_influence(trained.case.train, preconditioner=kind)
    assert oracles.relative_error(found, diagonal) <= 1e-5


@pytest.mark.parametrize("kind", ["adam", "second_moment"])
def test_a_preconditioned_group_is_the_mean_over_its_members(kind):
    trained = Trained("embedding_with_padding")
    engine, train = trained.engine(), trained.case.train
    each = engine.influence(train, train, preconditioner=kind)
    found = engine.influence(train, Groups(train, [[0, 2], [1, 3, 5]]), preconditioner=kind)
    assert oracles.relative_error(found, np.stack([each[[0, 2]].mean(0), each[[1, 3, 5]].mean(0)])) <= 1e-5


def test_large_gradients_are_stepped_example_by_example_with_the_same_result(monkeypatch):
    trained = Trained("linear_mlp")
    train, queries = trained.case.train, trained.case.queries
    whole = trained.engine().influence(train, queries, preconditioner="less")
    monkeypatch.setattr("tracin_viz.engine.directions.WRITTEN", 1)
    again = trained.engine().influence(train, queries, preconditioner="less")
    assert oracles.relative_error(again, whole) <= 1e-6


# ---- what trained it ------------------------------------------------------------------------------------


def test_the_optimizer_is_read_and_shown():
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    groups = [{"params": model[0].parameters()}, {"params": model[1].parameters(), "lr": 0.5}]
    optimizer = torch.optim.AdamW(groups, lr=0.1, betas=(0.8, 0.9))
    stepped(model, optimizer)
    point = Checkpoint(model.state_dict(), 0.1, 1, optimizer.state_dict())
    engine = InfluenceEngine(model, [point, Checkpoint(model.state_dict(), 0.1)], device="cpu")
    report, none = engine.optimizers
    assert none is None
    assert report.name == "AdamW"
    assert report.preconditions
    assert [group.learning_rate for group in report.groups] == [0.1, 0.5]
    assert [group.parameters for group in report.groups] == [("0.weight", "0.bias"), ("1.weight", "1.bias")]
    assert report.groups[0].options["betas"] == (0.8, 0.9)
    assert set(report.with_moments) == {"0.weight", "0.bias", "1.weight", "1.bias"}


def stepped(model, optimizer):
    model(torch.randn(5, 3)).square().sum().backward()
    optimizer.step()


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9), "SGD"),
        (lambda p: torch.optim.RMSprop(p, lr=0.1, centered=True), "RMSprop"),
        (lambda p: torch.optim.Adagrad(p, lr=0.1), "Adagrad"),
        (lambda p: torch.optim.NAdam(p, lr=0.1), "unknown"),
        (lambda p: torch.optim.Adamax(p, lr=0.1), "unknown"),
    ],
)
def test_other_optimizers_are_named_and_cannot_precondition(make, name):
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    optimizer = make(model.parameters())
    stepped(model, optimizer)
    engine = InfluenceEngine(
        model, [Checkpoint(model.state_dict(), 0.1, 1, optimizer.state_dict())], device="cpu"
    )
    assert engine.optimizers[0].name == name
    assert not engine.optimizers[0].preconditions
    data = [(torch.randn(3), torch.tensor(0))]
    with pytest.raises(InputError, match=f"The optimizer is {name}, not Adam"):
        engine.influence(data, data, preconditioner="adam")


def test_rates_of_parameter_groups_are_applied_once():
    case = ARCHITECTURES["linear_mlp"]()
    model = case.model
    groups = [{"params": model[0].parameters(), "lr": 9.0}, {"params": model[2].parameters()}]
    optimizer = torch.optim.SGD(groups, lr=7.0)
    point = Checkpoint(model.state_dict(), [0.02, 0.1], 0, optimizer.state_dict())
    found = InfluenceEngine(model, [point], device="cpu").influence(case.train, case.queries)
    terms = oracles.BruteForce(model, [(model.state_dict(), 1.0)]).decomposition(case.train, case.queries)
    true = sum(term * (0.02 if name.startswith("0.") else 0.1) for (_, name), term in terms.items())
    assert oracles.relative_error(found, true) <= 1e-5
