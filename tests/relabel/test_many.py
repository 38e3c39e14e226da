"""Behind many decisions: undo, the next delivery and what is answered cost as with ten."""

from __future__ import annotations

import time
from pathlib import Path

from tracin_viz.relabel.events import Event, EventLog
from tracin_viz.store.database import Database


def processor_time(log: EventLog) -> float:
    """Seconds of a delivery, an undo and what the page asks for, the best of five."""
    times = []
    for _ in range(5):
        began = time.process_time()
        log.undo("ada", session="here")
        log.redo("ada", session="here")
        log.answered("ada", "here")
        log.stacks("ada", "here")
        log.conflicts()
        times.append(time.process_time() - began)
    return min(times)


def test_behind_many_decisions_the_next_one_costs_what_it_costs_behind_ten(tmp_path: Path):
    database = Database(tmp_path / "workspace.db")
    log = EventLog(database, "demo")
    log.append_each([Event(f"train:{row}", "keep", "ada", session="here") for row in range(10)])
    few = processor_time(log)
    rows = [
        (f"uuid-{row:08d}", "demo", f"train:{row}", "keep", "cat", "ada", "there", 1.0, "")
        for row in range(20_000)
    ]
    with database.write() as connection:
        connection.executemany(
            "INSERT INTO events (event_uuid, audit, example_id, action, old_label, annotator, session,"
            " server_ts, note) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
    log.append_each([Event(f"train:{row}", "skip", "ada", session="here") for row in range(10)])
    assert len(log.current()) == 20_000
    assert processor_time(log) < few + 0.02
    database.close()
