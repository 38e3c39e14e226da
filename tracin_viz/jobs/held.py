"""The stored gradients of one split, kept open by the query process between questions.

Opening a unit checks it and reads its table; over a hundred thousand examples that takes longer than the scan
of their sketches. Rows stay memory maps, so what is held is their pages in the system's cache.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tracin_viz.engine.search import Block
from tracin_viz.jobs.likeness import Likeness
from tracin_viz.store.parts import GradientSet

Rows = npt.NDArray[np.int64]


class Held:
    """Sketches, exact norms and embeddings of a split.

    Args:
        gradients: Its units.

    Attributes:
        n: Number of examples.
        blocks: As ``engine.search`` takes them.
        self_influence: (K, n) float64 exact squared gradient norms, learning rates not applied.
        finite: (n,) whether the gradient is finite at every checkpoint.
        likeness: Embeddings of the last checkpoint.
    """

    def __init__(self, gradients: GradientSet) -> None:
        self.n = gradients.n
        self.blocks: list[Block] = []
        squares, finite, embeddings = [], [], []
        for part, units in gradients.shards():
            # Norms are read at every question, and are small; of rows only those that may be in the answer.
            self.blocks.append((part, [(unit.rows, np.array(unit.norm)) for unit in units]))
            squares.append(np.stack([unit.examples["self_influence"].to_numpy() for unit in units]))
            finite.append(np.stack([unit.examples["finite"].to_numpy() for unit in units]).all(axis=0))
            embeddings.append(units[-1].embedding)
        self.self_influence: npt.NDArray[np.float64] = np.concatenate(squares, axis=1)
        self.finite: npt.NDArray[np.bool_] = np.concatenate(finite)
        self.likeness = Likeness(embeddings)
        self._starts = np.array([part.start for part, _ in self.blocks])

    def sketches(self, rows: Rows) -> npt.NDArray[np.float32]:
        """(m, K, d) gradient sketches of ``rows``, in their order; flagged examples are zero."""
        first = self.blocks[0][1]
        found = np.zeros((len(rows), len(first), first[0][0].shape[1]), np.float32)
        shard = np.searchsorted(self._starts, rows, side="right") - 1
        for number in np.unique(shard).tolist():
            here = np.flatnonzero(shard == number)
            part, units = self.blocks[number]
            inside = rows[here] - part.start
            for place, (unit_rows, norm) in enumerate(units):
                found[here, place] = unit_rows[inside] * norm[inside, None]
        return found

    def norms(self, rates: npt.NDArray[np.float64], rows: Rows) -> npt.NDArray[np.float64]:
        """(m,) exact ‖φ‖ of ``rows``: √(Σ_i η_i ‖∇ℓ(w_i, z)‖²)."""
        found: npt.NDArray[np.float64] = np.sqrt(rates @ self.self_influence[:, rows])
        return found
