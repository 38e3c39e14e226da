"""Learning rates are applied once, per parameter group too, and chosen layers are their own terms."""

from __future__ import annotations

import numpy as np
import pytest

from tests import oracles
from tests.engine import cases_layers  # noqa: F401 - they register
from tests.engine.cases import ARCHITECTURES, RATES
from tests.engine.test_guarantees import EXACT, engine_of
from tracin_viz.engine import Checkpoint, InfluenceEngine
from tracin_viz.errors import InputError


def test_learning_rates_are_applied_once_also_per_parameter_group():
    case = ARCHITECTURES["linear_mlp"]()
    state = case.states()[1]
    terms = oracles.BruteForce(case.model, [(state, 1.0)]).decomposition(case.train, case.queries)
    rates = {r"bias$": 0.5, r"^0\.": 0.02, ".": 0.1}
    true = sum(
        terms[0, name] * (0.5 if name.endswith("bias") else 0.02 if name.startswith("0") else 0.1)
        for _, name in terms
    )
    engine = InfluenceEngine(case.model, [Checkpoint(state, rates)], device="cpu")
    assert oracles.relative_error(engine.influence(case.train, case.queries), true) <= EXACT
    squares = sum(
        np.square(each.numpy()).sum(1)
        * (0.5 if name.endswith("bias") else 0.02 if name.startswith("0") else 0.1)
        for name, each in oracles.BruteForce(case.model, [(state, 1.0)]).gradients(case.train)[0].items()
    )
    assert oracles.relative_error(engine.self_influence(case.train), squares) <= EXACT


def test_a_parameter_that_no_learning_rate_names_is_an_error():
    case = ARCHITECTURES["linear_mlp"]()
    engine = InfluenceEngine(case.model, [Checkpoint(case.states()[0], {"weight": 0.1})], device="cpu")
    with pytest.raises(InputError, match="bias"):
        engine.self_influence(case.train)


@pytest.mark.parametrize("layers", [r"^2\.", "last"])
def test_chosen_layers_equal_their_terms(layers):
    case = ARCHITECTURES["linear_mlp"]()
    states = list(zip(case.states(), RATES, strict=True))
    terms = oracles.BruteForce(case.model, states).decomposition(case.train, case.queries)
    true = sum(term for (_, name), term in terms.items() if name.startswith("2."))
    found = engine_of(case, layers=layers).influence(case.train, case.queries)
    assert oracles.relative_error(found, true) <= EXACT
