"""Decisions about labels: what was decided, and by whom."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from tracin_viz.audit.results import Results
from tracin_viz.audit.wording import given_words
from tracin_viz.config import Home
from tracin_viz.errors import InputError
from tracin_viz.relabel.agreement import Agreement, agreement
from tracin_viz.relabel.delivery import Delivered, deliver
from tracin_viz.relabel.events import POLICY, Decision, Event, EventLog, policy_of
from tracin_viz.relabel.exports.label_texts import several_text
from tracin_viz.relabel.leases import Leases
from tracin_viz.relabel.policies import POLICIES, Conflict, by_example, outcome, votes
from tracin_viz.relabel.sessions import SessionBook
from tracin_viz.store.database import Database
from tracin_viz.store.registry import AuditRecord
from tracin_viz.store.settings import Settings, signing_key


class Relabelling:
    """The part of an audit that people change: append-only events and frozen queues."""

    home: Home
    record: AuditRecord
    database: Database
    results: Results

    @cached_property
    def events(self) -> EventLog:
        """The audit's log of decisions."""
        record = self.record
        return EventLog(self.database, record.name, classes=record.classes, target=record.target)

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
            new_label: For ``relabel``: the class, a JSON list of classes, or a number.
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

    def deliver(self, entries: Sequence[Any], *, annotator: str | None = None) -> Delivered:
        """Store what the browser's outbox sends (``relabel.delivery.deliver``), durably.

        Args:
            entries: Decisions and undos in their order.
            annotator: Who is signed in, where that is known.
        """
        return deliver(self.events, self.sessions, entries, given=self._given_label, annotator=annotator)

    def claim(self, session: str, annotator: str, count: int) -> tuple[list[str], list[str]]:
        """Examples of a shared queue that are offered to this annotator now, and those answered already.

        Raises:
            NotFoundError: There is no such queue.
        """
        answered = self.events.answered(None, session)
        queue = [entry.example_id for entry in self.sessions.get(session).queue]
        open_ones = [one for one in queue if one not in answered]
        return Leases(self.database, session).claim(annotator, open_ones, count), sorted(answered)

    def given_label(self, example_id: str) -> str:
        """The label of a training example as decisions name it: a class, a JSON list, or a number.

        Returns:
            The text; empty where the example has no label.

        Raises:
            InputError: There is no such training example.
        """
        words = self._given_label(example_id)
        dataset = self.results.dataset()
        targets = dataset.splits["train"].targets
        if dataset.target != "multi-label" or targets is None:
            return "" if words == str(None) else words
        return several_text(dataset.classes, targets[int(example_id.rpartition(":")[2])])

    def signing_key(self) -> bytes:
        """The secret that this workspace signs passes with."""
        return signing_key(self.database)

    @property
    def policy(self) -> str:
        """How the decisions of several people come to one label: a key of ``POLICIES``."""
        return policy_of(self.database, self.record.name)

    def set_policy(self, policy: str) -> None:
        """Choose the policy for everybody who looks at this audit.

        Raises:
            InputError: There is no such policy.
        """
        if policy not in POLICIES:
            raise InputError(f"There is no policy '{policy}'.", remedy=f"Policies: {', '.join(POLICIES)}.")
        Settings(self.database, self.record.name).set(POLICY, policy)

    def decisions(self, policy: str | None = None) -> dict[str, Decision]:
        """The current decision by example; undone ones are gone.

        Args:
            policy: A key of ``POLICIES``; by default the audit's own.
        """
        return self.events.current(policy or self.policy)

    def conflicts(self) -> list[Conflict]:
        """Examples about which annotators differ and that nobody settled, the oldest difference first."""
        return self.events.conflicts()

    def votes(self, example_id: str) -> list[Event]:
        """What each annotator decided about an example, in order of the log."""
        return list(votes(self.events.about(example_id)).values())

    def annotators(self) -> list[str]:
        """Everybody who ever decided, in order of the alphabet."""
        return self.events.annotators()

    def agreement(self, session: str | None = None) -> Agreement:
        """How far annotators agree about the same examples, over all of the audit or in one queue."""
        events = self.history() if session is None else self.events.of_session(session)
        return agreement(
            {
                example: {name: outcome(event) for name, event in votes(own).items()}
                for example, own in by_example(events).items()
            }
        )

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
