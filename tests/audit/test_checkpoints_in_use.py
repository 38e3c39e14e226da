"""Checkpoints switched off and rates changed after the run: the answers follow, nothing is computed again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import end_query_process, run_command
from tests.jobs.processes import wait_until
from tracin_viz.audit import Workspace
from tracin_viz.config import Home
from tracin_viz.errors import InputError, NotFoundError
from tracin_viz.jobs import runner
from tracin_viz.store import registry


@pytest.fixture
def home(tiny_home: Path, tmp_path: Path) -> Iterator[Path]:
    copy = tmp_path / "home"
    shutil.copytree(tiny_home, copy, ignore=shutil.ignore_patterns("runtime"))
    yield copy
    end_query_process(copy)


def files(home: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in (home / "artifacts").rglob("*")}


def test_self_influence_follows_the_rates_and_the_switches(home: Path):
    audit = Workspace(Home(home)).open("tiny")
    measured = audit.results.measured("train")["self_influence"]  # (3, N)
    before = files(home)
    audit.set_checkpoints([{"step": 4, "use": False}, {"step": 12, "learning_rate": 0.5}])
    again = Workspace(Home(home)).open("tiny")
    for one in (audit, again):
        np.testing.assert_allclose(
            one.suspect_scores("self-influence"), np.array([0.05, 0.5]) @ measured[1:], rtol=1e-12
        )
    assert files(home) == before
    assert [one.provenance.endswith("set by hand") for one in again.checkpoints] == [False, False, True]
    audit.set_checkpoints([{"step": 4, "use": True}, {"step": 12, "learning_rate": 0.05}])
    np.testing.assert_allclose(audit.suspect_scores("self-influence"), np.full(3, 0.05) @ measured, rtol=1e-6)


def test_the_map_says_that_it_is_of_other_weights_until_it_is_drawn_again(home: Path):
    audit = Workspace(Home(home)).open("tiny")
    units, settings = audit.results.plan().units, audit.last_settings()
    assert audit.map_current()
    audit.set_checkpoints([{"step": 4, "use": False}])
    assert audit.ready().map and not audit.map_current()
    audit.set_checkpoints([{"step": 4, "use": True}])
    assert audit.map_current()
    audit.set_checkpoints([{"step": 12, "learning_rate": 0.5}])
    assert not audit.map_current()
    before = files(home)
    audit.redraw_map()
    wait_until(lambda: audit.status()["state"] not in ("queued", "running"))
    runner.reap()
    assert audit.status()["state"] == "done"
    assert audit.ready().map and audit.map_current()
    assert (audit.results.plan().units, audit.last_settings()) == (units, settings)
    after = files(home)
    assert {path: after[path] for path in before if Path(path).is_file()} == {
        path: stamp for path, stamp in before.items() if Path(path).is_file()
    }


@pytest.mark.usefixtures("answered_here")
def test_influence_follows_too_and_is_linear_in_the_rates(home: Path):
    audit = Workspace(Home(home)).open("tiny")
    usual = audit.influence(query="test:1", top=40)
    audit.set_checkpoints([{"step": step, "learning_rate": 0.15} for step in (4, 8, 12)])
    tripled = audit.influence(query="test:1", top=40)
    for side in ("proponents", "opponents"):
        assert [e["id"] for e in tripled[side]] == [e["id"] for e in usual[side]]
        np.testing.assert_allclose(
            [e["score"] for e in tripled[side]], [3 * e["score"] for e in usual[side]], rtol=1e-5
        )
    audit.set_checkpoints([{"step": 4, "use": False}])
    assert audit.influence(query="test:1")["checkpoints"] == [8, 12]


def test_a_run_after_the_change_computes_no_gradient_again(home: Path):
    space = Workspace(Home(home))
    units = set(space.open("tiny").results.plan().units)
    stamps = files(home)
    space.open("tiny").set_checkpoints([{"step": 8, "use": False}])
    assert run_command("compute", "tiny", "--sketch-dim", "256", home=home).code == 0
    plan = space.open("tiny").results.plan()
    assert plan.checkpoints == (0, 2)
    assert set(plan.units) < units
    now = files(home)
    assert all(now[path] == stamps[path] for path in stamps if path.endswith(("rows.npy", "norm.npy")))


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([{"step": 5}], "no checkpoint of step 5"),
        ([{"step": 4, "learning_rate": 0}], "learning rate of step 4 is 0"),
        ([{"step": 4, "learning_rate": float("nan")}], "learning rate of step 4 is nan"),
        ([{"step": 4, "learning_rate": "much"}], "learning rate of step 4 is much"),
        ([{"step": step, "use": False} for step in (4, 8, 12)], "Every checkpoint is switched off"),
    ],
)
def test_a_choice_without_sense_is_refused_and_changes_nothing(fresh_home: Path, rows, says: str):
    before = (fresh_home / "audits/tiny/audit.json").read_text()
    with pytest.raises(InputError, match=says):
        Workspace(Home(fresh_home)).open("tiny").set_checkpoints(rows)
    assert (fresh_home / "audits/tiny/audit.json").read_text() == before


def test_a_record_of_an_earlier_version_still_opens(fresh_home: Path):
    path = fresh_home / "audits/tiny/audit.json"
    old = json.loads(path.read_text())
    for name in ("mapping", "architecture", "trust_code", "options", "unused"):
        del old[name]
    path.write_text(json.dumps(old))
    record = registry.read(Home(fresh_home), "tiny")
    assert (record.mapping, record.architecture, record.trust_code) == (None, None, False)
    assert (record.options, record.unused) == ({}, ())


def test_a_record_is_never_replaced_where_there_is_none(fresh_home: Path):
    record = registry.read(Home(fresh_home), "tiny")
    shutil.rmtree(fresh_home / "audits/tiny")
    with pytest.raises(NotFoundError):
        registry.replace_record(Home(fresh_home), record)
    assert not (fresh_home / "audits/tiny").exists()
