"""A run that was killed and started again leaves the bytes of a run that was not."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import run_command
from tracin_viz.config import Home
from tracin_viz.store import plan as plans
from tracin_viz.store.artifacts import ArtifactStore

SETTINGS = ("--sketch-dim", "256")
# The signal comes at a moment that does not depend on how busy this machine is: the other threads of the run
# are wherever they are.
KILLED = """
import os, signal, sys
from tracin_viz.cli import main
from tracin_viz.store import artifacts

home, after, *settings = sys.argv[1:]
finished, rename = [], artifacts.rename_durably

def renamed(part, final):
    rename(part, final)
    finished.append(final)
    if len(finished) == int(after):
        os.kill(os.getpid(), signal.SIGKILL)

artifacts.rename_durably = renamed
main(["compute", "--home", home, "tiny", "--workers", "1", *settings])
"""


def artifacts(home: Path) -> dict[str, bytes]:
    """Every file that runs left; what pages looked up since, such as neighbours, is not theirs."""
    root = home / "artifacts"
    of_runs = [
        manifest.parent
        for manifest in sorted(root.rglob("manifest.json"))
        if json.loads(manifest.read_bytes())["kind"] in ("gradients", "basis", "map")
    ]
    return {
        str(path.relative_to(root)): path.read_bytes()
        for folder in of_runs
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def killed_run(home: Path, *, after: int) -> None:
    """Begin the run in a process of its own, which dies by SIGKILL when so many artifacts are finished."""
    ended = subprocess.run([sys.executable, "-c", KILLED, str(home), str(after), *SETTINGS], check=False)
    assert ended.returncode == -signal.SIGKILL


@pytest.mark.parametrize("finished_units", [1, pytest.param(4, marks=pytest.mark.long)])
def test_a_killed_run_resumed_equals_an_uninterrupted_one_byte_for_byte(
    fresh_home, tiny_home, finished_units
):
    killed_run(fresh_home, after=finished_units)
    state = run_command("status", "tiny", "--json", home=fresh_home).document
    assert state["state"] == "failed"
    assert "resumes" in state["message"]
    kept = artifacts(fresh_home)
    resumed = run_command("compute", "tiny", *SETTINGS, "--json", home=fresh_home)
    assert resumed.code == 0, resumed.err
    assert resumed.document["state"] == "done"
    after = {name: data for name, data in artifacts(fresh_home).items() if ".part" not in name}
    assert {name: after.get(name) for name in kept if ".part" not in name} == {
        name: data for name, data in kept.items() if ".part" not in name
    }
    whole = {name: data for name, data in artifacts(tiny_home).items() if ".part" not in name}
    assert after == whole


def test_a_damaged_unit_is_found_and_computed_again(fresh_home, tiny_home):
    assert run_command("compute", "tiny", *SETTINGS, home=fresh_home).code == 0
    plan = plans.require(Home(fresh_home), "tiny")
    store = ArtifactStore(fresh_home / "artifacts")
    victim = store.path(plan.units[2]) / "rows.npy"
    content = bytearray(victim.read_bytes())
    content[-1] ^= 1
    victim.write_bytes(bytes(content))
    assert run_command("compute", "tiny", *SETTINGS, home=fresh_home).code == 0
    assert artifacts(fresh_home) == artifacts(tiny_home)


def test_a_second_run_computes_nothing_and_changes_nothing(tiny_home):
    before = {path: path.stat().st_mtime_ns for path in (tiny_home / "artifacts").rglob("*")}
    again = run_command("compute", "tiny", *SETTINGS, "--json", home=tiny_home)
    assert again.code == 0
    assert again.document["units"] == {"done": 6, "total": 6}
    assert {path: path.stat().st_mtime_ns for path in (tiny_home / "artifacts").rglob("*")} == before


def test_a_new_checkpoint_set_reuses_the_units_it_shares(fresh_home):
    assert run_command("compute", "tiny", "--checkpoints", "1,3", *SETTINGS, home=fresh_home).code == 0
    first = set(plans.require(Home(fresh_home), "tiny").units)
    assert run_command("compute", "tiny", "--checkpoints", "all", *SETTINGS, home=fresh_home).code == 0
    second = set(plans.require(Home(fresh_home), "tiny").units)
    assert first < second
    assert len(second) == len(first) + 2  # one more checkpoint of two splits


def test_a_cancelled_run_keeps_its_units_and_goes_on_from_them(fresh_home, tiny_home):
    started = run_command("compute", "tiny", "--detach", *SETTINGS, "--json", home=fresh_home)
    assert started.code == 0, started.err
    stopped = run_command("cancel", "tiny", "--json", home=fresh_home)
    assert stopped.document["state"] in ("cancelled", "done")
    assert run_command("compute", "tiny", *SETTINGS, home=fresh_home).code == 0
    after = {name: data for name, data in artifacts(fresh_home).items() if ".part" not in name}
    assert after == artifacts(tiny_home)


def test_two_runs_of_one_audit_do_not_work_at_once(fresh_home):
    assert run_command("compute", "tiny", "--detach", *SETTINGS, home=fresh_home).code == 0
    second = run_command("compute", "tiny", *SETTINGS, home=fresh_home)
    assert second.code == 1
    assert "cancel it first" in second.err
    run_command("cancel", "tiny", home=fresh_home)


def test_changed_data_are_noticed_and_never_mixed_with_old_results(tmp_path, tiny_files):
    data = tmp_path / "data"
    shutil.copytree(tiny_files.data, data)
    home = tmp_path / "home"
    run_command("create", "tiny", "--data", str(data), "--model", str(tiny_files.model), home=home)
    assert run_command("compute", "tiny", *SETTINGS, home=home).code == 0
    before = set(plans.require(Home(home), "tiny").units)
    victim = next((data / "train" / "bar").iterdir())
    shutil.copyfile(next((data / "test" / "ring").iterdir()), victim)
    assert run_command("compute", "tiny", *SETTINGS, home=home).code == 0
    after = set(plans.require(Home(home), "tiny").units)
    assert len(before & after) == 3  # the test split is the same, the training split is not
