"""One pass for many products: sketches, predictions, embeddings."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from tracin_viz.engine.base import EngineBase
from tracin_viz.engine.batches import Batch, length
from tracin_viz.engine.measurements import BatchMeasurement, Measurements
from tracin_viz.engine.session import OnBatch, layer_of
from tracin_viz.engine.sketch import Block, SketchMap
from tracin_viz.errors import InputError


class SketchProducts(EngineBase):
    """What is measured at one checkpoint, not multiplied by learning rates."""

    def measure(self, data: Any, checkpoint: int, *, on_batch: OnBatch | None = None) -> Measurements:
        """One pass over ``data`` at one checkpoint (by index); learning rates are not applied."""
        with self._session.open():
            self._prepare(data)
            chosen = self.checkpoints[checkpoint]
            self._session.load(chosen)
            maps = self._sketch_map()
            dtype = self._session.dtype or next(iter(self._session.passes.parameters.values())).dtype

            def work(batch: Batch) -> Measurements:
                consumer = BatchMeasurement(len(batch), maps, dtype)
                outcome = self._session.passes.run(batch, self._session.objective, consumer)
                return consumer.result(outcome, batch.targets)

            parts = []
            for piece in self._session.sweep(data, np.arange(length(data)), work, on_batch):
                number = checkpoint % len(self.checkpoints)
                self._session.report_nonfinite(number, chosen.step, piece.rows[~piece.result.finite])
                parts.append(piece.result)
        return Measurements.joined(parts)

    def sketches(self, data: Any, *, on_batch: OnBatch | None = None) -> np.ndarray:
        """Gradient sketches (K, N, sketch_dim) float32, not multiplied by learning rates.

        Rows of examples whose gradient is not finite are NaN (``on_nonfinite="record"``).
        """
        found = np.zeros((len(self.checkpoints), length(data), self.sketch_dim), np.float32)
        with self._session.open():
            self._prepare(data)
            maps = self._sketch_map()
            for number, checkpoint in enumerate(self.checkpoints):
                self._session.load(checkpoint)

                def work(batch: Batch) -> Tensor:
                    rows = torch.zeros(len(batch), maps.dim, device=self._session.device)
                    self._session.passes.run(
                        batch, self._session.objective, lambda name, form: maps.add(name, form, rows)
                    )
                    return rows

                for piece in self._session.sweep(data, np.arange(length(data)), work, on_batch):
                    values = piece.result.cpu().numpy()
                    bad = ~np.isfinite(values).all(1)
                    self._session.report_nonfinite(number, checkpoint.step, piece.rows[bad])
                    values[bad] = np.nan
                    found[number, piece.rows] = values
        return found

    def embeddings(self, data: Any, checkpoint: int = -1) -> np.ndarray:
        """Inputs of the last linear call that produces the outputs, (N, e) float32."""
        return self.measure(data, checkpoint).embedding

    def sketch_blocks(self) -> list[Block]:
        """Column ranges of the sketches by layer group.

        Raises:
            InputError: ``layers="last"``, and no data were seen that show which layer that is.
        """
        if self._session.layers == "last" and not self._session.norms:
            raise InputError("Which layer is the last is known after data were seen.")
        return list(self._sketch_map().blocks)

    def _sketch_map(self) -> SketchMap:
        if self._map is None:
            parameters = self._session.passes.parameters
            self._map = SketchMap(
                {name: tuple(p.shape) for name, p in parameters.items()},
                {name: layer_of(name) for name in parameters},
                dim=self.sketch_dim,
                seed=self.seed,
                device=self._session.device,
            )
        return self._map
