"""The share of like-labelled neighbours of suspects, kept as one artifact."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tracin_viz.fingerprint import FORMAT, fingerprint
from tracin_viz.store.artifacts import ArtifactStore
from tracin_viz.store.plan import RunPlan, map_key

FILE = "agreement.npy"


def key(plan: RunPlan, rates: Sequence[float]) -> str:
    """Name of the artifact: it follows from the gradient units and the weights of the checkpoints."""
    return fingerprint(["neighbours", FORMAT, map_key(plan.splits["train"], rates)])


def write(store: ArtifactStore, name: str, agreement: npt.NDArray[np.float64]) -> None:
    """Keep (n,) shares, NaN where nobody asked."""
    with store.writing(name, {"format": FORMAT, "kind": "neighbours"}) as folder:
        np.save(folder / FILE, agreement.astype(np.float32), allow_pickle=False)


def read(store: ArtifactStore, name: str) -> npt.NDArray[np.float64]:
    """The same."""
    return np.asarray(np.load(store.path(name) / FILE, allow_pickle=False), dtype=np.float64)
