"""A group of queries is one query with a weighted sum of losses: its influence is the sum of theirs."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests import oracles
from tests.engine import cases_hugging_face, cases_layers, cases_models  # noqa: F401 - they register
from tests.engine.cases import ARCHITECTURES, RATES
from tracin_viz.engine import Checkpoint, Groups, InfluenceEngine
from tracin_viz.engine import holding as holding_module
from tracin_viz.errors import EngineError, InputError

TOLERANCE = 1e-4
MEMBERS = [[0, 3, 5], [1, 2], [4, 4, 0], [2]]
WEIGHTS = [[1.0, -2.0, 0.5], [1.0, 1.0], [1.0, 1.0, 3.0], [0.25]]
NAMES = [
    "linear_mlp",
    "conv2d_grouped",
    "batch_norm",
    "embedding_with_padding",
    "tied_embedding_and_output",
    "lstm_bidirectional",
    "distilbert",
    "gpt2_language_model_with_tied_embedding",
]


def engine_of(case, **settings) -> InfluenceEngine:
    points = [Checkpoint(state, rate) for state, rate in zip(case.states(), RATES, strict=True)]
    settings = {"device": "cpu", "batch_size": 4, "collate_fn": case.collate, "loss": case.loss, **settings}
    return InfluenceEngine(case.model, points, **settings)


def oracle_of(case) -> oracles.BruteForce:
    states = list(zip(case.states(), RATES, strict=True))
    return oracles.BruteForce(case.model, states, loss=case.oracle_loss, collate=case.collate)


def weighted(each: np.ndarray, members, weights) -> np.ndarray:
    """Slow twin: (groups, …) sums of the members' own terms."""
    rows = []
    for place, group in enumerate(members):
        factors = [1 / len(group)] * len(group) if weights is None else weights[place]
        rows.append(sum(factor * each[row] for factor, row in zip(factors, group, strict=True)))
    return np.stack(rows)


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["mean", "weighted"])
@pytest.mark.parametrize("name", NAMES)
def test_influence_on_a_group_is_the_weighted_sum_over_its_members(name, weights):
    case = ARCHITECTURES[name]()
    people = [*case.train, *case.queries][:6]
    members = [[row % len(people) for row in group] for group in MEMBERS]
    true = weighted(oracle_of(case).influence(case.train, people), members, weights)
    engine = engine_of(case)
    found = engine.influence(case.train, Groups(people, members, weights))
    assert oracles.relative_error(found, true) <= TOLERANCE
    parts = engine.influence(case.train, Groups(people, members, weights), by=("checkpoint", "layer"))
    assert parts.scores.shape == (4, len(case.train), 2, len(parts.layers))
    assert oracles.relative_error(parts.scores.sum((2, 3)), found) <= 1e-5
    each = engine.influence(case.train, people, by=("checkpoint", "layer")).scores
    flat = (4, -1)
    expected = weighted(each, members, weights)
    assert oracles.relative_error(parts.scores.reshape(flat), expected.reshape(flat)) <= TOLERANCE


def test_score_influence_on_a_group_is_the_mean_over_its_members():
    case = ARCHITECTURES["conv2d_grouped"]()
    engine = engine_of(case)
    inputs = torch.stack([inputs for inputs, _ in case.train])
    classes = [0, 1, 2, 0, 1, 2]
    each = engine.score_influence(case.train, inputs, classes, score="margin")
    found = engine.score_influence(case.train, Groups(inputs, MEMBERS), classes, score="margin")
    assert oracles.relative_error(found, weighted(each, MEMBERS, None)) <= 1e-5


def test_candidates_of_groups_equal_the_columns_of_everything():
    case = ARCHITECTURES["layer_norm"]()
    engine = engine_of(case)
    groups = Groups(case.train, MEMBERS)
    whole = engine.influence(case.train, groups)
    few = engine.influence(case.train, groups, candidates=[5, 1])
    assert oracles.relative_error(few, whole[:, [5, 1]]) <= 1e-5
    each = np.array([[0, 3], [4, 2], [1, 1], [5, 0]])
    found = engine.influence(case.train, groups, candidates=each)
    assert oracles.relative_error(found, np.take_along_axis(whole, each, axis=1)) <= 1e-5


def test_a_group_costs_the_training_data_one_pass_and_groups_that_do_not_fit_take_another(monkeypatch):
    case = ARCHITECTURES["linear_mlp"]()
    engine, seen = engine_of(case, batch_size=64), []
    expected = engine.influence(case.train, Groups(case.train, MEMBERS))
    run = engine._session.passes.run

    def counted(batch, objective, consumer):
        seen.append(len(batch))
        return run(batch, objective, consumer)

    engine._session.passes.run = counted
    engine.influence(case.train, Groups(case.train, MEMBERS))
    assert len(seen) == 2 * len(RATES)  # members, then the training data
    monkeypatch.setattr(holding_module, "HELD_BYTES", 1)
    found = engine.influence(case.train, Groups(case.train, MEMBERS))
    assert oracles.relative_error(found, expected) <= 1e-5
    assert len(seen) == (2 + 2 * len(MEMBERS)) * len(RATES)


def test_a_member_that_is_not_finite_spoils_only_its_groups():
    case = ARCHITECTURES["layer_norm"]()
    broken = list(case.train)
    broken[3] = (torch.full_like(broken[3][0], torch.inf), broken[3][1])
    with pytest.raises(EngineError, match=r"query 3\b.*not finite"):
        engine_of(case).influence(case.train, Groups(broken, MEMBERS))
    found = engine_of(case, on_nonfinite="record").influence(case.train, Groups(broken, MEMBERS))
    expected = engine_of(case).influence(case.train, Groups(case.train, MEMBERS))
    assert np.isnan(found[0]).all()
    assert oracles.relative_error(found[1:], expected[1:]) <= 1e-5


@pytest.mark.parametrize(
    ("members", "weights", "message"),
    [
        ([], None, "no group"),
        ([[0], []], None, "Group 1 has no members"),
        ([[0, 6]], None, r"outside 0 … 5: \[6\]"),
        ([[0, -1]], None, "outside"),
        ([[0, 1]], [[1.0]], "2 members and 1 weights"),
        ([[0, 1]], [[1.0, 1.0], [1.0]], "1 groups and weights for 2"),
        ([[0]], [[float("nan")]], "not a finite number"),
    ],
)
def test_groups_that_cannot_be_are_refused(members, weights, message):
    with pytest.raises(InputError, match=message):
        Groups([None] * 6, members, weights)
