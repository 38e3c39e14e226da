"""Exact TracInCP scores: queries are held, training data streams past them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from tracin_viz.engine.batches import Batch, length
from tracin_viz.engine.checkpoints import Checkpoint
from tracin_viz.engine.forms import Form
from tracin_viz.engine.losses import PerExample
from tracin_viz.engine.products import Held
from tracin_viz.engine.session import OnBatch, Session, layer_of
from tracin_viz.errors import InputError

HELD_BYTES = 1 << 30  # gradients of queries kept at once; more queries take another pass over the data


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
        queries: Query data.
        objective: What is differentiated for queries.
        by_layer: Keep checkpoints and layers apart.
        on_batch: Called with the number of training examples done.
    """

    train: Any
    rows: np.ndarray
    queries: Any
    objective: PerExample
    by_layer: bool
    on_batch: OnBatch | None = None


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
        first = 0
        while first < length(request.queries):
            held, bad = _hold(session, request, first, (number, checkpoint.step))
            window = slice(first, first + held.count)
            scorer = _Scorer(session, held, rates, layers if request.by_layer else None)
            start = 0
            for piece in session.sweep(request.train, request.rows, scorer):
                values, finite = piece.result
                places = slice(start, start + len(piece.rows))
                start += len(piece.rows)
                session.report_nonfinite(number, checkpoint.step, piece.rows[~finite])
                values[~finite] = np.nan
                values[:, bad] = np.nan
                if request.by_layer:
                    out[window, places, number] = values.transpose(1, 0, 2)
                else:
                    out[window, places] += values[:, :, 0].T
                progress(len(piece.rows))
            first += held.count


def _hold(session: Session, request: Request, first: int, place: tuple[int, int]) -> tuple[Held, np.ndarray]:
    """Gradients of as many queries from ``first`` on as may be held, and which of them are not finite."""
    total = length(request.queries)
    held, bad = Held(total - first), []
    norms: dict[str, torch.Tensor] = {}

    def work(batch: Batch) -> list[tuple[str, Form]]:
        forms: list[tuple[str, Form]] = []
        outcome = session.passes.run(batch, request.objective, lambda name, form: forms.append((name, form)))
        norms["values"] = outcome.values.double()
        for _, form in forms:
            norms["values"] = norms["values"] + form.squared_norms()
        return forms

    rows = np.arange(first, total)
    for piece in session.sweep(request.queries, rows, work):
        for name, form in piece.result:
            held.add(name, form)
        finite = torch.isfinite(norms["values"]).cpu().numpy()
        session.report_nonfinite(*place, piece.rows[~finite], what="query")
        bad.append(~finite)
        held.count += len(piece.rows)
        if held.bytes() > HELD_BYTES:
            break
    held.close()
    return held, np.concatenate(bad)


class _Scorer:
    """One training batch against the held queries: (B, queries, layers or 1), and which are finite."""

    def __init__(
        self, session: Session, held: Held, rates: dict[str, float], layers: dict[str, int] | None
    ) -> None:
        self._session = session
        self._held = held
        self._rates = rates
        self._layers = layers

    def __call__(self, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
        count = len(self._layers) if self._layers else 1
        device = self._session.device
        total = torch.zeros(len(batch), self._held.count, count, dtype=torch.float64, device=device)

        def consume(name: str, form: Form) -> None:
            dots = self._held.dots(name, form)
            if dots is not None:
                place = self._layers[layer_of(name)] if self._layers else 0
                total[:, :, place] += self._rates[name] * dots

        outcome = self._session.passes.run(batch, self._session.objective, consume)
        values = total.cpu().numpy()
        usable = np.isfinite(values).all((1, 2)) if not self._all_bad(values) else np.ones(len(batch), bool)
        return values, usable & torch.isfinite(outcome.values).cpu().numpy()

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
