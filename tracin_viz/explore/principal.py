"""Principal components of unit-norm rows, without a second copy of a large matrix.

Randomised range finder with power iterations (Halko, Martinsson, Tropp 2011, algorithms 4.4 and 5.1), in
passes over blocks of rows: 20,000 influence vectors of 12,288 numbers are 1 GB, and the usual
implementation makes two or three copies of that.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]

#: Rows worked on at once: 50 MB at 12,288 columns.
BLOCK = 1024
#: Directions kept beyond the wanted ones, and power iterations: with both, the components of influence
#: vectors agree with an exact decomposition to a fraction of a per cent of the explained variance.
SPARE = 14
ITERATIONS = 2


def unit_scales(vectors: npt.NDArray[np.floating]) -> Matrix:
    """One over the length of each row; 0 where a row has no usable direction.

    Args:
        vectors: (N, D), memory maps too.

    Returns:
        (N,) float32. Rows that are not finite, zero, or of a length outside 1e-30 to 1e30 (whose inverse
        float32 could not hold) get 0.
    """
    scales = np.zeros(len(vectors), dtype=np.float32)
    for start in range(0, len(vectors), BLOCK):
        block = np.asarray(vectors[start : start + BLOCK], dtype=np.float32)
        largest = np.abs(block).max(axis=1, initial=0.0).astype(np.float64)  # keeps NaN and infinity
        usable = np.isfinite(largest) & (largest > 0)
        # By the largest entry first: squares of very small or large entries would under- or overflow.
        largest = np.where(usable, largest, 1.0)
        scaled = np.where(usable[:, None], block, 0.0) / largest.astype(np.float32)[:, None]
        length = np.linalg.norm(scaled, axis=1) * largest
        usable &= (length > 1e-30) & (length < 1e30)
        scales[start : start + BLOCK][usable] = 1.0 / length[usable]
    return scales


def reduce_unit_rows(
    vectors: npt.NDArray[np.floating], scales: Matrix, *, dimensions: int, seed: int
) -> Matrix:
    """Centred principal components of the usable rows, each scaled to length one first.

    Args:
        vectors: (N, D), memory maps too.
        scales: (N,) from ``unit_scales``; rows with 0 take no part, at least one does.
        dimensions: Components wanted; fewer come back where rows or columns are fewer.
        seed: Of the random range finder.

    Returns:
        (M, k) float32 for the M usable rows, columns by falling variance, each with the sign that makes its
        entry of largest size positive. Euclidean distance between rows approximates √(2 − 2 cosine).
    """
    count, columns = int(np.count_nonzero(scales)), vectors.shape[1]
    wanted = min(dimensions, count, columns)
    width = min(wanted + SPARE, count, columns)
    mean = np.zeros(columns)
    for block in _unit_blocks(vectors, scales):
        mean += block.sum(axis=0, dtype=np.float64)
    centre = (mean / count).astype(np.float32)
    generator = np.random.default_rng(seed)
    directions = generator.standard_normal((columns, width), dtype=np.float32)
    for _ in range(ITERATIONS):
        directions = _times_covariance(vectors, scales, centre, _orthonormal(directions))
    basis = _orthonormal(directions)
    shift = centre @ basis
    scores = np.concatenate([block @ basis - shift for block in _unit_blocks(vectors, scales)])
    _, _, rotation = np.linalg.svd(scores.astype(np.float64), full_matrices=False)
    result = scores @ rotation[:wanted].T.astype(np.float32)
    largest = result[np.abs(result).argmax(axis=0), np.arange(result.shape[1])]
    return np.ascontiguousarray(result * np.where(largest < 0, -1, 1).astype(np.float32))


def _times_covariance(
    vectors: npt.NDArray[np.floating], scales: Matrix, centre: Matrix, directions: Matrix
) -> Matrix:
    """XᵀX times the directions for the centred unit rows X, in one pass."""
    result = np.zeros_like(directions)
    shift = centre @ directions
    for block in _unit_blocks(vectors, scales):
        # Centring one side is enough: the centred projections sum to zero, and with them c Σ p.
        result += block.T @ (block @ directions - shift)
    return result


def _orthonormal(directions: Matrix) -> Matrix:
    return np.linalg.qr(directions)[0].astype(np.float32)


def _unit_blocks(vectors: npt.NDArray[np.floating], scales: Matrix) -> Iterator[Matrix]:
    for start in range(0, len(vectors), BLOCK):
        factors = scales[start : start + BLOCK]
        kept = factors > 0
        block = np.asarray(vectors[start : start + BLOCK], dtype=np.float32)
        if kept.all():
            yield block * factors[:, None]
        elif kept.any():
            yield block[kept] * factors[kept, None]
