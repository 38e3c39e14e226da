"""Does it help? Estimates, retrainings and self-tests: start them, follow them, read their answers."""

from __future__ import annotations

import sys
from functools import cached_property
from pathlib import Path
from typing import Any

from tracin_viz.audit.relabelling import Relabelling
from tracin_viz.errors import InputError, JobError
from tracin_viz.jobs import runner
from tracin_viz.jobs.evidence_settings import (
    FULL,
    LAST_LAYER,
    PLANTS,
    SETTINGS,
    TESTS,
    EstimateSettings,
    RetrainSettings,
    SelfTestSettings,
    Settings,
)
from tracin_viz.jobs.query_client import QueryClient
from tracin_viz.jobs.records import JobBook, seconds_left
from tracin_viz.relabel.changes import Changes, new_labels, read_changes
from tracin_viz.store.artifacts import ArtifactStore
from tracin_viz.store.evidence import EvidenceBook, inputs_of

__all__ = ["FULL", "LAST_LAYER", "PLANTS", "TESTS", "Evidence", "Settings", "settings_of"]

#: Gradients of single examples that the query process may compute for an estimate: others wait meanwhile.
QUICK_GRADIENTS = 6_000
#: Beside the data of a demo: how it was made.
DEMO_MANIFEST = "demo.json"


