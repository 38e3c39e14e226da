"""The stored basis of a run's sketches, as every process of the run and the query process read it.

The artifact is found by what it was fitted to (``pilot``). The units name its *bytes*: a basis that was lost
and fitted again on another machine may differ in the last bits, and with them in whole directions, so
sketches by the one must never be compared with sketches by the other.
"""

from __future__ import annotations

from tracin_viz.engine import Basis
from tracin_viz.errors import StoreError
from tracin_viz.fingerprint import FORMAT
from tracin_viz.store.artifacts import ArtifactStore
from tracin_viz.store.plan import BasisPlace, RunPlan

BASIS_FILE = "basis.safetensors"


def store_basis(store: ArtifactStore, key: str, basis: Basis) -> None:
    """Keep ``basis`` as artifact ``key``; where another process was first, its own stays."""
    with store.writing(key, {"format": FORMAT, "kind": "basis"}) as folder:
        basis.save(folder / BASIS_FILE)


def stored_place(store: ArtifactStore, key: str) -> BasisPlace | None:
    """Where the basis ``key`` is and its digest; ``None`` where it is missing or damaged."""
    if not store.is_whole(key):
        return None
    return BasisPlace(key, store.manifest(key)["files"][BASIS_FILE]["sha256"])


def sketch_of(store: ArtifactStore, plan: RunPlan) -> Basis | str:
    """The sketch maps of ``plan``, as the engine takes them.

    Raises:
        StoreError: Its basis is missing, damaged, or not the one that its units were made with.
    """
    if plan.settings.sketch == "random":
        return "random"
    if plan.basis is None or stored_place(store, plan.basis.key) != plan.basis:
        raise StoreError(
            "The maps that the stored gradient sketches were made with are missing or damaged.",
            remedy="Start the computation again (Compute page): it computes what cannot be used any more.",
        )
    return Basis.load(store.path(plan.basis.key) / BASIS_FILE)
