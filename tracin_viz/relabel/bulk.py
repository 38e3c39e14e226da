"""Many decisions stored at once: all of them or none."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import fields

from tracin_viz.relabel.decisions import Event
from tracin_viz.relabel.events import EventLog

_STORED = tuple(entry.name for entry in fields(Event) if entry.name != "seq")


def append_all(log: EventLog, events: Sequence[Event]) -> int:
    """Store events that were checked already, in their order, in one transaction.

    Args:
        log: Of the audit they belong to.
        events: With identifiers that follow from what they say, so that storing again stores nothing.

    Returns:
        How many were not there before.
    """
    now = time.time()
    rows = [
        (log.audit, *(now if name == "server_ts" else getattr(event, name) for name in _STORED))
        for event in events
    ]
    marks = ", ".join("?" * (len(_STORED) + 1))
    with log.database.write() as connection:
        before = connection.total_changes
        connection.executemany(
            f"INSERT INTO events (audit, {', '.join(_STORED)}) VALUES ({marks}) "
            "ON CONFLICT (event_uuid) DO NOTHING",
            rows,
        )
        return connection.total_changes - before
