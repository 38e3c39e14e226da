"""Runs on GPUs: results within 1e-3 of the CPU's, the same from one GPU and from two."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from tests.conftest import run_command
from tests.gpu.device import needs_cuda, needs_two
from tests.jobs.test_resume import SETTINGS, artifacts
from tests.oracles import relative_error
from tracin_viz.config import Home
from tracin_viz.store import plan as plans
from tracin_viz.store.artifacts import ArtifactStore
from tracin_viz.store.parts import GradientSet

pytestmark = needs_cuda


def vectors(home: Path) -> np.ndarray:
    plan = plans.require(Home(home), "tiny")
    keys = [list(row) for row in plan.splits["train"].keys]
    return GradientSet(ArtifactStore(home / "artifacts"), keys).vectors([0.05, 0.05, 0.05])


def test_a_run_on_the_gpu_agrees_with_one_on_the_cpu(fresh_home, tiny_home):
    basis = plans.require(Home(tiny_home), "tiny").basis
    assert basis is not None
    # Its key names no device, so the maps fitted on the CPU serve the GPU: sketches by others are no match.
    source, target = (ArtifactStore(one / "artifacts").path(basis.key) for one in (tiny_home, fresh_home))
    shutil.copytree(source, target)
    assert run_command("compute", "tiny", "--device", "cuda:0", *SETTINGS, home=fresh_home).code == 0
    found, true = vectors(fresh_home), vectors(tiny_home)
    assert plans.require(Home(fresh_home), "tiny").basis == basis
    assert relative_error(found @ found.T, true @ true.T) < 1e-3


@needs_two
def test_two_gpus_share_the_units_of_a_run(fresh_home, tmp_path):
    both = run_command("compute", "tiny", "--device", "cuda", "--workers", "2", *SETTINGS, home=fresh_home)
    assert both.code == 0, both.err
    names = set(artifacts(fresh_home))
    found = vectors(fresh_home)
    for path in (fresh_home / "artifacts").rglob("*.npy"):
        path.unlink()
    assert run_command("compute", "tiny", "--device", "cuda", *SETTINGS, home=fresh_home).code == 0
    assert set(artifacts(fresh_home)) == names
    assert relative_error(found, vectors(fresh_home)) < 1e-3
