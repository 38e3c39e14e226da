"""Exact TracInCP scores: queries are held, training data streams past them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from tracin_viz.engine.batches import Batch
from tracin_viz.engine.checkpoints import Checkpoint
from tracin_viz.engine.directions import Direction, parts, unused
from tracin_viz.engine.forms import Form
from tracin_viz.engine.holding import Asked, Holding, holdings
from tracin_viz.engine.losses import PerExample
from tracin_viz.engine.precision import zeros
from tracin_viz.engine.session import OnBatch, Session, layer_of
from tracin_viz.errors import InputError


@dataclass(frozen=True)
class Decomposition:
    """Scores by checkpoint and layer; they sum to the total.

    Attributes:
        scores: (Q, N, K, L), learning rates applied.
        checkpoints: Step of each checkpoint.
        layers: Names of the modules that own the parameters.
    """

    scores: np.ndarray
    checkpoints: tuple[int, ...]
    layers: tuple[str, ...]


@dataclass
class Request:
    """One question: which queries against which rows of the training data.

    Attributes:
        train: Training data.
        rows: Rows of it.
        queries: Query data, or ``Groups``.
        objective: What is differentiated for queries.
        by_layer: Keep checkpoints and layers apart.
        on_batch: Called with the number of training examples done.
        direction: Preconditioner of the training side by checkpoint index.
    """

    train: Any
    rows: np.ndarray
    queries: Any
    objective: PerExample
    by_layer: bool
    on_batch: OnBatch | None = None
    direction: Callable[[int], Direction | None] = lambda checkpoint: None


def layers_of(session: Session) -> tuple[str, ...]:
    """Layers of the tracked parameters, in model order."""
    return tuple(dict.fromkeys(layer_of(name) for name in session.passes.parameters))


def compute(session: Session, checkpoints: Sequence[Checkpoint], request: Request, out: np.ndarray) -> None:
    """Fills ``out`` (Q, n) or (Q, n, K, L); non-finite examples and queries become NaN."""
    out[...] = 0
    layers = {layer: place for place, layer in enumerate(layers_of(session))}
    done = [0]

    def progress(count: int) -> None:
        done[0] += count
        if request.on_batch is not None:
            request.on_batch(done[0])

    for number, checkpoint in enumerate(checkpoints):
        session.load(checkpoint)
        rates = {name: checkpoint.rate(name) for name in session.passes.parameters}
        direction = request.direction(number)
        asked = Asked(request.queries, request.objective, number, checkpoint.step, direction)
        for holding in holdings(session, asked):
            scorer = _Scorer(session, holding, rates, layers if request.by_layer else None, direction)
            start = 0
            for piece in session.sweep(request.train, request.rows, scorer):
                values, finite = piece.result
                places = slice(start, start + len(piece.rows))
                start += len(piece.rows)
                session.report_nonfinite(number, checkpoint.step, piece.rows[~finite])
                values[~finite] = np.nan
                values[:, holding.bad] = np.nan
                if request.by_layer:
                    out[holding.places, places, number] = values.transpose(1, 0, 2)
                else:
                    out[holding.places, places] += values[:, :, 0].T
                progress(len(piece.rows))
            del scorer, holding  # else the gradients of the next queries find these still in memory


class _Scorer:
    """One training batch against the held queries: (B, queries, layers or 1), and which are finite."""

    def __init__(
        self,
        session: Session,
        holding: Holding,
        rates: dict[str, float],
        layers: dict[str, int] | None,
        direction: Direction | None,
    ) -> None:
        self._session = session
        self._held = holding.held
        self._norms = holding.norms
        self._rates = rates
        self._layers = layers
        self._direction = None if direction is not None and direction.linear else direction

    def __call__(self, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
        count = len(self._layers) if self._layers else 1
        device = self._session.device
        total = zeros(len(batch), self._held.count, count, device=device)
        squares = zeros(len(batch), device=device)

        def consume(name: str, form: Form) -> None:
            dots = self._dots(name, form, squares)
            if dots is not None:
                place = self._layers[layer_of(name)] if self._layers else 0
                total[:, :, place] += self._rates[name] * dots

        seen: set[str] = set()

        def noted(name: str, form: Form) -> None:
            seen.add(name)
            consume(name, form)

        outcome = self._session.passes.run(batch, self._session.objective, noted)
        if self._direction is not None:
            for name, form in unused(self._session.passes.parameters, seen, len(batch)):
                consume(name, form)
        if self._direction is not None and self._direction.cosine:
            lengths = squares.sqrt()[:, None, None] * self._norms[None, :, None]
            total /= torch.where(lengths == 0, 1.0, lengths)  # a zero gradient has no direction: score 0
        values = total.cpu().numpy()
        usable = np.isfinite(values).all((1, 2)) if not self._all_bad(values) else np.ones(len(batch), bool)
        return values, usable & torch.isfinite(outcome.values).cpu().numpy()

    def _dots(self, name: str, form: Form, squares: torch.Tensor) -> torch.Tensor | None:
        """Products (B, queries) with the held gradients; adds to the squared norms (B,) of the directions."""
        if self._direction is None:
            return self._held.dots(name, form)
        found = []
        for rows, part in parts(form):
            directed = self._direction.of(name, part)
            if self._direction.cosine:
                squares[rows] += directed.squared_norms()
            found.append(self._held.dots(name, directed))
        present = [dots for dots in found if dots is not None]
        return torch.cat(present) if present else None

    @staticmethod
    def _all_bad(values: np.ndarray) -> bool:
        """Whether a whole query is bad, which says nothing about the training examples."""
        return bool((~np.isfinite(values)).all((0, 2)).any())


def result_shape(
    session: Session, checkpoints: int, queries: int, rows: int, by: Sequence[str] | None
) -> tuple[int, ...]:
    """Shape of the answer.

    Raises:
        InputError: ``by`` is not understood.
    """
    if by is None:
        return queries, rows
    if tuple(by) != ("checkpoint", "layer"):
        raise InputError(f"`by` = {by!r} is not known.", remedy="Possible: None or ('checkpoint', 'layer').")
    return queries, rows, checkpoints, len(layers_of(session))


def allocate(shape: tuple[int, ...], out: np.ndarray | None) -> np.ndarray:
    """``out``, checked, or a new float64 array if that is a reasonable size.

    Raises:
        InputError: The result would be larger than 4 GiB, or ``out`` has another shape.
    """
    if out is not None:
        if out.shape != shape or not np.issubdtype(out.dtype, np.floating):
            raise InputError(
                f"`out` must be a floating-point array of shape {shape}, got {out.dtype} {out.shape}."
            )
        return out
    size = 8 * int(np.prod(shape, dtype=np.int64))
    if size > 4 << 30:
        raise InputError(
            f"The scores would take {size / 2**30:.1f} GiB (shape {shape}).",
            remedy="Ask for fewer queries or candidates, or give `out=`, for example a memory map.",
        )
    return np.zeros(shape)
