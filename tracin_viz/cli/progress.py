"""One line on standard error that shows how a run is doing, rewritten in place on a terminal."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

PERIOD = 1.0  # seconds


class ProgressLine:
    """Shows a status document about once a second while the block runs.

    Args:
        read: Gives the newest status document.
        quiet: Show nothing (a detached run's output goes to a log that nobody watches live).
    """

    def __init__(self, read: Callable[[], dict[str, Any]], *, quiet: bool = False) -> None:
        self._read = read
        self._quiet = quiet
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._show, name="progress", daemon=True)
        self._last = ""

    def __enter__(self) -> Self:
        if not self._quiet:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if not self._quiet:
            self._thread.join()
            if sys.stderr.isatty() and self._last:
                sys.stderr.write("\n")

    def _show(self) -> None:
        while not self._stop.wait(PERIOD):
            line = describe(self._read())
            if line == self._last:
                continue
            if sys.stderr.isatty():
                sys.stderr.write("\r\033[K" + line)
            else:
                sys.stderr.write(line + "\n")
            sys.stderr.flush()
            self._last = line


def describe(status: dict[str, Any]) -> str:
    """A status document in one line: share done, what is being done, time left."""
    progress = status.get("stage_progress") or status["units"]
    share = f"{progress['done'] / progress['total']:4.0%} " if progress["total"] else ""
    left = status["seconds_left"]
    ending = "" if left is None else f" – about {left:.0f} s left"
    return f"{share}{status['message'] or status['stage']}{ending}"
