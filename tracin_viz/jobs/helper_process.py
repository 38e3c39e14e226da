"""A helper: a process that measures units for a run that another process leads.

    python -m tracin_viz.jobs.helper_process

reads requests from its standard input and answers on its standard output, one JSON document per line:

    {"do": "open", "home": …, "audit": …, "device": …}   →  {"ready": true}
    {"do": "measure", "key": …}                          →  {"measured": key}, then {"done": key} once stored
                                                            {"failed": {…}} in place of any of these

It ends when its input ends. The leader holds the other end, so that also happens when the leader is killed,
on every operating system; a unit that was being written then is not there at all.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from tracin_viz.config import Home
from tracin_viz.errors import JobError, TracinVizError
from tracin_viz.jobs.messages import describe_error
from tracin_viz.portable import lower_priority
from tracin_viz.store import plan as plans
from tracin_viz.store import registry
from tracin_viz.store.artifacts import ArtifactStore

Say = Callable[[dict[str, Any]], None]


def main() -> int:
    """Serve the leader until it ends; returns the exit status."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the leader, which ends its helpers
    lower_priority()  # the app and the leader's own heartbeat come first
    requests: queue.Queue[dict[str, Any]] = queue.Queue()
    say = _speaker(_private_output())
    threading.Thread(target=_listen, args=(sys.stdin, requests), name="requests", daemon=True).start()
    _load()
    try:
        opening = requests.get()
        _serve(Home(Path(opening["home"])), opening["audit"], opening["device"], requests, say)
    except TracinVizError as error:
        say({"failed": describe_error(error)})
    except Exception as error:
        what = f"{type(error).__name__}: {error}".strip(": ")[:300]
        say({"failed": describe_error(JobError(f"A helper process of this run failed ({what})."))})
        raise
    return 0


def _load() -> None:
    """Load torch and transformers, which takes seconds, while the leader still plans."""
    import tracin_viz.jobs.measuring  # noqa: F401
    from tracin_viz.models.offline import quiet_transformers

    quiet_transformers()


def _serve(home: Home, audit: str, device: str, requests: queue.Queue[dict[str, Any]], say: Say) -> None:
    from tracin_viz.jobs.loading import open_sources
    from tracin_viz.jobs.measuring import Measurer
    from tracin_viz.jobs.tasks import tasks_of

    plan = plans.require(home, audit)
    tasks = {task.key: task for task in tasks_of(plan)}
    store = ArtifactStore(home.artifacts)
    measurer = Measurer(open_sources(registry.read(home, audit)), plan, store, device=device)
    measurer.prepare()
    say({"ready": True})
    with measurer.writing(store, lambda task: say({"done": task.key})) as writer:
        while True:
            request = requests.get()
            measurer.measure(tasks[request["key"]], writer, lambda _: None)
            say({"measured": request["key"]})


def _listen(wire: TextIO, requests: queue.Queue[dict[str, Any]]) -> None:
    """Queue what the leader asks; end the process at once when the leader is gone."""
    for line in wire:
        requests.put(json.loads(line))
    os._exit(0)


def _private_output() -> TextIO:
    """Standard output for the answers alone; what libraries print goes to standard error instead."""
    sys.stdout.flush()
    private = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return private


def _speaker(wire: TextIO) -> Say:
    lock = threading.Lock()

    def say(document: dict[str, Any]) -> None:
        with lock:
            wire.write(json.dumps(document) + "\n")
            wire.flush()

    return say


if __name__ == "__main__":
    sys.exit(main())
