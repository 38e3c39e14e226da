"""Batches read ahead: examples are decoded and copied to the device while the batch before is computed.

A thread of its own calls the data set and ``collate``, one batch after the other in the order of the sweep,
so a data set is never entered twice at once. For CUDA the batch is put into pinned memory and copied on a
stream of its own, which the computing stream waits for.
"""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.utils.data import TensorDataset

from tracin_viz.engine.batches import Batch, Collate, collected, partition, placed, tensors_in

AHEAD = 2  # batches that wait, read; more would only hold memory


@dataclass(frozen=True)
class Source:
    """Where batches come from and where they go.

    Attributes:
        data: Map-style data set of (inputs, target).
        collate: Puts examples into a batch.
        device: Where passes run.
        dtype: Number type of passes; ``None`` = as it is.
    """

    data: Any
    collate: Collate | None
    device: torch.device
    dtype: torch.dtype | None

    def read(self, rows: np.ndarray) -> Batch:
        """The examples ``rows`` as a batch on the device, read here and now."""
        return placed(collected(self.data, rows, self.collate), self.device, self.dtype)

    def worth_a_thread(self) -> bool:
        """Whether there is anything to do ahead: rows of CPU tensors for the CPU are only looked up."""
        looked_up = isinstance(self.data, TensorDataset) and self.collate is None
        return self.device.type == "cuda" or not looked_up


class Feed:
    """The batches of one sweep.

    Args:
        source: Data and device.
        rows: Rows in the order of the sweep.
        ahead: Batches read ahead; 0 = everything is read when it is asked for, by the caller's thread.
    """

    def __init__(self, source: Source, rows: np.ndarray, *, ahead: int = AHEAD) -> None:
        self._source = source
        self._rows = rows
        self._ahead = ahead if source.worth_a_thread() else 0
        self._copies = _copying_stream(source.device)
        self._reader: _Reader | None = None

    def take(self, first: int, size: int) -> Batch:
        """The batch of ``size`` rows from place ``first`` on (fewer at the end).

        Places and sizes may be anything; reading ahead pays when each call goes on where the last one ended.
        """
        alone = self._reader is None and first + size >= len(self._rows)
        if not self._ahead or alone:  # nothing comes after it that could be read meanwhile
            return self._source.read(self._rows[first : first + size])
        if self._reader is None or self._reader.next_place != (first, size):
            self.close()
            pieces = list(partition(self._rows[first:], size))
            self._reader = _Reader(self._source, pieces, (first, size), self._ahead, self._copies)
        return self._reader.take()

    def close(self) -> None:
        """End the thread and forget what it read."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None


class _Reader:
    """One thread that reads the batches of a partition, a bounded number ahead."""

    def __init__(
        self,
        source: Source,
        pieces: list[np.ndarray],
        start: tuple[int, int],
        ahead: int,
        copies: torch.cuda.Stream | None,
    ) -> None:
        self.next_place = start
        self._source = source
        self._copies = copies
        self._closed = threading.Event()
        self._ready: queue.Queue[Batch | BaseException] = queue.Queue(ahead)
        self._thread = threading.Thread(target=self._read, args=(pieces,), name="reader", daemon=True)
        self._thread.start()

    def take(self) -> Batch:
        found = self._ready.get()
        first, size = self.next_place
        if isinstance(found, BaseException):
            self.next_place = (-1, size)  # whatever is asked next, this thread has ended
            raise found
        self.next_place = (first + size, size)
        if self._copies is not None:
            # The copy may still be under way; and memory of the copying stream must not be used again before
            # the computing stream is done with it.
            computing = torch.cuda.current_stream(self._source.device)
            computing.wait_stream(self._copies)
            for tensor in tensors_in((found.inputs, found.targets)):
                tensor.record_stream(computing)
            return found
        return placed(found, self._source.device, self._source.dtype)

    def close(self) -> None:
        self._closed.set()
        while self._thread.is_alive():
            try:
                self._ready.get(timeout=0.01)  # makes room for a thread that waits for it
            except queue.Empty:
                continue
        self._thread.join()

    def _read(self, pieces: list[np.ndarray]) -> None:
        try:
            for piece in pieces:
                if self._closed.is_set():
                    return
                self._ready.put(self._on_its_way(piece))
        except BaseException as error:  # of the user's data set: raised where the batch is asked for
            self._ready.put(error)

    def _on_its_way(self, piece: np.ndarray) -> Batch:
        source = self._source
        batch = collected(source.data, piece, source.collate)
        if source.device.type == "mps":
            return batch  # Metal's command queue belongs to the computing thread
        if self._copies is None:
            return placed(batch, source.device, source.dtype)
        with torch.cuda.device(source.device), torch.cuda.stream(self._copies):
            return placed(batch, source.device, source.dtype, pinned=True)


def _copying_stream(device: torch.device) -> torch.cuda.Stream | None:
    if device.type != "cuda":
        return None
    return torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
