"""Decisions in a file of labels become events: checked as a whole first, then all of them or none.

Who decided and when is kept where the file says it. Importing twice changes nothing: the identifier of an
event follows from what it says, and a decision that holds already is not stored again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tracin_viz.data.problems import ProblemList, shown
from tracin_viz.errors import InputError
from tracin_viz.relabel.decisions import Event
from tracin_viz.relabel.exports.entries import Entry, Subject
from tracin_viz.relabel.exports.import_rows import Row, rows_of
from tracin_viz.relabel.exports.progress import Progress, silent
from tracin_viz.relabel.exports.reading import LabelFile
from tracin_viz.relabel.exports.table import newest_by_annotator

#: What the identifier of an imported decision follows from.
_TOLD = ("annotator", "action", "label", "at", "note", "settles")


@dataclass(frozen=True)
class Plan:
    """What an import would do.

    Attributes:
        format: What the file is, in plain words.
        rows: Rows of the file.
        events: Decisions to store, in order.
        already: Decisions of the file that are here, or were imported before.
        older: Decisions older than one that the same person made here; they are left out.
        replaces: Examples about which something else holds now.
        annotators: Who made the events.
    """

    format: str
    rows: int
    events: tuple[Event, ...]
    already: int
    older: int
    replaces: int
    annotators: tuple[str, ...] = field(default=())

    def as_dict(self) -> dict[str, Any]:
        """The numbers, as the command line prints them."""
        return {
            "format": self.format,
            "rows": self.rows,
            "new": len(self.events),
            "already": self.already,
            "older": self.older,
            "replaces": self.replaces,
            "annotators": list(self.annotators),
        }


def plan(
    file: LabelFile,
    subject: Subject,
    log: Sequence[Event],
    *,
    annotator: str = "",
    told: Progress = silent,
) -> Plan:
    """What importing this file would do; nothing is stored.

    Args:
        file: The labels.
        subject: The audit they are imported into.
        log: All its events so far.
        annotator: Whose decisions those rows are that name nobody; empty = every row must name somebody.
        told: Called as rows are looked at; it may raise, which ends it.

    Raises:
        InputError: A row cannot be right; ``problems`` names each with its place and what to do.
    """
    problems = ProblemList()
    rows = rows_of(file, subject, problems, annotator=annotator, progress=told)
    if found := problems.as_tuple():
        raise InputError(
            f"'{shown(file.path.name)}' cannot be imported as it is. {found[0].where}: {found[0].message}",
            remedy=f"{found[0].remedy} Nothing was imported.",
            problems=found,
        )
    return _planned(file, subject, log, rows)


def _planned(file: LabelFile, subject: Subject, log: Sequence[Event], rows: Sequence[Row]) -> Plan:
    known = {event.event_uuid for event in log}
    here = newest_by_annotator(log)
    already = older = 0
    timed: list[tuple[float, int, Event]] = []
    changed: set[str] = set()
    for row in rows:
        latest = float("-inf")
        own = here.get(row.example_id, {})
        for entry in row.entries:
            mine = own.get((entry.annotator, entry.settles))
            if mine is not None and _same(entry, mine, subject):
                already += 1
                continue
            event = _event(subject, row, entry)
            if event.event_uuid in known:
                already += 1
            elif mine is not None and entry.at is not None and entry.at < mine.decided_at:
                older += 1
            else:
                known.add(event.event_uuid)
                # A person's clock may be wrong: within one example the file's order counts.
                latest = max(latest, float("inf") if entry.at is None else entry.at)
                timed.append((latest, len(timed), event))
                if own:
                    changed.add(row.example_id)
    events = tuple(event for _, _, event in sorted(timed, key=lambda one: one[:2]))
    people = tuple(sorted({event.annotator for event in events}))
    return Plan(file.format, len(file), events, already, older, len(changed), people)


def _same(entry: Entry, event: Event, subject: Subject) -> bool:
    """Whether an event says what the entry says, to the millisecond that a file holds."""
    label = None if event.new_label is None else subject.canonical(event.new_label)
    when = entry.at is None or abs(entry.at - event.decided_at) < 0.001
    return when and (entry.action, entry.label, entry.note) == (event.action, label, event.note)


def _event(subject: Subject, row: Row, entry: Entry) -> Event:
    told = (subject.audit, row.example_id, *(getattr(entry, name) for name in _TOLD))
    return Event(
        row.example_id,
        entry.action,
        entry.annotator,
        old_label=row.given,
        new_label=entry.label,
        suggested=row.suggested or None,
        client_ts=entry.at,
        note=entry.note,
        settles=entry.settles,
        event_uuid=hashlib.sha256(repr(told).encode("utf-8", "replace")).hexdigest()[:32],
    )
