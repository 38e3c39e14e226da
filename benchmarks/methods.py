"""What is timed: our products, captum's, and the plain training epoch that both are compared with."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional
from torch.utils.data import ConcatDataset, DataLoader

from benchmarks.workloads import Workload
from tracin_viz.engine import Checkpoint, InfluenceEngine

SKETCH_DIM = 4096
FLOOR_ALL = "FLOOR-A (training examples and queries)"
FLOOR_TRAIN = "FLOOR-A (training examples)"
EXACT = "exact influence"
SELF = "self-influence"
SKETCHES = f"sketches, d = {SKETCH_DIM}"
CAPTUM_EXACT = "captum, sample-wise influence"
CAPTUM_SELF = "captum, sample-wise self-influence"
FLOOR_OF = {EXACT: FLOOR_ALL, CAPTUM_EXACT: FLOOR_ALL, SELF: FLOOR_TRAIN, SKETCHES: FLOOR_TRAIN}
FLOOR_OF[CAPTUM_SELF] = FLOOR_TRAIN


def engine_of(work: Workload, **settings: Any) -> InfluenceEngine:
    """Our engine with everything left to its defaults."""
    pairs = enumerate(zip(work.states, work.rates, strict=True))
    points = [Checkpoint(state, rate, step) for step, (state, rate) in pairs]
    return InfluenceEngine(work.model, points, sketch_dim=SKETCH_DIM, device="cpu", **settings)


def methods(work: Workload) -> dict[str, Callable[[], Any]]:
    """Everything that can be measured here; captum only where it is installed."""
    engine = engine_of(work)
    found: dict[str, Callable[[], Any]] = {
        FLOOR_ALL: lambda: floor(work, ConcatDataset([work.train, work.queries])),
        FLOOR_TRAIN: lambda: floor(work, work.train),
        EXACT: lambda: engine.influence(work.train, work.queries),
        SELF: lambda: engine.self_influence(work.train),
        SKETCHES: lambda: engine.sketches(work.train),
    }
    if importlib.util.find_spec("captum") is not None:
        found[CAPTUM_EXACT] = lambda: captum_of(work).influence(work.queries.tensors)
        found[CAPTUM_SELF] = lambda: captum_of(work).self_influence()
    return found


def floor(work: Workload, data: Any) -> None:
    """One training epoch without the optimizer step, at every checkpoint."""
    for state in work.states:
        work.model.load_state_dict(state)
        for inputs, labels in DataLoader(data, batch_size=work.batch):
            work.model.zero_grad(set_to_none=True)
            functional.cross_entropy(work.model(inputs), labels, reduction="sum").backward()
    work.model.zero_grad(set_to_none=True)


def captum_of(work: Workload) -> Any:
    """The exact engine of captum in its fastest setting with full gradients."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # captum's remarks on its own settings
        from captum.influence import TracInCP

        def load(model: torch.nn.Module, number: str) -> float:
            model.load_state_dict(work.states[int(number)])
            return work.rates[int(number)]

        return TracInCP(
            work.model,
            work.train,
            [str(number) for number in range(len(work.states))],
            checkpoints_load_func=load,
            loss_fn=torch.nn.CrossEntropyLoss(reduction="sum"),
            batch_size=work.batch,
            sample_wise_grads_per_batch=True,
        )
