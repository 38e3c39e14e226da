"""Starting the query process before it is asked: it needs seconds for torch, the data and the model."""

from __future__ import annotations

import logging
import os
import threading
import time

from tracin_viz.config import Home
from tracin_viz.errors import TracinVizError
from tracin_viz.jobs.query_client import QueryClient

#: Seconds after which an audit is warmed again: before the process has been idle for so long that it ended.
AGAIN_SECONDS = 600.0

#: Set to 0 where memory is short: the first question then waits for the query process.
VARIABLE = "TRACIN_VIZ_WARM"

_log = logging.getLogger(__name__)
_lock = threading.Lock()
_begun: dict[tuple[str, str, str], float] = {}
_threads: list[threading.Thread] = []


def warm(home: Home, name: str, version: str) -> None:
    """Let the query process load audit ``name``; returns at once, and costs nothing when called again.

    What goes wrong is only logged: the first question meets the same trouble and says so.

    Args:
        home: The workspace.
        name: Name of the audit; it must have scores.
        version: Changes when the audit or its results do.
    """
    if os.environ.get(VARIABLE) == "0":
        return
    key = (str(home.root), name, version)
    now = time.monotonic()
    with _lock:
        if now - _begun.get(key, -AGAIN_SECONDS) < AGAIN_SECONDS:
            return
        _begun[key] = now
        _threads[:] = [thread for thread in _threads if thread.is_alive()]
        thread = threading.Thread(target=_ask, args=(home, name), name="warming", daemon=True)
        _threads.append(thread)
        thread.start()


def wait(seconds: float) -> None:
    """Wait until nothing is being warmed, for at most ``seconds``."""
    deadline = time.monotonic() + seconds
    with _lock:
        threads = list(_threads)
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))


def _ask(home: Home, name: str) -> None:
    try:
        client = QueryClient(home)
        client.ask("warm", {"audit": name}, session=f"warming {name}")
        # After the model: a question that comes meanwhile is answered before it.
        client.ask("warm clusters", {}, session=f"warming {name}")
    except (TracinVizError, OSError) as error:
        _log.info("audit %s could not be warmed: %s", name, error)
