"""Which training examples look alike to the model: asked with every query, so it must cost next to nothing.

``explore.neighbors.similar`` converts all embeddings to float64 and sorts all cosines. Here the lengths are
kept, the products are float32 ones, and only rows that may be among the answers get an exact cosine.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from tracin_viz.errors import InputError
from tracin_viz.explore.neighbors import Similar, cosines, ranked

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


class Likeness:
    """Cosines of embeddings, for one query after the other.

    Args:
        parts: (n_i, e) float16 embeddings of consecutive examples; memory maps stay what they are.
    """

    def __init__(self, parts: Sequence[npt.NDArray[np.float16]]) -> None:
        self._parts = parts
        self._starts = np.cumsum([0, *(len(part) for part in parts)])
        self.width = int(parts[0].shape[1])
        lengths = np.concatenate([torch.linalg.vector_norm(_wide(part), dim=1).numpy() for part in parts])
        usable = np.isfinite(lengths) & (lengths > 0)
        self._lengths = np.where(usable, lengths, np.nan).astype(np.float32)  # (n,)

    def rows(self, rows: Rows) -> npt.NDArray[np.float16]:
        """(m, e) embeddings of ``rows``, in their order."""
        found = np.empty((len(rows), self.width), dtype=np.float16)
        place = np.searchsorted(self._starts, rows, side="right") - 1
        for number in np.unique(place).tolist():
            here = np.flatnonzero(place == number)
            found[here] = self._parts[number][rows[here] - self._starts[number]]
        return found

    def similar(self, query: npt.NDArray[np.floating], *, top: int, exclude: Rows) -> Similar:
        """The ``top`` most and least similar examples, as ``explore.neighbors.similar`` answers.

        Args:
            query: (e,).
            top: Examples per side, at least one.
            exclude: Rows left out.

        Raises:
            InputError: The widths differ.
        """
        target = np.asarray(query, dtype=np.float64).reshape(-1)
        if target.size != self.width:
            raise InputError(f"Embeddings of {self.width} numbers do not fit a query of {target.size}.")
        length = np.linalg.norm(target)
        usable = bool(np.isfinite(length)) and length > 0
        roughly = self._roughly(target / length if usable else target * np.nan)
        roughly[exclude] = np.nan
        rows = _possible(roughly, top, width=self.width)
        return ranked(rows, cosines(self.rows(rows), target), top)

    def _roughly(self, target: npt.NDArray[np.float64]) -> Floats:
        """(n,) cosines in float32; NaN for rows without one."""
        wanted = torch.from_numpy(target.astype(np.float32))
        products = [torch.mv(_wide(part), wanted).numpy() for part in self._parts]
        return np.asarray(np.concatenate(products) / self._lengths, dtype=np.float32)


def _possible(roughly: Floats, top: int, *, width: int) -> Rows:
    """Ascending rows that may be among the ``top`` at either end, whatever float32 got wrong."""
    rows = np.flatnonzero(~np.isnan(roughly))
    if len(rows) <= 2 * top:
        return rows
    known = roughly[rows]
    ordered = np.partition(known, (top - 1, len(rows) - top))
    # The sum of ``width`` products of unit vectors is off by width · eps/2 at most, lengths by as much; two
    # cosines are compared, and those that agree to nine decimals count as equal.
    doubt = 2 * (width + 8) * float(np.finfo(np.float32).eps) + 2e-9
    close = (known >= ordered[len(rows) - top] - doubt) | (known <= ordered[top - 1] + doubt)
    possible: Rows = rows[close]
    return possible


def _wide(part: npt.NDArray[np.float16]) -> torch.Tensor:
    """The numbers in float32; by torch, because numpy converts float16 one by one."""
    return torch.from_numpy(np.array(part)).float()