class Evidence(Relabelling):
    """The part of an audit that says whether decisions help, and how far the audit can be trusted.

    Every answer is a document of plain values. Beside what was computed it has ``made`` (seconds since 1970),
    ``current`` (whether decisions and results are still those it was computed from) and ``older`` (what is
    not: "decisions", "results").
    """

    @cached_property
    def _book(self) -> EvidenceBook:
        return EvidenceBook(self.database, ArtifactStore(self.home.artifacts), self.record.name)

    @cached_property
    def _evidence_jobs(self) -> JobBook:
        return JobBook(self.database)

    def label_changes(self) -> Changes:
        """What the decisions so far change about the labels that a model would be trained on."""
        events = self.history()
        last = (events[-1].seq if events else 0, self.policy)
        # Pages ask at every rerun; with 100,000 decisions reading them all takes a while.
        if self._changes is None or self._changes[0] != last:
            self._changes = last, read_changes(new_labels(self.decisions()), self.results.dataset())
        return self._changes[1]

    _changes: tuple[tuple[int, str], Changes] | None = None

    def held_out(self) -> str | None:
        """The split on which evidence is measured; ``None`` where all examples may have been reviewed."""
        return next((name for name in self.record.splits if name != "train"), None)

    def can_retrain_fully(self) -> bool:
        """Whether it is known how the whole network was trained (demo audits)."""
        return (Path(self.record.data).parent / DEMO_MANIFEST).is_file()

    def estimate(
        self, *, of: str = "all", class_name: str | None = None, simulated: float | None = None
    ) -> dict[str, Any] | None:
        """The newest first-order estimate of what the decisions would do; ``None`` before the first.

        Args:
            of: Which test examples: ``"all"`` or those that the model gets ``"wrong"``.
            class_name: Only test examples of this class.
            simulated: The decisions of a simulated annotator who looked at this percentage of the suspects.

        Returns:
            ``overall`` and ``classes``: by how much the loss of the test examples falls (positive = lower),
            each with a bootstrap interval over the test examples and ``loss_now``; ``unit`` ("loss", or
            "score" where only sign and order mean something, with the reason in ``unit_unknown``);
            ``decisions`` that lower and raise it most; ``changes``, ``examples``, ``covered`` and more.
        """
        return self._newest("estimate", EstimateSettings(of, class_name, simulate=simulated).variant)

    def retraining(self, *, how: str | None = None, simulated: float | None = None) -> dict[str, Any] | None:
        """The newest retraining with and without the decisions; ``None`` before the first.

        Args:
            how: ``"last-layer"`` or ``"full"``; ``None`` = the full one where there is one.
            simulated: As in ``estimate``.

        Returns:
            ``arms`` (values by seed, mean, interval), ``gain`` (paired over seeds; positive = better),
            ``gain_over_examples`` (bootstrap over held-out examples), ``loss_gain``, ``classes``,
            ``measure``, ``better``, ``seeds`` and more.
        """
        for one in (FULL, LAST_LAYER) if how is None else (how,):
            found = self._newest("retrain", RetrainSettings(one, simulate=simulated).variant)
            if found is not None:
                return found
        return None

    def self_test(
        self, *, noise: float | None = None, how: str = LAST_LAYER, plant: str = "confused"
    ) -> dict[str, Any] | None:
        """The newest planted-noise self-test; ``None`` before the first.

        Args:
            noise: Percent of the labels that were changed; ``None`` = any.
            how: ``"last-layer"`` or ``"full"``, where ``noise`` is given.
            plant: ``"confused"`` or ``"random"``, where ``noise`` is given.

        Returns:
            ``at``: for each percentage of the data looked at, the share of planted labels found by each
            ranking with its interval over repetitions; ``curves``, ``auroc``, ``planted``, ``training``.
        """
        variant = None if noise is None else SelfTestSettings(noise, how, plant=plant).variant
        return self._newest("self-test", variant)

    def start_evidence(self, kind: str, **asked: Any) -> str:
        """Start answering a question in a process of its own.

        Args:
            kind: ``"estimate"``, ``"retrain"`` or ``"self-test"``.
            asked: Fields of its settings (``jobs.evidence_settings``).

        Returns:
            The job's identifier.

        Raises:
            InputError: It cannot be asked.
            JobError: The same kind of question is being answered for this audit.
        """
        self.database.require_writable()
        settings = settings_of(kind, asked)
        runner.reap_stale(self._evidence_jobs)
        job = self._evidence_jobs.create(self.record.name, kind, settings.as_dict(), only_one=True)
        command = [sys.executable, "-m", "tracin_viz", kind, self.record.name]
        runner.start_detached(self.home, [*command, "--home", str(self.home.root), "--job", job.id], job)
        return job.id

    def estimate_is_quick(self) -> bool:
        """Whether an estimate takes seconds, so that the query process may answer it at once."""
        split = self.held_out()
        if split is None:
            return False
        tests = min(self.record.splits[split], EstimateSettings().most)
        pairs = 2 * len(self.label_changes())
        return 2 * (tests + pairs) * len(self.results.plan().checkpoints) <= QUICK_GRADIENTS

    def estimate_now(self, *, session: str = "cli", **asked: Any) -> dict[str, Any]:
        """Estimate in the query process, which has model and data ready, and wait for the answer.

        Args:
            session: Whose question this is: a newer one of the same session cancels the older.
            asked: Fields of ``EstimateSettings``.

        Raises:
            InputError: It cannot be asked, or no decision changes a label.
            CancelledError: A newer question of the session took its place.
        """
        self.database.require_writable()
        settings = settings_of("estimate", asked)
        header = {"audit": self.record.name, "asked": settings.as_dict()}
        QueryClient(self.home).ask("estimate", header, session=f"{session} estimate")
        found = self._newest("estimate", settings.variant)
        if found is None:
            raise JobError("The estimate was computed, but not found.", remedy="Ask again.")
        return found

    def evidence_status(self, kind: str) -> dict[str, Any] | None:
        """How the newest job of that kind is doing; ``None`` before the first.

        Returns:
            ``state``, ``done`` and ``total`` steps, ``seconds_left``, ``message``, ``asked``, ``log``.
        """
        runner.reap_stale(self._evidence_jobs)
        job = self._evidence_jobs.latest(self.record.name, kind)
        if job is None:
            return None
        return {
            "audit": self.record.name,
            "kind": kind,
            "job": job.id,
            "state": job.state,
            "stage": job.stage,
            "done": job.done,
            "total": job.total,
            "seconds_left": seconds_left(job),
            "message": job.message,
            "asked": job.settings,
            "log": job.log,
        }

    def cancel_evidence(self, kind: str) -> None:
        """Ask the job of that kind to stop; nothing of its answer is kept."""
        self.database.require_writable()
        active = self._evidence_jobs.active(self.record.name, kind)
        if active is not None:
            runner.stop(self._evidence_jobs, active)

    def _newest(self, kind: str, variant: str | None) -> dict[str, Any] | None:
        kept = self._book.newest(kind, variant)
        if kept is None:
            return None
        now = inputs_of(self.results.plan(), self.results.learning_rates(), self._changes_key(kept.document))
        then = kept.document["inputs"]
        older = [name for name in ("decisions", "results") if now[_PART[name]] != then[_PART[name]]]
        document = {name: value for name, value in kept.document.items() if name != "inputs"}
        return {**document, "made": kept.created, "current": not older, "older": older}

    def _changes_key(self, document: dict[str, Any]) -> str:
        """Key of the decisions of now; a simulated annotator's do not change."""
        if document.get("simulated") is not None:
            return str(document["inputs"]["changes"])
        return self.label_changes().key


_PART = {"decisions": "changes", "results": "results"}


def settings_of(kind: str, asked: dict[str, Any]) -> Settings:
    """The settings of a question.

    Raises:
        InputError: The kind or a value is not known.
    """
    if kind not in SETTINGS:
        raise InputError(f"'{kind}' is no kind of evidence.", remedy=f"Possible: {', '.join(SETTINGS)}.")
    return SETTINGS[kind](**asked)
