"""Units of a run: what their manifest says when memory ran out, and that they say nothing otherwise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.oracles import relative_error
from tracin_viz.config import Home
from tracin_viz.jobs.loading import open_sources
from tracin_viz.jobs.measuring import Measurer
from tracin_viz.jobs.tasks import tasks_of
from tracin_viz.store import plan as plans
from tracin_viz.store import registry
from tracin_viz.store.artifacts import ArtifactStore
from tracin_viz.store.parts import read_gradient_unit

LIMIT = 20


@pytest.fixture
def measurer(tiny_home: Path) -> Measurer:
    home = Home(tiny_home)
    plan = plans.require(home, "tiny")
    return Measurer(open_sources(registry.read(home, "tiny")), plan, ArtifactStore(home.artifacts))


def starve(measurer: Measurer) -> None:
    """Let the device refuse every batch of more than ``LIMIT`` examples."""

    def refuse(module: torch.nn.Module, args: tuple, kwargs: dict) -> None:
        if len(kwargs["pixel_values"]) > LIMIT:
            torch.empty(1 << 60, dtype=torch.uint8)  # a real refusal of the real allocator

    measurer.engine._session.model.register_forward_pre_hook(refuse, with_kwargs=True)


def stored(measurer: Measurer, store: ArtifactStore, split: str) -> str:
    task = next(task for task in tasks_of(measurer.plan) if task.split == split)
    with measurer.writing(store, lambda _: None) as writer:
        measurer.measure(task, writer, lambda _: None)
    return task.key


def test_a_unit_that_had_to_be_split_says_so_and_agrees_with_the_whole_one(measurer, tiny_home, tmp_path):
    measurer.prepare()
    starve(measurer)
    store = ArtifactStore(tmp_path / "artifacts")
    key = stored(measurer, store, "train")
    sizes = store.manifest(key)["batches"]
    assert sum(sizes) == 48 and max(sizes) <= LIMIT
    found, whole = (read_gradient_unit(one, key) for one in (store, ArtifactStore(tiny_home / "artifacts")))
    rows = [np.asarray(unit.rows, np.float64) * unit.norm[:, None] for unit in (found, whole)]
    assert relative_error(rows[0] @ rows[0].T, rows[1] @ rows[1].T) < 1e-3


def test_the_next_unit_begins_with_the_planned_size_again(measurer, tiny_home, tmp_path):
    measurer.prepare()
    starve(measurer)
    store = ArtifactStore(tmp_path / "artifacts")
    stored(measurer, store, "train")
    key = stored(measurer, store, "test")  # 15 examples fit
    assert "batches" not in store.manifest(key)
    theirs = ArtifactStore(tiny_home / "artifacts").path(key)
    assert {p.name: p.read_bytes() for p in store.path(key).iterdir()} == {
        p.name: p.read_bytes() for p in theirs.iterdir()
    }


def test_the_batch_size_is_found_once_and_kept_in_the_plan(tiny_home, measurer):
    assert measurer.plan.batch_size > 0
    assert measurer.prepare() == measurer.plan.batch_size
