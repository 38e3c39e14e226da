"""The query process is ready before the first question, and nobody waits for that."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.conftest import end_query_process
from tests.jobs.processes import wait_until
from tracin_viz.audit import Workspace, warming
from tracin_viz.config import Home
from tracin_viz.jobs.private_address import address_of, read_contact
from tracin_viz.jobs.query_client import QueryClient


@pytest.fixture(autouse=True)
def switched_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACIN_VIZ_WARM", "1")


@pytest.fixture
def own_home(tiny_home: Path, tmp_path: Path):
    """A workspace of its own with the finished audit, so that no query process runs yet."""
    home = tmp_path / "home"
    shutil.copytree(tiny_home / "audits", home / "audits")
    (home / "artifacts").symlink_to(tiny_home / "artifacts")
    yield home
    end_query_process(home)


def processor_time(pid: int) -> float:
    """Seconds that a process has computed so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_warming_returns_at_once_and_the_first_question_finds_everything_loaded(own_home):
    audit = Workspace(Home(own_home)).open("tiny")
    audit.warm()
    audit.warm()
    assert sum(thread.is_alive() for thread in warming._threads) == 1, "it loads, once, and nobody waits"
    warming.wait(240)
    contact = read_contact(address_of(Home(own_home)))
    assert contact is not None
    loading = processor_time(contact.pid)
    found = audit.influence(query="test:0", top=3)
    assert found["proponents"]
    # Without warming the question itself would load torch, transformers, data and model.
    assert processor_time(contact.pid) - loading < loading / 3


def test_nothing_is_started_for_an_audit_without_scores(fresh_home):
    Workspace(Home(fresh_home)).open("tiny").warm()
    warming.wait(240)
    assert not QueryClient(Home(fresh_home)).is_running()


@pytest.mark.usefixtures("answered_here")
def test_an_audit_that_cannot_be_loaded_only_leaves_a_note(own_home):
    warming.warm(Home(own_home), "gone", "any")
    warming.wait(240)
    wait_until(lambda: not any(thread.is_alive() for thread in warming._threads))
