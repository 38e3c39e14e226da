"""The map of embeddings: its place in the store."""

from __future__ import annotations

from tracin_viz.fingerprint import FORMAT, fingerprint
from tracin_viz.store.plan import RunPlan

#: Kind of the job that draws it.
KIND = "embedding-map"


def key(plan: RunPlan) -> str:
    """Name of the artifact: it follows from the units of the last checkpoint, whose embedding it shows."""
    last = plan.splits["train"].keys[-1]
    return fingerprint({"kind": KIND, "format": FORMAT, "units": last, "seed": plan.settings.seed})
