"""How a run tells the world where it is, and hears that it should stop.

The run calls ``update`` as often as it likes; a small thread writes the newest state to the database twice
a second, which is also the heartbeat. A request to cancel is noticed there and raised in the run's own thread
at its next ``check``, between two batches, so that no unit is left half-written.
"""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from tracin_viz.errors import CancelledError
from tracin_viz.jobs.records import JobBook

PERIOD = 0.5  # seconds between two heartbeats, in which a request to cancel is noticed too


class Reporter:
    """Progress and cancellation of one job; use it as a context manager around the work.

    Args:
        book: The job table.
        job: Identifier of the job.
    """

    def __init__(self, book: JobBook, job: str) -> None:
        self._book = book
        self._job = job
        self._state = (0, 0, "starting", "")
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._closed = False
        self._cancelled = False
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
        self._wake.set()
        self._thread.join()

    def update(self, stage: str, done: int, total: int, message: str = "") -> None:
        """Set what is shown, and stop here when that was asked for.

        Args:
            stage: Which part of the run this is; the time left is estimated within a stage.
            done: Finished steps of this stage.
            total: Steps of this stage.
            message: One plain sentence.

        Raises:
            CancelledError: Somebody asked for the run to stop.
        """
        with self._lock:
            new_stage = self._state[2] != stage
            self._state = (done, total, stage, message)
        if new_stage:
            self._wake.set()
        self.check()

    def check(self) -> None:
        """Stop here when that was asked for.

        Raises:
            CancelledError: Somebody asked for the run to stop.
        """
        if self._cancelled:
            raise CancelledError("The run was cancelled.", remedy="Start it again to go on where it stopped.")

    def _beat(self) -> None:
        while not self._closed:
            with self._lock:
                done, total, stage, message = self._state
            if self._book.progress(self._job, done, total, stage, message):
                self._cancelled = True
            self._wake.wait(PERIOD)
            self._wake.clear()
