"""Measure gradient units: one engine on one device, one unit after the other, a thread writes them."""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch.nn import functional

from tracin_viz.engine import InfluenceEngine, Measurements
from tracin_viz.fingerprint import FORMAT
from tracin_viz.jobs.loading import Examples, Sources, build_engine
from tracin_viz.jobs.tasks import Task
from tracin_viz.jobs.writing import Writer
from tracin_viz.store.artifacts import ArtifactStore
from tracin_viz.store.parts import EXAMPLE_COLUMNS, GradientUnit, write_gradient_unit
from tracin_viz.store.plan import RunPlan

OnBatch = Callable[[int], None]


@dataclass(frozen=True)
class _Measured:
    """A unit on its way to the disk."""

    task: Task
    found: Measurements
    manifest: dict[str, Any]


class Measurer:
    """Measures units of a plan.

    Args:
        sources: The audit's data and model, opened.
        plan: Which checkpoints and settings; a batch size of 0 is found by ``prepare``.
        store: Where the basis of the sketches is.
        device: Where; by default the plan's.

    Attributes:
        plan: What ends up in the manifests of units.
        engine: What measures.
    """

    def __init__(
        self, sources: Sources, plan: RunPlan, store: ArtifactStore, *, device: str | None = None
    ) -> None:
        if plan.threads:
            torch.set_num_threads(plan.threads)
        self._sources = sources
        self._store = store
        self.plan = plan
        self.engine = build_engine(sources, plan, store, device=device or plan.device)
        self._shard: tuple[tuple[str, int], Examples] | None = None
        self._device = device or plan.device
        self._scored: InfluenceEngine | None = None

    def prepare(self) -> int:
        """Check the model on three training examples and find the batch size; returns that.

        Always the same examples: what the check learns must not depend on which unit a process begins with.

        Raises:
            EngineError: The model cannot be measured.
        """
        count = len(self._sources.dataset.splits["train"].labels)
        self.engine.coverage(Examples(self._sources.dataset, "train", range(count), keep=False))
        return self.engine.batch_size

    @contextlib.contextmanager
    def writing(
        self, store: ArtifactStore, on_written: Callable[[Task], None]
    ) -> Iterator[Writer[_Measured]]:
        """A thread that stores what ``measure`` gives it.

        Args:
            store: Where units go.
            on_written: Told each task whose unit is in the store, by that thread.
        """

        def write(item: _Measured) -> None:
            write_gradient_unit(store, item.task.key, unit_of(item.found), item.manifest)
            on_written(item.task)

        with Writer(write) as writer:
            yield writer

    def measure(self, task: Task, writer: Writer[_Measured], on_batch: OnBatch) -> None:
        """Measure one unit and hand it to ``writer``; ``on_batch`` may raise to stop."""
        if self._shard is None or self._shard[0] != task.shard:
            rows = range(task.start, task.stop)
            self._shard = task.shard, Examples(self._sources.dataset, task.split, rows)
        engine = self._engine_for(task)
        found = engine.measure(self._shard[1], task.place, on_batch=on_batch)
        writer.put(_Measured(task, found, manifest(self.plan, engine)))

    def _engine_for(self, task: Task) -> InfluenceEngine:
        """The engine, or for examples without labels one that takes prediction scores for them."""
        dataset = self._sources.dataset
        labels = dataset.splits[task.split].labels[task.start : task.stop]
        # Several labels and numbers have their own losses; where one is missing, that loss is not a number.
        if dataset.target != "class" or not (labels < 0).any():
            return self.engine
        if self._scored is None:
            self._scored = build_engine(
                self._sources,
                self.plan,
                self._store,
                device=self._device,
                loss=loss_or_score,
                batch_size=self.engine.batch_size,
            )
        return self._scored


def unit_of(found: Measurements) -> GradientUnit:
    """The measurements of a shard as they are stored."""
    table = pd.DataFrame({name: getattr(found, name) for name in EXAMPLE_COLUMNS})
    # Without a label (see ``loss_or_score``) there is a prediction, but no loss.
    table.loc[(found.predicted >= 0) & (found.other < 0), "loss"] = np.nan
    return GradientUnit.from_measurements(found.rows, found.embedding, table)


def loss_or_score(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Cross entropy (B,); where the target is -1, minus the logit of the class predicted there.

    An example without a label is explained by its prediction score (DESIGN §2); a proponent raises it, hence
    the minus.
    """
    losses = functional.cross_entropy(outputs, targets.clamp(min=0), reduction="none")
    return torch.where(targets >= 0, losses, -outputs.max(1).values)


def manifest(plan: RunPlan, engine: InfluenceEngine) -> dict[str, Any]:
    """How the unit just measured was computed: everything that could explain a difference in its last bits.

    ``batches`` is there only where memory ran out and the unit was computed in smaller pieces than planned.
    """
    whole, rest = divmod(sum(engine.partition), plan.batch_size)
    planned = [plan.batch_size] * whole + [rest] * (rest > 0)
    return {
        "format": FORMAT,
        "kind": "gradients",
        "batch_size": plan.batch_size,
        "threads": plan.threads,
        "device": plan.device,
        "settings": plan.settings.key_parts(),
        **({} if plan.basis is None else {"basis": plan.basis.digest}),
        "blocks": [list(block) for block in engine.sketch_blocks()],
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
        **({"batches": engine.partition} if engine.partition != planned else {}),
    }
