"""Every kind of parameter against batches of one in float64, at a relative 1e-4 in float32.

The judge is ``tests.oracles.BruteForce``, which uses nothing of the engine.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from torch import nn

from tests import oracles
from tests.engine import cases_adapters, cases_hugging_face, cases_layers, cases_models  # noqa: F401
from tests.engine.cases import ARCHITECTURES, RATES, Case
from tracin_viz.engine import Checkpoint, InfluenceEngine

TOLERANCE = 1e-4

# PyTorch's own remarks on these models, which say nothing about us.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning"),
    pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN:UserWarning"),
    pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning"),
]
CLASSIFIERS = [
    name
    for name in ARCHITECTURES
    if name not in ("gpt2_language_model_with_tied_embedding", "regression", "multi_label")
]


@dataclass
class Subject:
    case: Case
    oracle: oracles.BruteForce
    engine: InfluenceEngine

    def layers(self) -> list[str]:
        return list(dict.fromkeys(owner(name) for name, p in self.trainable() if p.requires_grad))

    def trainable(self):
        return [(name, p) for name, p in self.case.model.named_parameters() if p.requires_grad]


def owner(parameter: str) -> str:
    """The module that a parameter belongs to; a parametrisation counts for the module it stands for."""
    return parameter.rpartition(".")[0].split(".parametrizations")[0] or "(model)"


def subject_of(name: str, **settings) -> Subject:
    case = ARCHITECTURES[name]()
    states = case.states()
    oracle = oracles.BruteForce(
        case.reference or case.model,
        list(zip(states, RATES, strict=True)),
        loss=case.oracle_loss,
        collate=case.collate,
    )
    points = [
        Checkpoint(state, rate, step) for step, (state, rate) in enumerate(zip(states, RATES, strict=True))
    ]
    engine = InfluenceEngine(
        case.model, points, loss=case.loss, collate_fn=case.collate, device="cpu", batch_size=4, **settings
    )
    return Subject(case, oracle, engine)


@pytest.fixture(scope="module")
def subject(request) -> Subject:
    return subject_of(request.param)


every_architecture = pytest.mark.parametrize("subject", list(ARCHITECTURES), indirect=True, scope="module")
every_classifier = pytest.mark.parametrize("subject", CLASSIFIERS, indirect=True, scope="module")


def test_there_are_at_least_forty_architectures():
    assert len(ARCHITECTURES) >= 40


@every_architecture
def test_influence_equals_batches_of_one(subject):
    true = subject.oracle.influence(subject.case.train, subject.case.queries)
    found = subject.engine.influence(subject.case.train, subject.case.queries)
    assert oracles.relative_error(found, true) <= TOLERANCE


@every_architecture
def test_self_influence_equals_squared_norms(subject):
    true = subject.oracle.self_influence(subject.case.train)
    assert oracles.relative_error(subject.engine.self_influence(subject.case.train), true) <= TOLERANCE


@every_architecture
def test_decomposition_equals_the_terms_and_sums_to_the_total(subject):
    train, queries = subject.case.train, subject.case.queries
    parts = subject.engine.influence(train, queries, by=("checkpoint", "layer"))
    total = subject.engine.influence(train, queries)
    assert oracles.relative_error(parts.scores.sum((2, 3)), total) <= 1e-5
    layers = subject.layers()
    assert list(parts.layers) == layers
    true = np.zeros((len(queries), len(train), len(RATES), len(layers)))
    for (checkpoint, name), terms in subject.oracle.decomposition(train, queries).items():
        true[:, :, checkpoint, layers.index(owner(name))] += terms
    flat = (len(queries), -1)
    assert oracles.relative_error(parts.scores.reshape(flat), true.reshape(flat)) <= TOLERANCE


@every_classifier
@pytest.mark.parametrize("kind", ["logit", "log_probability", "margin"])
def test_score_influence_equals_the_gradient_of_minus_the_score(subject, kind):
    true = subject.oracle.score_influence(subject.case.train, subject.case.queries, (kind, 1))
    inputs = [inputs for inputs, _ in subject.case.queries]
    found = subject.engine.score_influence(subject.case.train, inputs, 1, score=kind)
    assert oracles.relative_error(found, true) <= TOLERANCE


@pytest.mark.parametrize("subject", ["distilbert", "gpt2_classifier"], indirect=True, scope="module")
def test_a_padded_batch_of_queries_equals_the_same_queries_as_a_data_set(subject):
    train, queries = subject.case.train, subject.case.queries
    batch, _ = subject.case.collate(queries)
    expected = subject.engine.score_influence(train, [inputs for inputs, _ in queries], [2, 0])
    assert oracles.relative_error(subject.engine.score_influence(train, batch, [2, 0]), expected) <= 1e-5


@every_architecture
def test_only_parameters_without_a_rule_take_the_general_path(subject):
    lines = subject.engine.coverage(subject.case.train)
    assert [line.name for line in lines] == [name for name, _ in subject.trainable()]
    slow = {line.name for line in lines if line.rule == "general path"}
    assert slow == {name for name, _ in subject.trainable() if name.startswith(subject.case.general or "-")}
    assert all(line.reason for line in lines if line.name in slow)
    assert sum(line.share for line in lines) == pytest.approx(1.0)


@pytest.mark.parametrize("name", ["conv2d_grouped", "transformer_encoder", "lstm_bidirectional", "bert"])
def test_float64_engine_agrees_to_float64(name):
    subject = subject_of(name, dtype="float64")
    train = subject.case.train
    true = subject.oracle.influence(train, subject.case.queries)
    found = subject.engine.influence(doubled(train), doubled(subject.case.queries))
    assert oracles.relative_error(found, true) <= 1e-10


def doubled(pairs):
    return [(oracles.in_double(inputs), target) for inputs, target in pairs]


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("parameter_of_an_exotic_operation", "by torch.func.vmap"),
        ("gru_over_packed_sequences", "one example at a time, because torch.func.vmap cannot run it"),
    ],
)
def test_the_general_path_is_vectorised_where_possible_and_says_where_not(name, how):
    subject = subject_of(name)
    slow = [line for line in subject.engine.coverage(subject.case.train) if line.rule == "general path"]
    assert slow
    assert all(how in line.reason for line in slow)


def test_a_vectorised_general_path_that_fails_later_goes_on_one_by_one():
    subject = subject_of("parameter_of_an_exotic_operation")
    train, queries = subject.case.train, subject.case.queries
    expected = subject.engine.influence(train, queries)
    passes = subject.engine._session.passes
    assert passes.alone_because == ""
    inputs = [inputs for inputs, _ in queries]
    found = subject.engine.score_influence(train, inputs, 1, score="margin")
    assert oracles.relative_error(found, subject.oracle.score_influence(train, queries, ("margin", 1))) < 1e-4

    def loss(outputs, targets):  # control flow on values, which vmap cannot do
        losses = nn.functional.cross_entropy(outputs, targets, reduction="none")
        return losses if (losses > 0).all() else losses * 0

    subject.engine._session.objective = loss
    assert oracles.relative_error(subject.engine.influence(train, queries), expected) <= 1e-6
    assert "cannot run it" in passes.alone_because
