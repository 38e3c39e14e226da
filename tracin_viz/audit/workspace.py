"""The workspace: which audits there are, how new ones are made, and how their runs are doing."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tracin_viz.audit.audit import Audit
from tracin_viz.audit.beginnings import Beginnings
from tracin_viz.audit.creation import check_name, found_in
from tracin_viz.audit.previews import created_document, sources
from tracin_viz.audit.status import status_document
from tracin_viz.config import Home
from tracin_viz.errors import NotFoundError
from tracin_viz.jobs import runner
from tracin_viz.jobs.inspector import Inspector, inspect
from tracin_viz.jobs.records import RUNS, JobBook
from tracin_viz.store import registry
from tracin_viz.store.checkpoint_choice import edited
from tracin_viz.store.database import Database

#: Demo audits by name, with the sentence the Start page shows.
DEMOS = {
    "digits": "5,000 handwritten digits; one in ten training labels was changed on purpose.",
    "commands": "Template-generated voice commands for a smart home, in plain English.",
}


@dataclass(frozen=True)
class AuditSummary:
    """One line about an audit, for lists.

    Attributes:
        name: Name of the audit.
        title: Name for display.
        task: ``"image"`` or ``"text"``.
        splits: Number of examples per split.
        classes: Class names.
        state: State of its newest run (DESIGN §9, ``status``).
        created: Seconds since the epoch.
    """

    name: str
    title: str
    task: str
    splits: dict[str, int]
    classes: tuple[str, ...]
    state: str
    created: float


class Workspace(Beginnings):
    """A folder of audits.

    Args:
        home: Where it is; made on first use.
        read_only: Everything can be asked and nothing changed: what would change something raises
            ``ReadOnlyError``.
    """

    def __init__(self, home: Home, *, read_only: bool = False) -> None:
        super().__init__(home, read_only=read_only)
        home.root.mkdir(parents=True, exist_ok=True)
        self.database = Database(home.database, read_only=read_only)
        self.jobs = JobBook(self.database)

    def summaries(self) -> list[AuditSummary]:
        """All audits, the newest first."""
        found = []
        for name in registry.names(self.home):
            record = registry.read(self.home, name)
            found.append(
                AuditSummary(
                    name=name,
                    title=str(record.notes.get("title", name)),
                    task=record.task,
                    splits=record.splits,
                    classes=record.classes,
                    state=self.status(name)["state"],
                    created=record.created,
                )
            )
        return found

    def open(self, name: str) -> Audit:
        """The audit called ``name``.

        Raises:
            NotFoundError: There is none; the message lists those that exist.
        """
        return Audit(self.home, self.database, registry.read(self.home, name))

    def create(
        self,
        name: str,
        *,
        data: str | Path,
        model: str | Path,
        notes: dict[str, Any] | None = None,
        truth: Path | None = None,
        unused: Sequence[int] = (),
        look_into: Inspector = inspect,
        **choices: Any,
    ) -> dict[str, Any]:
        """Validate data and model together and register them as an audit.

        Args:
            name: Name of the new audit.
            data: Where the examples are; only read.
            model: Where the checkpoints are; only read (an archive is unpacked among the uploads).
            notes: Facts for display.
            truth: CSV ``id,true_label`` of labels known to be wrong.
            unused: Steps of checkpoints that are switched off from the start.
            look_into: How to look into the run folder; by default in a process of its own, because that
                needs torch. A caller that has it loaded anyway passes ``jobs.worker.inspect``.
            choices: ``mapping`` (a dictionary of ``data.DataMapping``), ``task``, ``checkpoints``,
                ``learning_rates``, ``architecture``, ``trust_code``, ``options``: see ``creation.Sources``.

        Returns:
            The ``create`` document of DESIGN §9.

        Raises:
            InputError: Anything that does not fit; nothing is registered then.
        """
        self.database.require_writable()
        check_name(self.home, name)
        record = found_in(name, sources(data, self.run_folder(model), **choices), look_into=look_into)
        record = edited(record, [{"step": step, "use": False} for step in unused])
        record = record.with_notes(notes or {}, created=time.time())
        registry.register(self.home, record, truth=truth)
        return created_document(record)

    def has(self, name: str) -> bool:
        """Whether an audit of that name is registered."""
        return registry.is_registered(self.home, name)

    def begin(self, name: str, kind: str, settings: dict[str, Any]) -> str:
        """Record a job of audit ``name`` that the caller is about to do itself; returns its identifier.

        Raises:
            JobError: The audit has an unfinished job whose process lives.
        """
        runner.reap_stale(self.jobs)
        return self.jobs.create(name, kind, settings, only_one=True).id

    def start_demo(self, kind: str) -> str:
        """Train, create and compute a demo audit in a process of its own.

        Args:
            kind: ``"digits"`` or ``"commands"``; also the audit's name.

        Returns:
            The job's identifier. A demo that is being made already is not started twice.

        Raises:
            NotFoundError: There is no such demo.
        """
        self.database.require_writable()
        if kind not in DEMOS:
            raise NotFoundError(f"There is no demo called '{kind}'.", remedy=f"Demos: {', '.join(DEMOS)}.")
        runner.reap_stale(self.jobs)
        active = self.jobs.active(kind, *RUNS)
        if active is not None:
            return active.id
        job = self.jobs.create(kind, "demo", {})
        command = [
            sys.executable,
            "-m",
            "tracin_viz",
            "demo",
            kind,
            "--home",
            str(self.home.root),
            "--job",
            job.id,
        ]
        runner.start_detached(self.home, command, job)
        return job.id

    def status(self, name: str) -> dict[str, Any]:
        """How the newest run of ``name`` is doing (DESIGN §9, ``status``), also for a demo still in training.

        Raises:
            NotFoundError: Neither an audit nor a run has that name.
        """
        self.home.audit_folder(name)  # refuses what cannot be a name
        runner.reap_stale(self.jobs)
        job = self.jobs.latest(name, *RUNS)
        if job is None and not self.has(name):
            registry.read(self.home, name)  # raises, listing the audits that exist
        return status_document(self.home, name, job)

    def cancel(self, name: str) -> dict[str, Any]:
        """Ask the running job of ``name`` to stop; finished units stay. Returns the status document."""
        self.database.require_writable()
        self.status(name)
        active = self.jobs.active(name, *RUNS)
        if active is not None:
            runner.stop(self.jobs, active)
        return self.status(name)
