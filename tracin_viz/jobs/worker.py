"""A run: from an audit to its finished units and map, skipping whatever is there already.

One run per audit at a time (a lock), one unit after the other, each written whole or not at all. A run that
finds everything in the store never loads torch.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracin_viz.config import Home, ResultSettings, SpeedSettings
from tracin_viz.errors import CancelledError, JobError, StoreError, TracinVizError
from tracin_viz.jobs.receipt import receipt
from tracin_viz.jobs.records import JobBook
from tracin_viz.jobs.reporter import Reporter
from tracin_viz.portable import exclusive
from tracin_viz.store import plan as plans
from tracin_viz.store import registry
from tracin_viz.store.artifacts import ArtifactStore
from tracin_viz.store.checkpoint_choice import used, weighted

if TYPE_CHECKING:
    from tracin_viz.data.dataset import Dataset
    from tracin_viz.models.bundle import ModelBundle
    from tracin_viz.store.plan import RunPlan
    from tracin_viz.store.registry import AuditRecord

#: What a finished run says.
FINISHED = "Influence and map are ready."


@contextlib.contextmanager
def working(book: JobBook, job: str, *, finished: str) -> Iterator[Reporter]:
    """Work on ``job`` inside the block, and record how it ended.

    Args:
        book: The job table.
        job: Identifier of a job that has not begun.
        finished: The message of success.
    """
    book.start(job, os.getpid())
    try:
        with Reporter(book, job) as reporter:
            yield reporter
    except CancelledError as error:
        book.finish(job, "cancelled", str(error))
        raise
    except TracinVizError as error:
        book.finish(job, "failed", str(error))
        raise
    except BaseException as error:
        book.finish(job, "failed", f"{type(error).__name__}: {error}")
        raise
    book.finish(job, "done", finished)


def compute(
    home: Home,
    name: str,
    reporter: Reporter,
    *,
    settings: ResultSettings,
    speed: SpeedSettings,
    checkpoints: str = "all",
) -> None:
    """Compute what is missing of audit ``name``: gradient units of every split, then the map.

    Raises:
        JobError: Another run of this audit is at work.
        CancelledError: It was asked to stop; finished units stay.
    """
    record = registry.read(home, name)
    try:
        with exclusive(home.runtime / f"{name}.lock", timeout=0.2, doing=f"computing audit '{name}'"):
            _compute(home, record, reporter, settings, speed, checkpoints)
    except StoreError as error:
        if "has been computing" not in error.message:
            raise
        raise JobError(
            f"Audit '{name}' is being computed by another run.", remedy="Wait for it, or cancel it first."
        ) from error


def _compute(
    home: Home,
    record: AuditRecord,
    reporter: Reporter,
    settings: ResultSettings,
    speed: SpeedSettings,
    checkpoints: str,
) -> None:
    reporter.update("reading", 0, 1, "Reading the data and the checkpoints")
    dataset = registry.open_registered(record)
    store = ArtifactStore(home.artifacts)
    asked = receipt(record, dataset, settings, checkpoints)
    previous = plans.load(home, record.name)
    if previous is not None and previous.receipt == asked and _is_finished(previous, store):
        reporter.update("finished", 1, 1, FINISHED)
        return
    from tracin_viz.jobs.planning import choose_checkpoints, make_plan  # torch and transformers take seconds
    from tracin_viz.models.bundle import open_run_folder

    bundle = open_run_folder(Path(record.model), **record.choices())
    bundle = replace(bundle, checkpoints=weighted(record, bundle.checkpoints))
    plan = make_plan(
        dataset,
        bundle,
        settings=settings,
        speed=speed,
        checkpoints=used(
            record, choose_checkpoints(bundle.checkpoints, checkpoints, classes=len(record.classes))
        ),
        previous=previous,
    )
    plans.save(home, record.name, replace(plan, receipt=asked))
    missing = {key for key in plan.units if not store.is_whole(key)}
    if missing:
        _measure(record, dataset, bundle, plan, store, reporter, missing)
    if not store.is_whole(plan.map_key):
        from tracin_viz.jobs.mapping import write_map  # UMAP takes seconds to load

        reporter.update("map", 0, 1, "Placing the training examples on a map")
        write_map(store, plan, [bundle.checkpoints[index].learning_rate for index in plan.checkpoints])
    reporter.update("finished", 1, 1, FINISHED)


def inspect(path: Path, **choices: Any) -> dict[str, Any]:
    """What is in a run folder, looked up in this process (``jobs.inspector`` starts one for it)."""
    from tracin_viz.models.bundle import inspect_run

    return inspect_run(path, **choices)


def _is_finished(plan: RunPlan, store: ArtifactStore) -> bool:
    return all(store.is_whole(key) for key in (*plan.units, plan.map_key))


def _measure(
    record: AuditRecord,
    dataset: Dataset,
    bundle: ModelBundle,
    plan: RunPlan,
    store: ArtifactStore,
    reporter: Reporter,
    missing: set[str],
) -> None:
    from tracin_viz.jobs.loading import Sources  # torch takes seconds to load
    from tracin_viz.jobs.measuring import measure_units

    measure_units(Sources(record, dataset, bundle), plan, store, reporter, missing)
