"""Decisions about labels: what was decided, and by whom."""

from __future__ import annotations

import uuid
from functools import cached_property

from tracin_viz.audit.results import Results
from tracin_viz.audit.wording import given_words
from tracin_viz.config import Home
from tracin_viz.errors import InputError
from tracin_viz.relabel.events import Decision, Event, EventLog
from tracin_viz.relabel.sessions import SessionBook
from tracin_viz.store.database import Database
from tracin_viz.store.registry import AuditRecord


class Relabelling:
    """The part of an audit that people change: append-only events and frozen queues."""

    home: Home
    record: AuditRecord
    database: Database
    results: Results

    @cached_property
    def events(self) -> EventLog:
        """The audit's log of decisions."""
        return EventLog(self.database, self.record.name, classes=self.record.classes)

    @cached_property
    def sessions(self) -> SessionBook:
        """The audit's frozen queues."""
        return SessionBook(self.database, self.record.name)

    def decide(
        self,
        example_id: str,
        action: str,
        *,
        annotator: str,
        new_label: str | None = None,
        suggested: str | None = None,
        rank: int | None = None,
        percentile: float | None = None,
        session: str | None = None,
        note: str = "",
        event_uuid: str | None = None,
    ) -> Event:
        """Record one decision, durably, before returning.

        Args:
            example_id: Which example (``train:17``).
            action: ``keep``, ``relabel``, ``exclude``, ``review`` or ``skip``.
            annotator: Who decides.
            new_label: The class, for ``relabel``.
            suggested: What was suggested on the card.
            rank: Place in the queue.
            percentile: Of the suspicion shown on the card, 0–100.
            session: Identifier of the relabel session.
            note: Anything the annotator wants to say.
            event_uuid: Identity of this click: the same one twice is one decision.

        Raises:
            InputError: Unknown action or class, or no annotator.
            NotFoundError: No such example.
        """
        if action == "relabel" and self.record.target != "class":
            raise InputError(
                "A new label can be given where a label is one class; these are several classes or numbers.",
                remedy="Keep the example, exclude it, or mark it for review with a note.",
            )
        event = Event(
            example_id,
            action,
            annotator,
            old_label=self._given_label(example_id),
            new_label=new_label,
            suggested=suggested,
            rank=rank,
            percentile=percentile,
            session=session,
            note=note,
            event_uuid=event_uuid or uuid.uuid4().hex,
        )
        return self.events.append(event)

    def undo(
        self, annotator: str, *, session: str | None = None, event_uuid: str | None = None
    ) -> Event | None:
        """Take back the annotator's newest decision; ``None`` when there is nothing left to take back."""
        return self.events.undo(annotator, session=session, event_uuid=event_uuid)

    def decisions(self) -> dict[str, Decision]:
        """The current decision by example; undone ones are gone."""
        return self.events.current()

    def history(self) -> list[Event]:
        """Everything that was ever decided or undone, oldest first."""
        return self.events.history()

    def _given_label(self, example_id: str) -> str:
        split, _, row = example_id.rpartition(":")
        count = self.record.splits.get(split)
        if split != "train" or count is None or not row.isdecimal() or int(row) >= count:
            raise InputError(
                f"Example '{example_id}' cannot be relabelled in audit '{self.record.name}'.",
                remedy=f"Decisions are about train:0 to train:{self.record.splits['train'] - 1}.",
            )
        return str(given_words(self.results.dataset(), "train", [int(row)])[0])
