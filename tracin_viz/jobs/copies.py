"""A demo trained on a copy of its labels and measured like any audit: the self-test with full training."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tracin_viz.data.dataset import Dataset
from tracin_viz.demo.again import DemoTraining
from tracin_viz.engine import Checkpoint, InfluenceEngine
from tracin_viz.jobs.loading import Collate, Examples
from tracin_viz.models.bundle import open_run_folder

#: Share of the work that is training; the rest is measuring.
TRAINING = 0.6
#: The sketches are not used, so they are as small as they may be.
SKETCH = 16


def measured_copy(
    training: DemoTraining,
    dataset: Dataset,
    stay: npt.NDArray[np.bool_],
    labels: npt.NDArray[Any],
    seed: int,
    on_share: Callable[[float], None],
) -> dict[str, npt.NDArray[np.float64]]:
    """Train on ``labels`` and measure the examples that stay at every checkpoint of that training.

    Args:
        training: How.
        dataset: The audit's data.
        stay: (N,) training examples that are used.
        labels: (N,) their classes.
        seed: Of the training.
        on_share: Told the share done; may raise to stop.

    Returns:
        self_influence, loss and margin (K, n), learning_rates (K,), as ``explore.last_layer.measured``.
    """
    with tempfile.TemporaryDirectory(prefix="tracin-viz-") as folder:
        run = Path(folder) / "run"
        training.train(stay, labels, seed, lambda share: on_share(TRAINING * share), run=run)
        bundle = open_run_folder(run)
        train = dataset.splits["train"]
        relabelled = replace(train, labels=np.asarray(labels, dtype=np.int64))
        copy = replace(dataset, splits={**dataset.splits, "train": relabelled})
        examples = Examples(copy, "train", np.flatnonzero(stay).tolist())
        engine = InfluenceEngine(
            bundle.build(),
            [
                Checkpoint(bundle.read_weights(one), learning_rate=one.learning_rate, step=one.step)
                for one in bundle.checkpoints
            ],
            sketch_dim=SKETCH,
            device="cpu",
            collate_fn=Collate(bundle),
            on_nonfinite="record",
        )
        places = len(engine.checkpoints)
        found = []
        for place in range(places):
            on_share(TRAINING + (1 - TRAINING) * place / places)
            found.append(engine.measure(examples, place))
    columns = {
        name: np.stack([getattr(one, name) for one in found]).astype(np.float64)
        for name in ("self_influence", "loss", "margin")
    }
    return {**columns, "learning_rates": np.array([one.learning_rate for one in engine.checkpoints])}
