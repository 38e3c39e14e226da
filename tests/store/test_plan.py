"""The plan of a run on disk: read as it was written, made again where it cannot be read."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tracin_viz.config import Home, ResultSettings
from tracin_viz.errors import NotComputedError
from tracin_viz.store import plan as plans
from tracin_viz.store.plan import BasisPlace, RunPlan, SplitPlan

PLAN = RunPlan(
    settings=ResultSettings(sketch_dim=64),
    checkpoints=(0, 2),
    splits={"train": SplitPlan(((0, 4), (4, 6)), (("a", "b"), ("c", "d")))},
    map_key="m",
    batch_size=8,
    threads=1,
    device="cpu",
    receipt="r",
    basis=BasisPlace("k", "d"),
)


@pytest.fixture
def home(tmp_path):
    (tmp_path / "audits" / "one").mkdir(parents=True)
    return Home(tmp_path)


def test_a_plan_is_read_as_it_was_written(home):
    plans.save(home, "one", PLAN)
    assert plans.load(home, "one") == PLAN
    assert PLAN.units == ("a", "b", "c", "d")
    assert [path.name for path in home.audit_folder("one").iterdir()] == ["plan.json"]


def test_a_plan_written_before_there_were_fitted_maps_has_none(home):
    plans.save(home, "one", replace(PLAN, basis=None))
    path = home.audit_folder("one") / "plan.json"
    values = json.loads(path.read_text())
    del values["basis"], values["settings"]["sketch"]
    path.write_text(json.dumps(values))
    found = plans.load(home, "one")
    assert found is not None and (found.basis, found.settings.sketch) == (None, "random")


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", json.dumps({"format": 2}), json.dumps({"format": 1})]
)
def test_a_plan_that_cannot_be_read_counts_as_none(home, content):
    (home.audit_folder("one") / "plan.json").write_text(content)
    assert plans.load(home, "one") is None
    with pytest.raises(NotComputedError, match="tracin-viz compute one"):
        plans.require(home, "one")
