"""Which basis a run's sketches have: the one it had, one fitted to the same pilot before, or a new one.

A basis costs a fixed number of passes and says only how accurate sketches are, never whether they are right:
inner products are unbiased whatever the pilot was. So a run keeps the basis of the run before it wherever
that saves a unit; a changed label, a further checkpoint or more examples then cost their own units only.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from tracin_viz.engine.pilot import BATCH, VERSION, pilot_checkpoints, pilot_rows
from tracin_viz.fingerprint import FORMAT, fingerprint
from tracin_viz.jobs.bases import store_basis, stored_place
from tracin_viz.jobs.devices import Machine
from tracin_viz.jobs.loading import Examples, Sources, build_engine
from tracin_viz.jobs.measuring import loss_or_score
from tracin_viz.jobs.planning import Wanted
from tracin_viz.jobs.reporter import Reporter
from tracin_viz.store.artifacts import ArtifactStore
from tracin_viz.store.plan import BasisPlace, RunPlan

STAGE = "fitting"


def basis_for(
    store: ArtifactStore,
    sources: Sources,
    wanted: Wanted,
    *,
    device: str,
    previous: RunPlan | None,
    reporter: Reporter,
) -> BasisPlace | None:
    """The basis for the units that are ``wanted``; ``None`` for random maps.

    Args:
        store: Where it is, or goes.
        sources: The audit's data and model.
        wanted: What the run is asked for.
        device: Where a new one is fitted, as ``SpeedSettings`` names devices.
        previous: The plan before.
        reporter: Told the progress of a fit.

    Raises:
        CancelledError: The run was asked to stop during a fit; nothing is left of it.
    """
    if wanted.settings.sketch == "random":
        return None
    kept = None if previous is None else previous.basis
    if kept is not None and stored_place(store, kept.key) == kept and _saves(store, wanted, kept):
        return kept
    key = pilot_key(wanted)
    place = stored_place(store, key)
    if place is None:
        _fit(store, sources, wanted, key, device=Machine.here().chosen(device), reporter=reporter)
        place = stored_place(store, key)
    return place


def _saves(store: ArtifactStore, wanted: Wanted, basis: BasisPlace) -> bool:
    """Whether any of the units that are wanted is there already, made with ``basis``."""
    keys = (key for split in wanted.splits(basis).values() for row in split.keys for key in row)
    return any(map(store.is_whole, keys))


def pilot_key(wanted: Wanted) -> str:
    """Content key of the basis: of everything that the fit reads, but not of where it ran.

    The length of a sketch is not part of it: the same basis serves all.
    """
    dataset, settings = wanted.dataset, wanted.settings
    rows = pilot_rows(len(dataset.splits["train"].labels)).tolist()
    return fingerprint(
        {
            "kind": "basis",
            "format": FORMAT,
            "version": VERSION,
            "examples": [dataset.digest("train", rows), *wanted.labels("train", rows)],
            "classes": list(dataset.classes),
            "model": wanted.identity,
            "weights": [wanted.weights[place] for place in pilot_checkpoints(len(wanted.weights))],
            "layers": settings.layers,
            "loss": settings.loss,
            "numeric_mode": settings.numeric_mode,
            "seed": settings.seed,
        }
    )


def _fit(
    store: ArtifactStore, sources: Sources, wanted: Wanted, key: str, *, device: str, reporter: Reporter
) -> None:
    dataset = sources.dataset
    labels = dataset.splits["train"].labels
    rows = pilot_rows(len(labels))
    total = 2 * len(rows)

    def told(done: int) -> None:
        reporter.update(STAGE, done, total, f"Fitting the sketch maps to {len(rows)} training examples")

    told(0)
    # All cores, whatever was asked for the units: the bytes must not depend on how many processes measure.
    with _threads(Machine.here().threads(1)):
        unlabelled = dataset.target == "class" and bool((labels[rows] < 0).any())
        engine = build_engine(
            sources,
            RunPlan(wanted.settings, wanted.checkpoints, {}, "", BATCH, 0, device),
            store,
            sketch="pca",
            **({"loss": loss_or_score} if unlabelled else {}),
        )
        data = Examples(dataset, "train", range(len(labels)), keep=True)
        store_basis(store, key, engine.fit_sketches(data, on_batch=told))


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
