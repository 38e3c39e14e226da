"""Helpers of a run: further processes that take tasks from its board and end with it."""

from __future__ import annotations

import contextlib
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Self

from tracin_viz.config import Home
from tracin_viz.jobs.messages import rebuild_error
from tracin_viz.jobs.runner import PACKAGE_PARENT
from tracin_viz.jobs.tasks import Board, Task
from tracin_viz.portable import usable_cores

_log = logging.getLogger(__name__)

MODULE = "tracin_viz.jobs.helper_process"
#: Processes that a run is prepared for before it is known how much there is to do; each holds 400 MB.
MOST_IN_ADVANCE = 4
#: Seconds that a helper has to end by itself.
GRACE = 2.0


class Helper:
    """One helper process; nothing is asked of it yet.

    Attributes:
        name: For the board.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._process = subprocess.Popen(
            [sys.executable, "-m", MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            cwd=PACKAGE_PARENT,
        )

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    def ask(self, request: dict[str, Any]) -> None:
        """Send a request; nothing happens where the process has ended."""
        wire = self._process.stdin
        if wire is not None:
            with contextlib.suppress(OSError, ValueError):
                wire.write(json.dumps(request) + "\n")
                wire.flush()

    def answer(self) -> dict[str, Any] | None:
        """Wait for the next answer; ``None`` when the process has ended.

        Raises:
            TracinVizError: It failed; as the same class.
        """
        wire = self._process.stdout
        line = wire.readline() if wire is not None else ""
        if not line:
            return None
        answer: dict[str, Any] = json.loads(line)
        if "failed" in answer:
            raise rebuild_error(answer["failed"])
        return answer

    def end(self) -> None:
        """Ask it to go (it goes when its input ends), and see to it that it does."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()

    def gone(self) -> None:
        """Wait until the process has ended; kill it if it takes longer than ``GRACE``."""
        try:
            self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


@contextlib.contextmanager
def in_advance() -> Iterator[list[Helper]]:
    """Helpers that load torch and transformers while the caller does something that needs one core.

    Yields:
        Helpers for a run; leaving the block ends those that no run took.
    """
    helpers = [Helper(f"helper {number + 1}") for number in range(min(usable_cores(), MOST_IN_ADVANCE) - 1)]
    try:
        yield helpers
    finally:
        for helper in helpers:
            helper.end()
        for helper in helpers:
            helper.gone()


class Team:
    """The helpers of one run. Use it as a context manager: leaving the block ends them.

    Args:
        home: The workspace.
        audit: Name of the audit; its plan must be saved before helpers open it.
        board: Where tasks come from.
        devices: Device of each possible helper.
        ready: Helpers that were started before, to be used first.
    """

    def __init__(
        self, home: Home, audit: str, board: Board, *, devices: Sequence[str], ready: Sequence[Helper] = ()
    ) -> None:
        self._home = home
        self._audit = audit
        self._board = board
        self._devices = list(devices)
        self._spare = list(ready)
        self._working: list[tuple[Helper, threading.Thread]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        helpers = [*self._spare, *(helper for helper, _ in self._working)]
        for helper in helpers:
            helper.end()
        for helper in helpers:
            helper.gone()
        for _, thread in self._working:
            thread.join()

    @property
    def started(self) -> bool:
        """Whether helpers are at work."""
        return bool(self._working)

    def start(self) -> None:
        """Start the helpers, at most one per task that nobody has taken."""
        for number, device in enumerate(self._devices[: self._board.open_tasks()]):
            helper = self._spare.pop(0) if self._spare else Helper(f"helper {number + 1}")
            helper.ask({"do": "open", "home": str(self._home.root), "audit": self._audit, "device": device})
            thread = threading.Thread(target=self._lead, args=(helper,), name=helper.name, daemon=True)
            self._working.append((helper, thread))
            thread.start()

    def _lead(self, helper: Helper) -> None:
        """Give tasks to one helper until none is left, and take what it says to the board."""
        given: dict[str, Task] = {}
        try:
            while (answer := helper.answer()) is not None:
                if "done" in answer:
                    self._board.done(given.pop(answer["done"]))
                else:  # it is ready, or it measured a unit that is being written
                    task = self._board.take(helper.name)
                    if task is not None:
                        given[task.key] = task
                        helper.ask({"do": "measure", "key": task.key})
        except Exception as error:
            self._board.fail(error)
            return
        if given:
            _log.warning("%s (process %d) ended early; its work goes to others", helper.name, helper.pid)
        for task in given.values():
            self._board.give_back(task)
