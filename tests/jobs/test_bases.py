"""The fitted basis of a run: one artifact, the same for whoever reads it, kept as long as it saves a unit."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import run_command
from tests.jobs.test_resume import SETTINGS, artifacts, killed_run
from tests.oracles import relative_error
from tracin_viz.config import Home, ResultSettings
from tracin_viz.engine.pilot import pilot_rows
from tracin_viz.errors import StoreError
from tracin_viz.jobs.bases import BASIS_FILE, sketch_of
from tracin_viz.jobs.loading import Examples, build_engine, open_sources
from tracin_viz.jobs.pilot import pilot_key
from tracin_viz.jobs.planning import Wanted
from tracin_viz.store import plan as plans
from tracin_viz.store import registry
from tracin_viz.store.artifacts import ArtifactStore
from tracin_viz.store.parts import GradientSet
from tracin_viz.store.plan import RunPlan


def plan_of(home: Path) -> RunPlan:
    return plans.require(Home(home), "tiny")


def store_of(home: Path) -> ArtifactStore:
    return ArtifactStore(home / "artifacts")


def compute(home: Path, *options: str) -> RunPlan:
    done = run_command("compute", "tiny", *SETTINGS, *options, home=home)
    assert done.code == 0, done.err
    return plan_of(home)


@pytest.fixture
def computed(tiny_home: Path, tmp_path: Path) -> Path:
    """A test's own copy of the computed workspace."""
    home = tmp_path / "home"
    shutil.copytree(tiny_home, home, ignore=shutil.ignore_patterns("runtime"))
    return home


def test_sketches_of_a_run_are_those_of_the_engine_with_the_same_basis(tiny_home):
    plan, store = plan_of(tiny_home), store_of(tiny_home)
    sources = open_sources(registry.read(Home(tiny_home), "tiny"))
    engine = build_engine(sources, plan, store, sketch="pca")
    train = Examples(sources.dataset, "train", range(48))
    expected = engine.sketches(train)  # (K, N, d); fits a basis of its own, to the same pilot
    assert {name: value.tolist() for name, value in engine.sketch_basis.state().items()} == {
        name: value.tolist() for name, value in sketch_of(store, plan).state().items()
    }
    stored = GradientSet(store, [list(row) for row in plan.splits["train"].keys])
    for place in range(3):
        rates = np.eye(3)[place].tolist()
        found = stored.vectors(rates).reshape(48, 3, -1)[:, place]
        assert relative_error(found, expected[place]) < 2e-3  # fp16


@pytest.mark.long
def test_a_run_killed_after_the_fit_leaves_the_basis_and_the_bytes_of_one_that_was_not(fresh_home, tiny_home):
    basis = plan_of(tiny_home).basis
    assert basis is not None
    killed_run(fresh_home, after=1)
    folder = store_of(fresh_home).path(basis.key)
    made = (folder / BASIS_FILE).stat().st_mtime_ns
    assert compute(fresh_home).basis == basis
    assert (folder / BASIS_FILE).stat().st_mtime_ns == made  # it was not fitted again
    whole = {name: data for name, data in artifacts(fresh_home).items() if ".part" not in name}
    assert whole == artifacts(tiny_home)


def test_a_damaged_basis_is_fitted_again_to_the_same_bytes(computed, tiny_home):
    plan, store = plan_of(computed), store_of(computed)
    file = store.path(plan.basis.key) / BASIS_FILE
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(StoreError, match="Start the computation again"):
        sketch_of(store, plan)
    assert compute(computed) == plan
    assert artifacts(computed) == artifacts(tiny_home)


def test_a_basis_by_other_bytes_is_never_used_with_units_of_the_first(computed):
    plan, store = plan_of(computed), store_of(computed)
    other = replace(plan, basis=replace(plan.basis, digest="0" * 64))
    with pytest.raises(StoreError, match="missing or damaged"):
        sketch_of(store, other)
    sources = open_sources(registry.read(Home(computed), "tiny"))
    wanted = Wanted.of(sources.dataset, sources.bundle, plan.settings, plan.checkpoints)
    assert wanted.splits(plan.basis) == plan.splits
    moved = wanted.splits(other.basis)
    assert not {key for row in moved["train"].keys for key in row} & set(plan.units)


def test_random_maps_need_no_basis_and_stay_what_the_audit_gets(fresh_home):
    first = compute(fresh_home, "--sketch", "random")
    assert first.basis is None
    assert len(list((fresh_home / "artifacts").glob("??/*/manifest.json"))) == len(first.units) + 1  # the map
    again = compute(fresh_home)  # as an audit from before there was a choice
    assert again == first
    fitted = compute(fresh_home, "--sketch", "pca")
    assert fitted.basis is not None
    assert not set(fitted.units) & set(first.units)


def test_the_key_of_a_basis_is_what_it_was_fitted_to_and_nothing_else(computed):
    plan = plan_of(computed)
    sources = open_sources(registry.read(Home(computed), "tiny"))
    bundle, data = sources.bundle, sources.dataset

    def key(dataset=data, checkpoints=plan.checkpoints, **changes):
        return pilot_key(Wanted.of(dataset, bundle, ResultSettings(**changes), checkpoints))

    assert key(sketch_dim=64) == key(sketch_dim=512, shard_size=7) == plan.basis.key
    others = [key(seed=1), key(layers="last"), key(checkpoints=(0, 2)), key(checkpoints=(1,))]
    split = data.splits["train"]
    labels = split.labels.copy()
    labels[int(pilot_rows(len(labels))[5])] += 1
    splits = {**data.splits, "train": replace(split, labels=labels % 3)}
    others.append(key(replace(data, splits=splits)))
    assert len({*others, plan.basis.key}) == len(others) + 1
