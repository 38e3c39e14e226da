"""Every product of the engine on CUDA against the same on the CPU."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.engine import test_architectures
from tests.engine.cases import ARCHITECTURES, RATES, Case
from tests.gpu.device import needs_cuda
from tests.oracles import relative_error
from tracin_viz.engine import Checkpoint, InfluenceEngine, Measurements

pytestmark = [*needs_cuda, *test_architectures.pytestmark]


def engine(case: Case, device: str, **options) -> InfluenceEngine:
    checkpoints = [
        Checkpoint(state, rate, step)
        for step, (state, rate) in enumerate(zip(case.states(), RATES, strict=True))
    ]
    shared = {"loss": case.loss, "collate_fn": case.collate, "sketch_dim": 64}
    return InfluenceEngine(case.model, checkpoints, device=device, **shared, **options)


def both(case: Case, ask) -> tuple:
    return tuple(ask(engine(case, device, batch_size=4)) for device in ("cuda", "cpu"))


@pytest.fixture(params=sorted(ARCHITECTURES))
def case(request) -> Case:
    return ARCHITECTURES[request.param]()


def test_influence_agrees(case):
    gpu, cpu = both(case, lambda subject: subject.influence(case.train, case.queries))
    assert relative_error(gpu, cpu) < 1e-4


def test_self_influence_agrees(case):
    gpu, cpu = both(case, lambda subject: subject.self_influence(case.train))
    assert relative_error(gpu[None], cpu[None]) < 1e-4


def test_the_decomposition_agrees_and_sums_to_the_total(case):
    ask = lambda subject: subject.influence(case.train, case.queries, by=("checkpoint", "layer"))  # noqa: E731
    gpu, cpu = both(case, ask)
    assert gpu.layers == cpu.layers
    assert relative_error(gpu.scores.sum((2, 3)), cpu.scores.sum((2, 3))) < 1e-4


def test_sketches_use_the_same_maps(case):
    gpu, cpu = both(case, lambda subject: subject.sketches(case.train))
    for found, true in zip(gpu, cpu, strict=True):
        assert relative_error(found, true) < 1e-4


def test_a_pass_over_a_shard_agrees(case):
    gpu, cpu = both(case, lambda subject: subject.measure(case.train, 0))
    for name in ("rows", "embedding"):
        assert relative_error(getattr(gpu, name), getattr(cpu, name)) < 1e-4
    for name in ("self_influence", "loss"):
        assert relative_error(getattr(gpu, name)[None], getattr(cpu, name)[None]) < 1e-4
    assert np.array_equal(gpu.predicted, cpu.predicted)
    assert np.array_equal(gpu.finite, cpu.finite)


@pytest.mark.parametrize("score", ["logit", "log_probability", "margin"])
def test_score_influence_agrees(score):
    case = ARCHITECTURES["linear_mlp"]()
    inputs = torch.stack([pair[0] for pair in case.queries])
    ask = lambda subject: subject.score_influence(case.train, inputs, 1, score=score)  # noqa: E731
    gpu, cpu = both(case, ask)
    assert relative_error(gpu, cpu) < 1e-4


def test_coverage_is_the_same(case):
    gpu, cpu = both(case, lambda subject: subject.coverage(case.train))
    assert [(line.name, line.rule) for line in gpu] == [(line.name, line.rule) for line in cpu]


def test_the_same_pass_twice_gives_the_same_bits():
    case = ARCHITECTURES[sorted(ARCHITECTURES)[0]]()
    first, second = (engine(case, "cuda", batch_size=4).measure(case.train, 0) for _ in range(2))
    assert_same(first, second)


def assert_same(first: Measurements, second: Measurements) -> None:
    for name in ("rows", "self_influence", "loss", "predicted"):
        assert np.array_equal(getattr(first, name), getattr(second, name))
