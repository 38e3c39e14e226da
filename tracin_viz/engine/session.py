"""Going through data at a checkpoint: batch size, start check, out-of-memory, non-finite gradients."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from tracin_viz.engine import scratch
from tracin_viz.engine.batches import Batch, Collate, even, length
from tracin_viz.engine.checkpoints import Checkpoint, borrowed, load_weights
from tracin_viz.engine.checks import start_check
from tracin_viz.engine.feed import AHEAD, Feed, Source
from tracin_viz.engine.kernels import exact_kernels
from tracin_viz.engine.losses import PerExample
from tracin_viz.engine.memory import fitting_batch, footprint, is_out_of_memory, release
from tracin_viz.engine.passes import Passes
from tracin_viz.errors import EngineError, InputError

Result = TypeVar("Result")
OnBatch = Callable[[int], None]


@dataclass
class Piece(Generic[Result]):
    """Result of one batch and the rows it belongs to."""

    rows: np.ndarray
    result: Result


@dataclass
class Session:
    """What stays the same over all passes of an engine.

    Attributes:
        model: The user's model.
        device: Where passes run.
        dtype: Number type of passes; ``None`` = that of the model.
        objective: Per-example loss.
        collate: Puts examples into a batch.
        batch_size: Examples per pass; 0 until found.
        layers: The user's choice of parameters.
        norms: Mean squared gradient norm by parameter, from the start check.
        nonfinite: (checkpoint index, row) of recorded examples.
        read_ahead: Batches read ahead by a thread; 0 = data are read by the caller's thread.
        batches: Examples in each batch of the newest sweep; some are fewer where memory ran out.
    """

    model: nn.Module
    device: torch.device
    dtype: torch.dtype | None
    objective: PerExample
    collate: Collate | None
    batch_size: int
    layers: str | None
    raise_nonfinite: bool = True
    norms: dict[str, float] = field(default_factory=dict)
    nonfinite: list[tuple[int, int]] = field(default_factory=list)
    read_ahead: int = AHEAD
    batches: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._checked = 0
        self._loaded: Checkpoint | None = None
        self._inside = False
        self._feeds: list[Feed] = []
        everything = {name: p for name, p in self.model.named_parameters() if p.requires_grad}
        if not everything:
            raise InputError(
                "The model has no trainable parameter.",
                remedy="Parameters with requires_grad=False are frozen.",
            )
        self.passes = Passes(self.model, chosen_parameters(everything, self.layers))

    @contextmanager
    def open(self) -> Iterator[None]:
        """Borrows the model; everything of the caller is restored at the end."""
        if self._inside:
            yield
            return
        self._inside = True
        try:
            # The caller may stand in no_grad or inference mode; gradients are the work here.
            whole = borrowed(self.model, self.device, self.dtype)
            with torch.inference_mode(False), torch.enable_grad(), exact_kernels(self.device), whole:
                yield
        finally:
            # A sweep that an error left is closed only when its traceback is forgotten; its thread must not
            # go on reading the caller's data until then.
            for feed in self._feeds:
                feed.close()
            self._inside, self._loaded, self._feeds = False, None, []
            scratch.release()

    def load(self, checkpoint: Checkpoint) -> None:
        """Puts a checkpoint's weights into the borrowed model."""
        if self._loaded is not checkpoint:
            load_weights(self.model, checkpoint)
            self._loaded = checkpoint

    def prepare(self, data: Any, checkpoint: Checkpoint) -> None:
        """Start check at ``checkpoint`` and batch size, once (again if there were fewer than three examples).

        Raises:
            EngineError: See ``checks.start_check``.
        """
        count = min(3, length(data))
        if count == 0:
            raise InputError("The data set is empty.")
        if self._checked >= count:
            return
        spread = np.unique(np.linspace(0, length(data) - 1, count).round().astype(np.int64))
        batch = self._source(data).read(spread)
        self.load(checkpoint)
        self.norms, outcome = start_check(self.passes, batch, self.objective)
        if self.layers == "last":
            self._keep_last(outcome.output_names)
            self.norms, outcome = start_check(self.passes, batch, self.objective)
        self._checked = count
        if not self.batch_size:
            self.batch_size = fitting_batch(self.device, self._footprint(batch))

    def _keep_last(self, names: tuple[str, ...]) -> None:
        if not names:
            raise EngineError(
                "No linear call with trainable parameters produces the outputs, so 'last' is unclear.",
                remedy="Name the layer by a regular expression on parameter names.",
            )
        owners = {layer_of(name) for name in names}
        kept = {n: p for n, p in self.passes.parameters.items() if n in names or layer_of(n) in owners}
        self.passes = Passes(self.model, kept)

    def _source(self, data: Any) -> Source:
        return Source(data, self.collate, self.device, self.dtype)

    def _footprint(self, batch: Batch) -> int:
        """Bytes per example of a pass, measured on ``batch``."""
        parameters = self.passes.parameters.values()
        return footprint(lambda use: self.passes.run(batch, self.objective, use), parameters, len(batch))

    def sweep(
        self, data: Any, rows: np.ndarray, work: Callable[[Batch], Result], on_batch: OnBatch | None = None
    ) -> Iterator[Piece[Result]]:
        """``work`` on each batch of ``rows``, in order, the next ones being read meanwhile.

        A batch that does not fit into memory is halved, and the rest of the sweep keeps to that size: the
        partition depends on what happened in this sweep alone. ``batches`` tells it.

        Raises:
            EngineError: Not even one example fits.
        """
        feed = Feed(self._source(data), rows, ahead=self.read_ahead)
        self._feeds.append(feed)
        self.batches = []
        size, done = even(len(rows), self.batch_size), 0
        try:
            while done < len(rows):
                piece = self._tried(feed, rows[done : done + size], done, size, work)
                if piece is None:
                    size = max(1, min(size, len(rows) - done) // 2)
                    feed.close()
                    release(self.device)
                    continue
                done += len(piece.rows)
                self.batches.append(len(piece.rows))
                yield piece
                if on_batch is not None:
                    on_batch(done)
        finally:
            feed.close()
            if feed in self._feeds:  # else the session ended first: the caller left the loop by an error
                self._feeds.remove(feed)

    def _tried(
        self, feed: Feed, rows: np.ndarray, first: int, size: int, work: Callable[[Batch], Result]
    ) -> Piece[Result] | None:
        """One batch, or ``None`` where memory ran out; then nothing of the attempt is left when it returns.

        Raises:
            EngineError: It was a batch of one.
        """
        try:
            return Piece(rows, work(feed.take(first, size)))
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            if len(rows) == 1:
                raise EngineError(
                    f"One example (row {rows[0]}) does not fit into the memory of '{self.device}'.",
                    remedy="Use a device with more memory, fewer parameters (`layers`), or smaller inputs.",
                ) from error
        return None

    def report_nonfinite(self, checkpoint: int, step: int, rows: np.ndarray, what: str = "example") -> None:
        """Raises for, or records, the examples ``rows`` whose loss or gradient is not finite."""
        if not len(rows):
            return
        if self.raise_nonfinite:
            raise EngineError(
                f"The loss or gradient of {what} {int(rows[0])} is not finite at the checkpoint of "
                f"step {step} ({len(rows)} in this batch).",
                remedy="Look at that example, or set on_nonfinite='record' to leave such examples out.",
            )
        if what == "example":
            known = set(self.nonfinite)
            self.nonfinite += [(checkpoint, int(r)) for r in rows if (checkpoint, int(r)) not in known]


def chosen_parameters(parameters: dict[str, nn.Parameter], layers: str | None) -> dict[str, Tensor]:
    """Parameters that ``layers`` asks for: all, or those whose name matches the expression.

    Raises:
        InputError: The expression is broken or matches nothing.
    """
    if layers in (None, "all", "last"):
        return dict(parameters)
    try:
        chosen: dict[str, Tensor] = {n: p for n, p in parameters.items() if re.search(str(layers), n)}
    except re.error as error:
        raise InputError(f"`layers` is not a regular expression: '{layers}' ({error}).") from error
    if not chosen:
        raise InputError(
            f"`layers` '{layers}' matches no trainable parameter.",
            remedy=f"Names begin like: {', '.join(list(parameters)[:6])}.",
        )
    return chosen


def layer_of(parameter: str) -> str:
    """The module that owns a parameter; parametrisations belong to the module they are registered on."""
    owner = parameter.rpartition(".")[0]
    return owner.split(".parametrizations.")[0].removesuffix(".parametrizations") or "(model)"
