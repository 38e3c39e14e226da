"""The map of the training split: influence vectors to coordinates and clusters, stored as one artifact."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from tracin_viz.explore.clusters import cluster
from tracin_viz.explore.influence_map import build_map
from tracin_viz.fingerprint import FORMAT
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
    gradients = GradientSet(store, [list(row) for row in plan.splits["train"].keys])
    vectors = gradients.vectors(list(learning_rates))  # (n, K·d)
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
    with store.writing(plan.map_key, {"format": FORMAT, "kind": "map", "note": result.note}) as folder:
        write_frame(folder / MAP_FILE, table)
