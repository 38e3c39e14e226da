"""Several processes for one run: the same bytes as one, and none of them outlives the one that leads."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import run_command
from tests.jobs.processes import ROOT, wait_until
from tests.jobs.test_resume import SETTINGS, artifacts
from tracin_viz.config import Home
from tracin_viz.errors import TracinVizError
from tracin_viz.jobs.tasks import Board, tasks_of
from tracin_viz.jobs.team import Helper, Team, in_advance
from tracin_viz.portable import process_alive, process_token, usable_cores
from tracin_viz.store import plan as plans
from tracin_viz.store.artifacts import ArtifactStore

LEADER = """
import sys
from tracin_viz.jobs.team import Helper
helper = Helper("child")
print(helper.pid, flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def computed(tiny_home: Path, tmp_path: Path) -> Path:
    """A workspace with the finished plan of audit ``tiny``, its basis, and nothing else."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "audits").symlink_to(tiny_home / "audits")
    basis = plans.require(Home(home), "tiny").basis
    assert basis is not None
    source, target = (ArtifactStore(one / "artifacts").path(basis.key) for one in (tiny_home, home))
    shutil.copytree(source, target)
    return home


def board_of(home: Path) -> Board:
    return Board(tasks_of(plans.require(Home(home), "tiny")))


def units(home: Path) -> dict[str, bytes]:
    plan = plans.require(Home(home), "tiny")
    return {name: data for name, data in artifacts(home).items() if name.split("/")[1] in plan.units}


def test_two_processes_leave_the_bytes_of_one(fresh_home, tiny_home):
    found = run_command("compute", "tiny", "--workers", "2", *SETTINGS, "--json", home=fresh_home)
    assert found.code == 0, found.err
    assert found.document["units"] == {"done": 6, "total": 6}
    assert artifacts(fresh_home) == artifacts(tiny_home)


@pytest.mark.long
def test_a_helper_alone_leaves_the_bytes_of_the_leader(computed, tiny_home):
    board = board_of(computed)
    with Team(Home(computed), "tiny", board, devices=["cpu"]) as team:
        team.start()
        wait_until(board.is_over)
    assert units(computed) == units(tiny_home)


def test_the_work_of_a_helper_that_is_killed_goes_to_another(computed, tiny_home):
    board = board_of(computed)
    victim = Helper("victim")
    with Team(Home(computed), "tiny", board, devices=["cpu"], ready=[victim]) as team:
        team.start()
        wait_until(lambda: board.open_tasks() < 6)
        os.kill(victim.pid, signal.SIGKILL)
        with Team(Home(computed), "tiny", board, devices=["cpu"]) as second:
            wait_until(lambda: board.open_tasks() > 0 or board.is_over())
            second.start()
            wait_until(board.is_over)
    assert units(computed) == units(tiny_home)


def test_what_a_helper_fails_with_is_raised_by_the_board(computed):
    board = board_of(computed)
    with Team(Home(computed), "nothing", board, devices=["cpu"]) as team:
        team.start()
        with pytest.raises(TracinVizError, match="nothing"):
            wait_until(board.is_over)


def test_a_helper_ends_when_its_leader_is_killed():
    leader = subprocess.Popen(
        [sys.executable, "-c", LEADER], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    child = int(leader.stdout.readline())
    token = process_token(child)
    assert process_alive(child, token)
    leader.kill()
    leader.communicate()
    wait_until(lambda: not process_alive(child, token))


def test_leaving_a_team_ends_helpers_that_are_still_loading(computed):
    helper = Helper("early")
    token = process_token(helper.pid)
    with Team(Home(computed), "tiny", board_of(computed), devices=["cpu"], ready=[helper]):
        assert process_alive(helper.pid, token)
    assert not process_alive(helper.pid, token)


def test_helpers_in_advance_end_with_their_block_used_or_not():
    with in_advance() as helpers:
        tokens = {helper.pid: process_token(helper.pid) for helper in helpers}
        assert all(process_alive(pid, token) for pid, token in tokens.items())
        assert len(helpers) < usable_cores() + 1
    assert not any(process_alive(pid, token) for pid, token in tokens.items())
