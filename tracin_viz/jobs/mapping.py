"""Maps of the training split: vectors to coordinates and clusters, each stored as one artifact."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from tracin_viz.explore.clusters import cluster
from tracin_viz.explore.influence_map import build_map
from tracin_viz.fingerprint import FORMAT
from tracin_viz.store import embedding_map
from tracin_viz.store.artifacts import ArtifactStore
from tracin_viz.store.parts import MAP_FILE, GradientSet, write_frame
from tracin_viz.store.plan import RunPlan


def write_map(store: ArtifactStore, plan: RunPlan, learning_rates: Sequence[float]) -> None:
    """Place the training examples on a map, cluster them, and store both under ``plan.map_key``.

    Args:
        store: Where the units are and the map goes.
        plan: Names the units; all of them must be whole.
        learning_rates: Weight per checkpoint of the plan.
    """
    vectors = _gradients(store, plan).vectors(list(learning_rates))  # (n, K·d)
    _write(store, plan, plan.map_key, vectors, kind="map")


def write_embedding_map(store: ArtifactStore, plan: RunPlan) -> None:
    """The same of the embeddings of the last checkpoint: what the model sees alike, whatever taught it."""
    vectors = _gradients(store, plan).embedding(-1)  # (n, e)
    _write(store, plan, embedding_map.key(plan), vectors, kind=embedding_map.KIND)


def _gradients(store: ArtifactStore, plan: RunPlan) -> GradientSet:
    return GradientSet(store, [list(row) for row in plan.splits["train"].keys])


def _write(
    store: ArtifactStore, plan: RunPlan, key: str, vectors: npt.NDArray[np.floating], *, kind: str
) -> None:
    result = build_map(vectors, seed=plan.settings.seed)
    found = cluster(result.coordinates)
    table = pd.DataFrame(
        {
            "x": result.coordinates[:, 0],
            "y": result.coordinates[:, 1],
            "cluster": found.labels,
            "membership": found.probabilities,
        }
    )
    with store.writing(key, {"format": FORMAT, "kind": kind, "note": result.note}) as folder:
        write_frame(folder / MAP_FILE, table)
