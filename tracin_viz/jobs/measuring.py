"""Measure the gradient units of a run that are not in the store yet."""

from __future__ import annotations

import platform
from typing import Any

import numpy as np
import pandas as pd
import torch

from tracin_viz.engine import InfluenceEngine, Measurements
from tracin_viz.fingerprint import FORMAT
from tracin_viz.jobs.loading import Examples, Sources, build_engine
from tracin_viz.jobs.reporter import Reporter
from tracin_viz.store.artifacts import ArtifactStore
from tracin_viz.store.parts import GradientUnit, write_gradient_unit
from tracin_viz.store.plan import RunPlan, SplitPlan

STAGE = "measuring"


def measure_units(
    sources: Sources, plan: RunPlan, store: ArtifactStore, reporter: Reporter, missing: set[str]
) -> None:
    """Measure and store every unit of ``plan`` whose key is in ``missing``.

    Shards are the outer loop, so that each example is read from its file once for all checkpoints. Query
    splits come first: they are small, and a damaged one is then noticed early.

    Raises:
        CancelledError: The run was asked to stop; units finished before stay.
    """
    torch.set_num_threads(plan.threads)
    total = len(plan.units)
    done = total - len(missing)
    reporter.update(STAGE, done, total, "Loading the model")
    engine = build_engine(sources, plan)
    for name, split in sorted(plan.splits.items(), key=lambda pair: pair[0] == "train"):
        for shard, (start, stop) in enumerate(split.shards):
            examples = Examples(sources.dataset, name, range(start, stop))
            for place, key in enumerate(_keys(split, shard)):
                if key not in missing:
                    continue
                step = sources.bundle.checkpoints[plan.checkpoints[place]].step
                message = f"Step {step}: {name} examples {start}–{stop - 1}"
                reporter.update(STAGE, done, total, message)
                unit = measure_unit(engine, examples, place, reporter)
                write_gradient_unit(store, key, unit, manifest(plan, engine))
                missing.discard(key)
                done += 1
                reporter.update(STAGE, done, total, message)


def measure_unit(
    engine: InfluenceEngine, examples: Examples, checkpoint: int, reporter: Reporter
) -> GradientUnit:
    """One work unit: the examples of a shard at one checkpoint (place in the engine's list)."""
    found: Measurements = engine.measure(examples, checkpoint, on_batch=lambda _: reporter.check())
    table = pd.DataFrame(
        {
            "loss": found.loss,
            "predicted": found.predicted,
            "probability": found.probability,
            "margin": found.margin,
            "label_probability": found.label_probability,
            "other": found.other,
            "other_probability": found.other_probability,
            "self_influence": found.self_influence,
            "finite": found.finite,
        }
    )
    return GradientUnit.from_measurements(found.rows, found.embedding, table)


def manifest(plan: RunPlan, engine: InfluenceEngine) -> dict[str, Any]:
    """How a unit was computed: everything that could explain a difference in its last bits."""
    return {
        "format": FORMAT,
        "kind": "gradients",
        "batch_size": plan.batch_size,
        "threads": plan.threads,
        "device": plan.device,
        "settings": plan.settings.as_dict(),
        "blocks": [list(block) for block in engine.sketch_blocks()],
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
    }


def _keys(split: SplitPlan, shard: int) -> list[str]:
    return [row[shard] for row in split.keys]
