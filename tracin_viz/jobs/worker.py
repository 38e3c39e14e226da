"""A run: from an audit to its finished units and map, skipping whatever is there already.

One run per audit at a time (a lock), one unit after the other, each written whole or not at all. A run that
finds everything in the store never loads torch.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
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
from tracin_viz.store.checkpoint_choice import used

if TYPE_CHECKING:
    from tracin_viz.jobs.loading import Sources
    from tracin_viz.jobs.team import Helper
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
    ready: Sequence[Helper] = (),
) -> None:
    """Compute what is missing of audit ``name``: gradient units of every split, then the map.

    Args:
        home: The workspace.
        name: Name of the audit.
        reporter: Told the progress.
        settings: What changes the answer.
        speed: Device, processes, batch size.
        checkpoints: Which, in the words of ``planning.choose_checkpoints``.
        ready: Helper processes that wait already; the caller ends those that were not needed.

    Raises:
        JobError: Another run of this audit is at work.
        CancelledError: It was asked to stop; finished units stay.
    """
    record = registry.read(home, name)
    try:
        with exclusive(home.runtime / f"{name}.lock", timeout=0.2, doing=f"computing audit '{name}'"):
            _Run(home, record, reporter, settings, speed, checkpoints).compute(ready)
    except StoreError as error:
        if "has been computing" not in error.message:
            raise
        raise JobError(
            f"Audit '{name}' is being computed by another run.", remedy="Wait for it, or cancel it first."
        ) from error


@dataclass(frozen=True)
class _Run:
    """One computation: what is asked, for which audit."""

    home: Home
    record: AuditRecord
    reporter: Reporter
    settings: ResultSettings
    speed: SpeedSettings
    checkpoints: str

    def compute(self, ready: Sequence[Helper]) -> None:
        self.reporter.update("reading", 0, 1, "Reading the data and the checkpoints")
        dataset = registry.open_registered(self.record)
        store = ArtifactStore(self.home.artifacts)
        asked = receipt(self.record, dataset, self.settings, self.checkpoints)
        previous = plans.load(self.home, self.record.name)
        if previous is None or previous.receipt != asked or not _is_finished(previous, store):
            from tracin_viz.jobs.loading import open_sources_of  # torch and transformers take seconds to load

            self._continue(open_sources_of(self.record, dataset), previous, asked, store, ready)
        self.reporter.update("finished", 1, 1, FINISHED)

    def _continue(
        self,
        sources: Sources,
        previous: RunPlan | None,
        asked: str,
        store: ArtifactStore,
        ready: Sequence[Helper],
    ) -> None:
        from tracin_viz.jobs.pilot import basis_for
        from tracin_viz.jobs.planning import Wanted, choose_checkpoints, make_plan
        from tracin_viz.jobs.units import Units

        bundle = sources.bundle
        chosen = choose_checkpoints(bundle.checkpoints, self.checkpoints, classes=len(self.record.classes))
        chosen = used(self.record, chosen)
        wanted = Wanted.of(sources.dataset, bundle, self.settings, chosen)
        basis = basis_for(
            store, sources, wanted, device=self.speed.device, previous=previous, reporter=self.reporter
        )
        plan = make_plan(wanted, speed=self.speed, previous=previous, basis=basis)
        plan = replace(plan, receipt=asked)
        plans.save(self.home, self.record.name, plan)
        missing = {key for key in plan.units if not store.is_whole(key)}
        if missing:
            Units(self.home, sources, plan, self.speed).measure(missing, self.reporter, ready)
        if not store.is_whole(plan.map_key):
            from tracin_viz.jobs.mapping import write_map  # UMAP takes seconds to load

            self.reporter.update("map", 0, 1, "Placing the training examples on a map")
            write_map(store, plan, [bundle.checkpoints[index].learning_rate for index in plan.checkpoints])


def inspect(path: Path, **choices: Any) -> dict[str, Any]:
    """What is in a run folder, looked up in this process (``jobs.inspector`` starts one for it)."""
    from tracin_viz.models.bundle import inspect_run

    return inspect_run(path, **choices)


def _is_finished(plan: RunPlan, store: ArtifactStore) -> bool:
    basis = [] if plan.basis is None else [plan.basis.key]
    return all(store.is_whole(key) for key in (*basis, *plan.units, plan.map_key))
