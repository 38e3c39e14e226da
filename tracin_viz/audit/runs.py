"""The runs of an audit: what was asked, what is there, start and stop."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tracin_viz.audit.results import Results
from tracin_viz.audit.status import status_document
from tracin_viz.config import Home, ResultSettings, SpeedSettings
from tracin_viz.errors import JobError
from tracin_viz.jobs import runner
from tracin_viz.jobs.records import RUNS, JobBook
from tracin_viz.store import plan as plans
from tracin_viz.store import speed as speeds
from tracin_viz.store.database import Database
from tracin_viz.store.registry import AuditRecord


@dataclass(frozen=True)
class Ready:
    """Which results can be looked at: influence scores (and all that follows from them), and the map."""

    scores: bool
    map: bool


class Runs:
    """What an audit says about its runs.

    Attributes:
        home: The workspace.
        record: What was registered.
        database: Of the workspace.
        results: Of the newest run.
    """

    home: Home
    record: AuditRecord
    database: Database
    results: Results

    @cached_property
    def _jobs(self) -> JobBook:
        return JobBook(self.database)

    def ready(self) -> Ready:
        """What can be looked at now."""
        return Ready(scores=self.results.scores_ready(), map=self.results.map_ready())

    def map_current(self) -> bool:
        """Whether the map is of the checkpoints and learning rates that count now; it must be ready."""
        return self.results.map_current()

    def status(self) -> dict[str, Any]:
        """How the newest run is doing (DESIGN §9, ``status``)."""
        runner.reap_stale(self._jobs)
        return status_document(self.home, self.record.name, self._jobs.latest(self.record.name, *RUNS))

    def start(
        self,
        *,
        settings: ResultSettings | None = None,
        speed: SpeedSettings | None = None,
        checkpoints: str = "all",
    ) -> str:
        """Start a run in a process of its own; it goes on where an earlier one stopped.

        Returns:
            The job's identifier.

        Raises:
            JobError: A run of this audit is at work already.
        """
        self.database.require_writable()
        runner.reap_stale(self._jobs)
        active = self._jobs.active(self.record.name, *RUNS)
        if active is not None:
            raise JobError(
                f"Audit '{self.record.name}' is being computed already.",
                remedy="Wait for it, or cancel it first.",
            )
        wanted = settings or ResultSettings(sketch=self.sketch_choice())
        fast = speed or SpeedSettings()
        job = self._jobs.create(
            self.record.name,
            "compute",
            {"settings": wanted.as_dict(), "speed": fast.as_dict(), "checkpoints": checkpoints},
        )
        command = [sys.executable, "-m", "tracin_viz", "compute", self.record.name]
        runner.start_detached(self.home, [*command, "--home", str(self.home.root), "--job", job.id], job)
        return job.id

    def redraw_map(self) -> str:
        """Start a run that draws the map anew, for the checkpoints and learning rates that count now.

        Returns:
            The job's identifier.

        Raises:
            JobError: A run of this audit is at work already.
            NotComputedError: No finished run.
        """
        plan = self.results.plan()
        places = ",".join(str(index + 1) for index in plan.checkpoints)
        return self.start(settings=plan.settings, checkpoints=places)

    def cancel(self) -> None:
        """Ask the running job to stop; finished units stay."""
        self.database.require_writable()
        active = self._jobs.active(self.record.name, *RUNS)
        if active is not None:
            runner.stop(self._jobs, active)

    def last_settings(self) -> ResultSettings | None:
        """What the newest run was asked to compute; ``None`` before the first."""
        plan = plans.load(self.home, self.record.name)
        return None if plan is None else plan.settings

    def sketch_choice(self) -> str:
        """Which sketch maps a run gets where nobody says: those of the newest run, else the usual ones."""
        last = self.last_settings()
        return ResultSettings().sketch if last is None else last.sketch

    def measured_speed(self, device: str, layers: str) -> float | None:
        """Examples per second, each counted once per checkpoint, of the last run of that kind.

        Args:
            device: As ``SpeedSettings`` names it; "auto" is taken to be that of the last run.
            layers: As ``ResultSettings`` names them.
        """
        found = speeds.load(self.home, self.record.name)
        if found is None or found.layers != layers or device not in ("auto", found.device):
            return None
        return found.examples_per_second

    def computed(self) -> list[int]:
        """Steps of the checkpoints that the newest run computed, whether they are in use or not."""
        plan = plans.load(self.home, self.record.name)
        places = () if plan is None else plan.checkpoints
        return [one.step for index, one in enumerate(self.record.checkpoints) if index in places]

    def uncomputed(self) -> list[int]:
        """Steps of the checkpoints that are in use but that the newest run did not compute."""
        plan = plans.load(self.home, self.record.name)
        computed = () if plan is None else plan.checkpoints
        return [
            one.step
            for index, one in enumerate(self.record.checkpoints)
            if index not in computed and one.step not in self.record.unused
        ]
