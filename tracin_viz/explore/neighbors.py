"""The most and the least similar examples by embedding, for comparison with proponents and opponents.

Similarity says which examples the model sees alike; influence says which ones taught it. The authors' figure
shows both, because they differ (Pruthi et al. 2020, figure 1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tracin_viz.errors import InputError

#: Rows worked on at once, so that a float16 memory map never becomes one large float64 array.
BLOCK = 8192


@dataclass(frozen=True)
class Similar:
    """Examples next to a query, best first.

    Attributes:
        most: (≤ top,) int64 rows, most similar first.
        most_cosine: Their cosine similarities, −1 to 1.
        least: (≤ top,) int64 rows, least similar first.
        least_cosine: Their cosine similarities.
    """

    most: npt.NDArray[np.int64]
    most_cosine: npt.NDArray[np.float64]
    least: npt.NDArray[np.int64]
    least_cosine: npt.NDArray[np.float64]


def cosines(embeddings: npt.NDArray[np.floating], query: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Cosine similarity of every embedding with the query.

    Args:
        embeddings: (N, e), any float type, memory maps too.
        query: (e,).

    Returns:
        (N,) float64; NaN for rows (or a query) that are zero or not finite.

    Raises:
        InputError: The widths differ.
    """
    target = np.asarray(query, dtype=np.float64).reshape(-1)
    if embeddings.ndim != 2 or embeddings.shape[1] != target.size:
        raise InputError(f"Embeddings {embeddings.shape} do not fit a query of {target.size} numbers.")
    result = np.full(len(embeddings), np.nan)
    length = np.linalg.norm(target)
    if not np.isfinite(length) or length == 0:
        return result
    target = target / length
    for start in range(0, len(embeddings), BLOCK):
        block = np.asarray(embeddings[start : start + BLOCK], dtype=np.float64)
        usable = np.asarray(np.isfinite(block).all(axis=1), dtype=np.bool_)
        block = np.where(usable[:, None], block, 0.0)
        norms = np.linalg.norm(block, axis=1)
        usable &= norms > 0
        result[start : start + BLOCK][usable] = (block @ target)[usable] / norms[usable]
    return np.asarray(np.clip(result, -1.0, 1.0), dtype=np.float64)


def similar(
    embeddings: npt.NDArray[np.floating],
    query: npt.NDArray[np.floating],
    *,
    top: int = 10,
    exclude: int | npt.NDArray[np.int64] | None = None,
) -> Similar:
    """The ``top`` most and least similar examples of a query.

    Args:
        embeddings: (N, e).
        query: (e,).
        top: Examples per side.
        exclude: Row of the query itself, or rows, where it is among the examples.

    Returns:
        Rows and cosines. Cosines that agree to nine decimals count as equal and are ordered by row: the
        last bits of a product depend on where in memory a row lies, and copies of an example must not
        change places for that. Rows without a cosine are left out.
    """
    found = cosines(embeddings, query)
    rows = np.flatnonzero(~np.isnan(found))
    if exclude is not None:
        rows = rows[~np.isin(rows, exclude)]
    return ranked(rows, found[rows], top)


def ranked(rows: npt.NDArray[np.int64], found: npt.NDArray[np.float64], top: int) -> Similar:
    """The two ends of cosines, as ``similar`` orders them.

    Args:
        rows: (r,) ascending.
        found: (r,) their cosines; none is NaN.
        top: Examples per side.
    """
    rounded = np.round(found, 9)
    most = np.argsort(-rounded, kind="stable")[: max(0, top)]
    least = np.argsort(rounded, kind="stable")[: max(0, top)]
    return Similar(rows[most], found[most], rows[least], found[least])
