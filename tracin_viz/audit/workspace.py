"""The workspace: which audits there are, how new ones are made, and how their runs are doing."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tracin_viz.audit.audit import Audit
from tracin_viz.audit.creation import check_name, found_in
from tracin_viz.audit.status import status_document
from tracin_viz.config import Home
from tracin_viz.errors import InputError, NotFoundError
from tracin_viz.jobs import runner
from tracin_viz.jobs.inspector import Inspector, inspect
from tracin_viz.jobs.records import JobBook
from tracin_viz.store import registry
from tracin_viz.store.database import Database
from tracin_viz.store.uploads import Uploads

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


class Workspace:
    """A folder of audits.

    Args:
        home: Where it is; made on first use.
    """

    def __init__(self, home: Home) -> None:
        self.home = home
        home.root.mkdir(parents=True, exist_ok=True)
        self.database = Database(home.database)
        self.jobs = JobBook(self.database)
        self.uploads = Uploads(home.root / "uploads")

    def sweep_uploads(self) -> list[str]:
        """Remove uploads that stand still or that no audit uses; returns their identifiers."""
        records = [registry.read(self.home, name) for name in registry.names(self.home)]
        used = [
            Path(path)
            for record in records
            for path in (record.data, record.model, record.architecture or "")
        ]
        return self.uploads.sweep([path for path in used if path.is_absolute()])

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
        checkpoints: str | None = None,
        task: str | None = None,
        learning_rates: Sequence[float] | None = None,
        trust_code: bool = False,
        notes: dict[str, Any] | None = None,
        truth: Path | None = None,
        look_into: Inspector = inspect,
    ) -> dict[str, Any]:
        """Validate data and model together and register them as an audit.

        Args:
            name: Name of the new audit.
            data: Image folder, zip of one, or CSV; only read.
            model: Run folder of Hugging Face Trainer; only read.
            checkpoints: Pattern of checkpoint folders, such as ``checkpoint-*``.
            task: ``"image"`` or ``"text"``; recognised where not given.
            learning_rates: One learning-rate weight per checkpoint, where the files do not say.
            trust_code: Whether Python code of the user may be run; no format of this version needs it.
            notes: Facts for display.
            truth: CSV ``id,true_label`` of labels known to be wrong.
            look_into: How to look into the run folder; by default in a process of its own, because that
                needs torch. A caller that has it loaded anyway passes ``jobs.worker.inspect``.

        Returns:
            The ``create`` document of DESIGN §9.

        Raises:
            InputError: Anything that does not fit; nothing is registered then.
        """
        check_name(self.home, name)
        if trust_code:
            raise InputError(
                "No format that this version reads runs code, so --trust-code has nothing to allow.",
                remedy="Leave it out; give a Hugging Face run folder as the model.",
            )
        record = found_in(
            name,
            data=Path(data),
            model=Path(model),
            pattern=checkpoints,
            task=task,
            learning_rates=learning_rates,
            look_into=look_into,
        )
        record = record.with_notes(notes or {}, created=time.time())
        registry.register(self.home, record, truth=truth)
        return {
            "audit": name,
            "task": record.task,
            "splits": record.splits,
            "classes": list(record.classes),
            "checkpoints": [checkpoint.as_dict() for checkpoint in record.checkpoints],
            "problems": list(record.problems),
        }

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
        if kind not in DEMOS:
            raise NotFoundError(f"There is no demo called '{kind}'.", remedy=f"Demos: {', '.join(DEMOS)}.")
        runner.reap_stale(self.jobs)
        active = self.jobs.active(kind)
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
        job = self.jobs.latest(name)
        if job is None and not self.has(name):
            registry.read(self.home, name)  # raises, listing the audits that exist
        return status_document(self.home, name, job)

    def cancel(self, name: str) -> dict[str, Any]:
        """Ask the running job of ``name`` to stop; finished units stay. Returns the status document."""
        self.status(name)
        active = self.jobs.active(name)
        if active is not None:
            runner.stop(self.jobs, active)
        return self.status(name)
