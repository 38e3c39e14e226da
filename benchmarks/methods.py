"""What is timed: a plain training epoch, which is the unit of all times, our products, and other tools."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch.nn import functional
from torch.utils.data import ConcatDataset

from benchmarks import peers
from benchmarks.workloads import Workload
from tracin_viz.engine import Checkpoint, InfluenceEngine

SKETCH_DIM = 4096
FLOOR_ALL = "FLOOR-A (training examples and queries)"
FLOOR_TRAIN = "FLOOR-A (training examples)"
EXACT = "**exact influence**"
SELF = "**self-influence**"
SKETCHES = f"**sketches**, d = {SKETCH_DIM}"
FITTED = f"**sketches**, d = {SKETCH_DIM}, fitted maps"
FIT = "fitting the maps to a pilot (once per engine)"
KINDS = {"random": SKETCHES, "pca": FITTED}  # how the engine calls the maps, and their rows
START = "start check and batch size (once per engine)"


@dataclass(frozen=True)
class Method:
    """One row of a table.

    Attributes:
        run: What is timed.
        floor: The method whose time this one is divided by.
        scores: From the result to (Q, N) scores or (N,) self-influence; ``None`` where there are none.
        part: (N, Q) where only so many of the first examples and queries are used.
        once: Whether it runs once instead of several times.
    """

    run: Callable[[], Any]
    floor: str
    scores: Callable[[Any], np.ndarray] | None = None
    part: tuple[int, int] | None = None
    once: bool = False


def engine_of(work: Workload, **settings: Any) -> InfluenceEngine:
    """Our engine with everything left to its defaults."""
    pairs = enumerate(zip(work.states, work.rates, strict=True))
    points = [Checkpoint(state, rate, step) for step, (state, rate) in pairs]
    return InfluenceEngine(work.model, points, sketch_dim=SKETCH_DIM, device=work.device, **settings)


def methods(work: Workload, tools: list[str] | None = None) -> dict[str, Method]:
    """Everything that is measured, by its name in the table.

    Args:
        work: The workload.
        tools: Names from ``peers.TOOLS`` to compare with; all where none are given.
    """
    engine = engine_of(work)
    ours = {
        FLOOR_ALL: Method(lambda: floor(work, ConcatDataset([work.train, work.queries])), FLOOR_ALL),
        FLOOR_TRAIN: Method(lambda: floor(work, work.train), FLOOR_TRAIN),
        EXACT: Method(lambda: engine.influence(work.train, work.queries), FLOOR_ALL, np.asarray),
        SELF: Method(lambda: engine.self_influence(work.train), FLOOR_TRAIN, np.asarray),
        **{row: _sketches(work, kind) for kind, row in KINDS.items()},
        FIT: Method(lambda: engine_of(work, sketch="pca").fit_sketches(work.train), FLOOR_TRAIN),
        START: Method(lambda: engine_of(work).coverage(work.train), FLOOR_TRAIN),
    }
    found = ours
    for tool in peers.TOOLS if tools is None else tools:
        if tool == "dattri":
            found |= _dattri(work)
            continue
        for name, (run, pairwise) in peers.TOOLS[tool](work).items():
            found[name] = Method(run, FLOOR_ALL if pairwise else FLOOR_TRAIN, peers.to_numpy)
    return found


def _sketches(work: Workload, kind: str) -> Method:
    engine = engine_of(work, sketch=kind)

    def scores(rows: np.ndarray) -> np.ndarray:
        asked = engine.sketches(work.queries)
        rates = np.asarray(work.rates)
        return np.einsum("k,kqd,knd->qn", rates, asked.astype(np.float64), rows.astype(np.float64))

    return Method(lambda: engine.sketches(work.train), FLOOR_TRAIN, scores)


def _dattri(work: Workload) -> dict[str, Method]:
    """A part of the workload for dattri, with the training epoch over that part.

    Its per-example gradients of a network with millions of parameters take seconds each: one run over the
    whole would take many minutes.
    """
    large = sum(p.numel() for p in work.model.parameters()) > 1_000_000
    part = (min(4 if large else 100, len(work.train)), min(2 if large else 50, len(work.queries)))
    less = work.first(*part)
    ((name, (run, _)),) = peers.dattri_methods(less).items()
    floor_name = f"FLOOR-A (first {part[0]} examples and {part[1]} queries)"
    return {
        floor_name: Method(lambda: floor(less, ConcatDataset([less.train, less.queries])), floor_name),
        f"{name}, on these": Method(run, floor_name, peers.to_numpy, part, once=large),
    }


def floor(work: Workload, data: Any) -> None:
    """One training epoch without the optimizer step, at every checkpoint."""
    for state in work.states:
        work.model.load_state_dict(state)
        for inputs, labels in work.batches(data):
            work.model.zero_grad(set_to_none=True)
            functional.cross_entropy(work.model(*inputs), labels, reduction="sum").backward()
    work.model.zero_grad(set_to_none=True)
