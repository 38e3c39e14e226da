"""Gradients that are not finite: named with their example, or recorded, and never replaced."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests import oracles
from tests.engine import cases_layers  # noqa: F401 - they register
from tests.engine.cases import ARCHITECTURES
from tests.engine.test_guarantees import EXACT, engine_of
from tracin_viz.errors import EngineError


def with_a_broken_example():
    case = ARCHITECTURES["layer_norm"]()
    broken = list(case.train)
    broken[3] = (torch.full_like(broken[3][0], torch.inf), broken[3][1])
    return case, broken


@pytest.mark.parametrize("product", ["influence", "self_influence", "sketches", "measure"])
def test_non_finite_gradients_raise_with_the_example(product):
    case, broken = with_a_broken_example()
    arguments = {"influence": (broken, case.queries), "measure": (broken, 0)}.get(product, (broken,))
    with pytest.raises(EngineError, match=r"\b3\b.*not finite"):
        getattr(engine_of(case), product)(*arguments)


def test_non_finite_gradients_are_recorded_and_never_replaced():
    case, broken = with_a_broken_example()
    engine = engine_of(case, on_nonfinite="record")
    good = [0, 1, 2, 4, 5]
    whole = engine_of(case)
    for found, expected in (
        (engine.influence(broken, case.queries), whole.influence(case.train, case.queries)),
        (engine.self_influence(broken)[None], whole.self_influence(case.train)[None]),
    ):
        assert np.isnan(found[:, 3]).all()
        assert oracles.relative_error(found[:, good], expected[:, good]) <= EXACT
    assert sorted(engine.nonfinite) == [(0, 3), (1, 3)]
    assert list(engine.measure(broken, 0).finite) == [True, True, True, False, True, True]
    found = engine.sketches(broken)
    assert np.isnan(found[:, 3]).all()
    assert np.isfinite(found[:, good]).all()


def test_a_non_finite_query_spoils_only_its_own_row():
    case, broken = with_a_broken_example()
    found = engine_of(case, on_nonfinite="record").influence(case.train, broken)
    assert np.isnan(found[3]).all()
    rest = np.delete(found, 3, axis=0)
    true = np.delete(engine_of(case).influence(case.train, case.train), 3, axis=0)
    assert oracles.relative_error(rest, true) <= EXACT
