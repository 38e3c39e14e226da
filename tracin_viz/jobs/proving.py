"""One question about evidence answered and kept: the work of ``estimate``, ``retrain`` and ``self-test``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tracin_viz.config import Home
from tracin_viz.fingerprint import FORMAT, fingerprint
from tracin_viz.jobs.evidence_settings import EstimateSettings, RetrainSettings, SelfTestSettings, Settings
from tracin_viz.jobs.subject import Subject
from tracin_viz.relabel.changes import Changes
from tracin_viz.store.database import Database
from tracin_viz.store.evidence import EvidenceBook, inputs_of

if TYPE_CHECKING:
    from tracin_viz.jobs.loading import Sources

Report = Callable[[str, int, int, str], None]

#: Raised when the way an answer is computed changes: older ones are then computed again.
VERSION = 1


def prove(
    home: Home,
    name: str,
    kind: str,
    settings: Settings,
    report: Report,
    *,
    sources: Sources | None = None,
) -> dict[str, Any]:
    """Answer one question about audit ``name`` and keep the answer; at once where it is kept already.

    Args:
        home: The workspace.
        name: Name of the audit.
        kind: One of ``store.evidence.KINDS``.
        settings: What is asked; of the class that belongs to ``kind``.
        report: Told stage, steps done, steps to do and a message (``Reporter.update``); may raise to stop.
        sources: The audit's data and model, where they are open already.

    Raises:
        InputError: It cannot be asked of this audit.
        NotComputedError: No finished run.
        CancelledError: It was asked to stop; nothing is kept.
    """
    report("reading", 0, 1, "Reading the data and the decisions")
    subject = Subject.of(home, name, dataset=None if sources is None else sources.dataset)
    changes = _changes(subject, settings)
    inputs = inputs_of(subject.plan, [one.learning_rate for one in subject.checkpoints], changes.key)
    key = fingerprint(
        {"kind": kind, "format": FORMAT, "version": VERSION, "inputs": inputs, "asked": settings.as_dict()}
    )
    database = Database(home.database)
    try:
        book = EvidenceBook(database, subject.store, name)
        document = book.find(key)
        if document is None:
            found = _answer(subject, changes, settings, report, sources)
            document = {**found, "inputs": inputs}
        book.keep(kind, settings.variant, key, document)
    finally:
        database.close()
    return document


def _changes(subject: Subject, settings: Settings) -> Changes:
    if isinstance(settings, SelfTestSettings):
        return subject.changes_so_far()  # there need not be any
    return subject.changes(settings.simulate)


def _answer(
    subject: Subject, changes: Changes, settings: Settings, report: Report, sources: Sources | None
) -> dict[str, Any]:
    def on_progress(stage: str) -> Callable[[int, int, str], None]:
        return lambda done, total, message: report(stage, done, total, message)

    if isinstance(settings, EstimateSettings):
        from tracin_viz.jobs.estimating import estimate  # torch takes seconds to load

        return estimate(subject, changes, settings, on_progress("estimating"), sources=sources)
    if isinstance(settings, RetrainSettings):
        from tracin_viz.jobs.retraining import retrain

        return retrain(subject, changes, settings, on_progress("training"))
    from tracin_viz.jobs.self_testing import self_test

    return self_test(subject, changes, settings, on_progress("testing"))
