"""One pass for many products: sketches, predictions, embeddings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Subset

from tracin_viz.engine.basis import Basis
from tracin_viz.engine.batches import Batch, length
from tracin_viz.engine.columns import Block
from tracin_viz.engine.directions import Direction, parts, unused
from tracin_viz.engine.estimates import SketchError, sketch_error
from tracin_viz.engine.exact import ExactProducts
from tracin_viz.engine.forms import Form
from tracin_viz.engine.measurements import BatchMeasurement, Measurements
from tracin_viz.engine.pilot import fit
from tracin_viz.engine.predictions import reading_of
from tracin_viz.engine.session import OnBatch, Session, layer_of
from tracin_viz.engine.sketch import SketchMap
from tracin_viz.errors import InputError


class SketchProducts(ExactProducts):
    """What is measured at one checkpoint, not multiplied by learning rates."""

    @contextmanager
    def borrowed(self) -> Iterator[None]:
        """Borrows the model once for several calls, each of which would otherwise borrow it and give it back.

        For one example that takes as long as its gradient. The model is the engine's until the end.
        """
        with self._session.open():
            yield

    def measure(self, data: Any, checkpoint: int, *, on_batch: OnBatch | None = None) -> Measurements:
        """One pass over ``data`` at one checkpoint (by index); learning rates are not applied."""
        with self._session.open():
            self._prepare(data)
            maps = self._sketch_map(data)
            chosen = self.checkpoints[checkpoint]
            self._session.load(chosen)
            dtype = self._session.dtype or next(iter(self._session.passes.parameters.values())).dtype

            def work(batch: Batch) -> Measurements:
                consumer = BatchMeasurement(len(batch), maps, dtype)
                outcome = self._session.passes.run(batch, self._session.objective, consumer)
                return consumer.result(outcome, batch.targets, reading_of(self._session.objective))

            parts = []
            for piece in self._session.sweep(data, np.arange(length(data)), work, on_batch):
                number = checkpoint % len(self.checkpoints)
                self._session.report_nonfinite(number, chosen.step, piece.rows[~piece.result.finite])
                parts.append(piece.result)
        return Measurements.joined(parts)

    def sketches(
        self, data: Any, *, preconditioner: str | None = None, on_batch: OnBatch | None = None
    ) -> np.ndarray:
        """Gradient sketches (K, N, sketch_dim) float32, not multiplied by learning rates.

        With a preconditioner they are of Γ(z), the direction in which Adam would have moved (training side).
        Products with plain sketches of queries estimate preconditioned scores ("less": times both norms).

        Rows of examples whose gradient is not finite are NaN (``on_nonfinite="record"``).
        """
        found = np.zeros((len(self.checkpoints), length(data), self.sketch_dim), np.float32)
        with self._session.open():
            self._prepare(data)
            directions = self._directions(preconditioner)
            maps = self._sketch_map(data)
            for number, checkpoint in enumerate(self.checkpoints):
                self._session.load(checkpoint)
                work = _rows_of(self._session, maps, directions(number))
                for piece in self._session.sweep(data, np.arange(length(data)), work, on_batch):
                    values = piece.result.cpu().numpy()
                    bad = ~np.isfinite(values).all(1)
                    self._session.report_nonfinite(number, checkpoint.step, piece.rows[bad])
                    values[bad] = np.nan
                    found[number, piece.rows] = values
        return found

    def embeddings(self, data: Any, checkpoint: int = -1) -> np.ndarray:
        """Inputs of the last linear call that produces the outputs, (N, e) float32; of positions, their mean.

        One forward pass; e is 0 for a model without such a call.

        Raises:
            InputError: There is no such checkpoint.
        """
        count = len(self.checkpoints)
        if not -count <= checkpoint < count:
            raise InputError(
                f"There is no checkpoint {checkpoint}.", remedy=f"Possible: {-count} … {count - 1}."
            )
        parts = [np.zeros((0, 0), np.float32)]
        with self._session.open():
            self._prepare(data)
            self._session.load(self.checkpoints[checkpoint])
            for piece in self._session.sweep(data, np.arange(length(data)), self._session.passes.embed):
                parts.append(piece.result.float().cpu().numpy())
        return np.concatenate(parts[1:] or parts)

    def sketch_error(self, train: Any, queries: Any, *, pairs: int = 1024, seed: int = 0) -> SketchError:
        """How far sketched scores of ``train`` on ``queries`` are from exact ones.

        Measured on random pairs; both sides are drawn without replacement.

        Args:
            train: Data set of (inputs, target).
            queries: Data set of (inputs, target).
            pairs: About how many pairs; the cost is that of about 2 · √pairs examples, twice.
            seed: Chooses the pairs.
        """
        draw = np.random.default_rng(seed)
        asked = min(length(queries), max(1, int(np.sqrt(pairs))))
        drawn = min(length(train), max(1, pairs // asked))
        ours = Subset(train, np.sort(draw.choice(length(train), drawn, replace=False)).tolist())
        theirs = Subset(queries, np.sort(draw.choice(length(queries), asked, replace=False)).tolist())
        exact = self.influence(ours, theirs)
        sketched, squares, query_squares = np.zeros_like(exact), np.zeros(drawn), np.zeros(asked)
        for number, checkpoint in enumerate(self.checkpoints):
            weight = checkpoint.learning_rate
            if not isinstance(weight, int | float):
                raise InputError(
                    "Sketches hold no learning rates per parameter, so their scores cannot be compared.",
                    remedy="Give one learning rate per checkpoint.",
                )
            one, other = self.measure(ours, number), self.measure(theirs, number)
            sketched += weight * (other.rows.astype(np.float64) @ one.rows.astype(np.float64).T)
            squares += weight * one.self_influence
            query_squares += weight * other.self_influence
        return sketch_error(sketched, exact, np.sqrt(squares), np.sqrt(query_squares))

    def sketch_blocks(self) -> list[Block]:
        """Column ranges of the sketches by layer group.

        Raises:
            InputError: No data were seen yet that ``layers="last"`` or ``sketch="pca"`` depend on.
        """
        if self._session.layers == "last" and not self._session.norms:
            raise InputError("Which layer is the last is known after data were seen.")
        return list(self._sketch_map().blocks)

    def fit_sketches(self, data: Any, *, on_batch: OnBatch | None = None) -> Basis:
        """Fits the sides of the sketch maps to a pilot of ``data``; ``sketch="pca"`` does so by itself.

        Call it with the training data before sketches of anything else are made. The result may be given to
        another engine as ``sketch=``: sketches can be compared only where seed and basis are the same.
        ``on_batch`` is told the pilot examples done, over two sweeps; it may raise.
        """
        with self._session.open():
            self._prepare(data)
            self._basis = fit(self._session, self.checkpoints, data, seed=self.seed, on_batch=on_batch)
        self._map = None
        return self._basis

    @property
    def sketch_basis(self) -> Basis | None:
        """The fitted basis; ``None`` with random maps, or before data were seen."""
        return self._basis

    def _sketch_map(self, data: Any = None) -> SketchMap:
        """The map; with ``sketch="pca"`` the first data seen are the pilot."""
        if self._fitted and self._basis is None:
            if data is None:
                raise InputError(
                    "The columns of fitted sketches are known after data were seen.",
                    remedy="Call fit_sketches(train) first.",
                )
            self.fit_sketches(data)
        if self._map is None:
            parameters = self._session.passes.parameters
            self._map = SketchMap(
                {name: tuple(p.shape) for name, p in parameters.items()},
                {name: layer_of(name) for name in parameters},
                dim=self.sketch_dim,
                seed=self.seed,
                device=self._session.device,
                basis=self._basis,
            )
        return self._map


def _rows_of(session: Session, maps: SketchMap, direction: Direction | None) -> Callable[[Batch], Tensor]:
    """Sketches of a batch, (B, sketch_dim)."""

    def work(batch: Batch) -> Tensor:
        rows = torch.zeros(len(batch), maps.dim, device=session.device)
        seen: set[str] = set()

        def consume(name: str, form: Form) -> None:
            seen.add(name)
            if direction is None:
                maps.add(name, form, rows)
                return
            for places, part in parts(form):
                maps.add(name, direction.of(name, part), rows[places])

        session.passes.run(batch, session.objective, consume)
        if direction is not None and not direction.linear:
            for name, form in unused(session.passes.parameters, seen, len(batch)):
                consume(name, form)
        return rows

    return work
