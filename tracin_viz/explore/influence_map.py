"""A flat map of influence vectors: near on the map = treated alike by the model during training.

Influence vectors are compared by direction only (cosine; the authors' blog post on TracIn clusters), since
their lengths differ by orders of magnitude. Unit rows → principal components → UMAP.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tracin_viz.errors import InputError
from tracin_viz.explore.principal import Matrix, reduce_unit_rows, unit_scales

Mask = npt.NDArray[np.bool_]

#: Principal components kept: more cost time and bring noise, the map looks the same.
COMPONENTS = 50
#: Neighbours that UMAP tries to keep near each example.
NEIGHBORS = 15
#: UMAP's `min_dist` and rounds: measured with the clusters in docs/decisions/0020-clusters.md.
TIGHTNESS = 0.02
EPOCHS = 200
#: Exact neighbours take time with the square of the number; beyond this UMAP's own index is quicker.
EXACT_UP_TO = 100_000
#: Fewer usable examples than this get no UMAP: a few neighbourhoods say less than their principal components,
#: and UMAP compiles for some ten seconds in each new process before it places anything.
SMALLEST = 100


@dataclass(frozen=True)
class MapResult:
    """Where each example lies.

    Attributes:
        coordinates: (N, 2) float32; NaN for examples left out.
        reduced: (N, ≤ 50) float32 principal components of the unit rows; NaN for examples left out.
        left_out: (N,) True where the vector is zero or not finite, so that it has no direction.
        method: ``"umap"`` or ``"pca"``.
        note: What a page should say about this map, or empty.
    """

    coordinates: Matrix
    reduced: Matrix
    left_out: Mask
    method: str
    note: str


def build_map(vectors: npt.NDArray[np.floating], *, seed: int = 0) -> MapResult:
    """Lay out N examples on a plane by the direction of their influence vectors.

    Args:
        vectors: (N, D) influence vectors φ, any float type, memory maps too; never copied as a whole.
        seed: The same seed and vectors give the same map on the same machine.

    Raises:
        InputError: ``vectors`` is not a matrix.
    """
    if vectors.ndim != 2:
        raise InputError(
            f"A map needs one vector per example, a matrix; got an array of shape {vectors.shape}."
        )
    scales = unit_scales(vectors)
    usable = scales > 0
    count = int(usable.sum())
    width = max(2, min(COMPONENTS, count, vectors.shape[1]))
    coordinates = np.full((len(vectors), 2), np.nan, dtype=np.float32)
    reduced = np.full((len(vectors), width), np.nan, dtype=np.float32)
    method, note = "pca", ""
    if count:
        inner = _at_least_two(reduce_unit_rows(vectors, scales, dimensions=COMPONENTS, seed=seed))
        reduced[usable] = inner
        method, note, coordinates[usable] = _lay_out(inner, seed)
    if count < len(vectors):
        missing = len(vectors) - count
        left = f"{missing} of {len(vectors)} examples have no usable gradient and are not on the map."
        note = f"{note} {left}".strip()
    return MapResult(coordinates, reduced, ~usable, method, note)


def _lay_out(reduced: Matrix, seed: int) -> tuple[str, str, Matrix]:
    """Method, note and (M, 2) coordinates of the usable examples."""
    flat = reduced[:, :2]
    if len(reduced) < SMALLEST:
        return "pca", "Too few examples for UMAP: the map shows their two principal components.", flat
    if not np.ptp(reduced, axis=0).any():
        return "pca", "All influence vectors point the same way, so the map is a single point.", flat
    try:
        placed = _umap(reduced, seed)
    except Exception as error:  # UMAP and numba raise many kinds; a map by components is better than none
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        return "pca", f"UMAP failed ({reason}): the map shows the two principal components instead.", flat
    if not np.isfinite(placed).all():
        return "pca", "UMAP gave no usable places: the map shows the two principal components instead.", flat
    return "umap", "", placed


def _umap(reduced: Matrix, seed: int) -> Matrix:
    neighbors = min(NEIGHBORS, len(reduced) - 1)
    with warnings.catch_warnings():
        # UMAP warns that it has no TensorFlow, that it cannot place new points without its own index and that
        # a seed means one thread: all of that is wanted here.
        warnings.simplefilter("ignore")
        import umap

        layout = umap.UMAP(
            n_neighbors=neighbors,
            min_dist=TIGHTNESS,
            n_epochs=EPOCHS,
            random_state=seed,
            n_jobs=1,
            init=_start(reduced, seed),
            precomputed_knn=_exact_neighbors(reduced, neighbors)
            if len(reduced) <= EXACT_UP_TO
            else (None, None, None),
            # With neighbours given this only keeps UMAP on the path that uses them.
            force_approximation_algorithm=True,
        )
        return np.asarray(layout.fit_transform(reduced), dtype=np.float32)


def _exact_neighbors(reduced: Matrix, count: int) -> tuple[npt.NDArray[np.int32], Matrix]:
    """Each example's ``count`` nearest, itself first, and their distances.

    UMAP would build an approximate index from 4,096 examples on, whose compilation alone takes over 40 CPU
    seconds in every new process; exact neighbours of 20,000 × 50 take three.
    """
    from sklearn.neighbors import NearestNeighbors

    distances, indices = (
        NearestNeighbors(n_neighbors=count, algorithm="brute").fit(reduced).kneighbors(reduced)
    )
    return indices.astype(np.int32), distances.astype(np.float32)


def _start(reduced: Matrix, seed: int) -> Matrix:
    """Starting places: the two largest components, scaled as UMAP likes them, copies pulled apart a little.

    They keep the large arrangement, need no eigenvectors of the graph (whose solver fails on some graphs that
    fall into pieces) and do not change from one machine's solver to another's.
    """
    flat = reduced[:, :2]
    scaled = 10.0 * flat / np.abs(flat).max()
    jitter = np.random.default_rng(seed).normal(scale=1e-4, size=flat.shape)
    return np.ascontiguousarray(scaled + jitter, dtype=np.float32)


def _at_least_two(reduced: Matrix) -> Matrix:
    missing = 2 - reduced.shape[1]
    return np.pad(reduced, ((0, 0), (0, missing))) if missing > 0 else reduced
