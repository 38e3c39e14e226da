"""The units of a run that are not in the store yet: measured here, and by helpers where that pays off."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tracin_viz.config import Home, SpeedSettings
from tracin_viz.jobs.devices import Machine
from tracin_viz.jobs.loading import Sources
from tracin_viz.jobs.measuring import Measurer
from tracin_viz.jobs.reporter import Reporter
from tracin_viz.jobs.tasks import Board, Task, tasks_of
from tracin_viz.jobs.team import Helper, Team
from tracin_viz.store import plan as plans
from tracin_viz.store import speed as speeds
from tracin_viz.store.artifacts import ArtifactStore
from tracin_viz.store.plan import RunPlan
from tracin_viz.store.speed import Speed

STAGE = "measuring"
LEADER = "leader"
#: Seconds of processor time until a helper measures: torch, transformers, the data, the model.
START_SECONDS = 6.0
#: A run that would still take longer than this alone is helped.
ALONE_SECONDS = 2 * START_SECONDS
#: From this many examples (each counted once per checkpoint) helpers load while this process does: the
#: smallest network takes half a millisecond for one.
MANY = 20_000
WAIT = 0.2  # seconds between two looks at what helpers did


@dataclass(frozen=True)
class Units:
    """What a run measures.

    Attributes:
        home: The workspace.
        sources: The audit's data and model.
        plan: Names the units; saved already.
        speed: What was asked about processes.
    """

    home: Home
    sources: Sources
    plan: RunPlan
    speed: SpeedSettings

    def measure(self, missing: set[str], reporter: Reporter, ready: Sequence[Helper] = ()) -> None:
        """Measure and store every unit whose key is in ``missing``.

        Args:
            missing: Keys of units.
            reporter: Told the progress.
            ready: Helpers that wait already; they end with this call, used or not.

        Raises:
            CancelledError: The run was asked to stop; units finished before stay.
        """
        tasks = [task for task in tasks_of(self.plan) if task.key in missing]
        board, devices = Board(tasks), self._devices(len(tasks))
        report = _Report(reporter, board, sum(len(task) for task in tasks_of(self.plan)))
        ready = [*ready, *self._started_early(board, len(devices) - 1 - len(ready))]
        report("Loading the model")
        examples = board.examples_left()
        store = ArtifactStore(self.home.artifacts)
        team = Team(self.home, self.sources.record.name, board, devices=devices[1:], ready=ready)
        try:
            with team:
                measurer = self._prepared(devices[0])
                began = time.monotonic()
                with measurer.writing(store, board.done) as writer:
                    pace = _Pace(board, team, report, now=bool(ready) or self.speed.workers is not None)
                    while not board.is_over():
                        task = board.wait(LEADER, WAIT)
                        report(self._words(task))
                        if task is not None:
                            measurer.measure(task, writer, pace)
                speeds.save(self.home, self.sources.record.name, self._speed(examples, began))
        finally:
            store.sweep()  # what helpers were writing when they were ended

    def _speed(self, examples: int, began: float) -> Speed:
        settings = self.plan.settings
        rate = examples / max(1e-3, time.monotonic() - began)
        return Speed(rate, self.plan.device, settings.layers, examples)

    def _prepared(self, device: str) -> Measurer:
        """The engine of this process, and the batch size in the plan before anybody else reads it."""
        measurer = Measurer(self.sources, self.plan, ArtifactStore(self.home.artifacts), device=device)
        found = measurer.prepare()
        if self.plan.batch_size != found:
            measurer.plan = replace(self.plan, batch_size=found)
            plans.save(self.home, self.sources.record.name, measurer.plan)
        return measurer

    def _devices(self, tasks: int) -> list[str]:
        """Device of each process, this one first."""
        machine, plan = Machine.here(), self.plan
        chosen = [self.sources.bundle.checkpoints[index] for index in plan.checkpoints]
        model_bytes = max(Path(checkpoint.path).stat().st_size for checkpoint in chosen)
        most = machine.most_workers(plan.device, model_bytes=model_bytes, units=tasks)
        if plan.device == "cpu":
            most = min(most, max(1, machine.cores // max(1, plan.threads)))
        return machine.devices(plan.device, self.speed.workers or most)

    def _started_early(self, board: Board, places: int) -> list[Helper]:
        if board.examples_left() < MANY or self.speed.workers == 1:
            return []
        return [Helper(f"early helper {number + 1}") for number in range(max(0, places))]

    def _words(self, task: Task | None) -> str:
        if task is None:
            return "Waiting for the last units"
        step = self.sources.bundle.checkpoints[self.plan.checkpoints[task.place]].step
        return f"Step {step}: {task.split} examples {task.start}–{task.stop - 1}"


class _Report:
    """Progress of all workers together, in examples (each counted once per checkpoint): units differ in size.

    Args:
        reporter: Told it.
        board: Knows which units are in the store.
        total: Examples of all units of the plan.
    """

    def __init__(self, reporter: Reporter, board: Board, total: int) -> None:
        self._reporter, self._board, self._total = reporter, board, total
        self._message, self._most = "", 0

    def __call__(self, message: str) -> None:
        self._message = message
        self.within(0)

    def within(self, done: int) -> None:
        """Note that this process has measured ``done`` examples of its present unit.

        Raises:
            CancelledError: The run was asked to stop.
        """
        # A unit is measured a moment before it is in the store: the bar must not go back in between.
        self._most = max(self._most, self._total - self._board.examples_left() + done)
        self._reporter.update(STAGE, min(self._most, self._total), self._total, self._message)


class _Pace:
    """Between two batches: stops where that was asked for, and starts helpers where that pays off."""

    def __init__(self, board: Board, team: Team, report: _Report, *, now: bool) -> None:
        self._board, self._team, self._report = board, team, report
        self._began: float | None = None
        self._examples = self._last = 0
        if now:
            team.start()

    def __call__(self, done: int) -> None:
        """Note that ``done`` examples of the present unit are measured."""
        self._report.within(done)
        now = time.monotonic()
        if self._team.started:
            return
        if self._began is None:  # the first batch also warms up
            self._began, self._last = now, done
            return
        self._examples += done - self._last if done > self._last else done
        self._last = done
        each = (now - self._began) / max(1, self._examples)
        if each * self._board.examples_left() > ALONE_SECONDS:
            self._team.start()
