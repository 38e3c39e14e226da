"""Writing units while the next one is measured: checksums, compression and waiting for the disk take time."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")

#: Units that wait for the disk; more would only hold memory.
WAITING = 2


class Writer(Generic[Item]):
    """A thread that writes what it is given, in order; use it as a context manager.

    Leaving the block, also by an error, waits until everything that was given is written: what was measured
    stays. An error of a write is raised at the next ``put`` or when the block is left, and what came after it
    is dropped.

    Args:
        write: Writes one item.
    """

    def __init__(self, write: Callable[[Item], None]) -> None:
        self._write = write
        self._items: queue.Queue[Item | None] = queue.Queue(WAITING)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)

    def __enter__(self) -> Writer[Item]:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._items.put(None)
        self._thread.join()
        if kind is None:
            self._raise()

    def put(self, item: Item) -> None:
        """Give an item to the thread; waits while ``WAITING`` others wait.

        Raises:
            BaseException: What an earlier write failed with.
        """
        self._raise()
        self._items.put(item)

    def flush(self) -> None:
        """Wait until everything given so far is written.

        Raises:
            BaseException: What a write failed with.
        """
        self._items.join()
        self._raise()

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        while True:
            item = self._items.get()
            try:
                if item is None:
                    return
                if self._error is None:
                    self._write(item)
            except BaseException as error:  # raised in the thread that measures
                self._error = error
            finally:
                self._items.task_done()
