"""The life of the query process: how it begins, is replaced and ends, and whose it is."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Listener
from pathlib import Path

import pytest

import tracin_viz
from tests.jobs.processes import ROOT, server, wait_until
from tracin_viz.config import Home
from tracin_viz.errors import JobError
from tracin_viz.jobs import private_address, runner
from tracin_viz.jobs.private_address import address_of, read_contact
from tracin_viz.jobs.query_client import QueryClient
from tracin_viz.jobs.transport import FAMILY
from tracin_viz.portable import process_alive


def test_two_callers_at_once_start_one_server(home, tmp_path):
    starts = tmp_path / "starts"
    starts.mkdir()
    barrier = threading.Barrier(4)

    def call(_: int) -> int:
        one = QueryClient(home, server(home, "--starts", str(starts)))
        barrier.wait(60)
        return one.ask("echo", {})[0]["pid"]

    with ThreadPoolExecutor(4) as pool:
        pids = set(pool.map(call, range(4)))
    assert len(pids) == 1
    assert [path.name for path in starts.iterdir()] == [str(pids.pop())]


def test_a_killed_server_is_replaced(home, client):
    first = client.ask("echo", {})[0]["pid"]
    os.kill(first, signal.SIGKILL)
    assert read_contact(address_of(home)) is not None  # a stale address file
    wait_until(lambda: (runner.reap(), not client.is_running())[1])
    second = client.ask("echo", {})[0]["pid"]
    assert second != first


def test_a_server_that_dies_while_answering_is_reported_and_replaced(home, client):
    with pytest.raises(JobError, match="ended while it answered 'crash'") as caught:
        client.ask("crash", {})
    assert str(address_of(home).log) in str(caught.value)
    assert client.ask("echo", {})[0]["header"] == {}


def test_a_stopped_process_that_holds_the_address_is_ended_and_replaced(home, client, monkeypatch):
    monkeypatch.setattr("tracin_viz.jobs.query_client.GREETING_SECONDS", 1.0)
    gone = runner._gone
    monkeypatch.setattr(runner, "_gone", lambda pid, token, seconds: gone(pid, token, min(seconds, 0.5)))
    frozen = client.ask("echo", {})[0]["pid"]
    contact = read_contact(address_of(home))
    os.kill(frozen, signal.SIGSTOP)
    try:
        assert client.ask("echo", {})[0]["pid"] != frozen
        wait_until(lambda: not process_alive(frozen, contact.pid_token))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(frozen, signal.SIGKILL)


def test_a_server_whose_queue_of_callers_is_full_does_not_block_the_caller(home, client, monkeypatch):
    monkeypatch.setattr("tracin_viz.jobs.query_client.GREETING_SECONDS", 0.3)
    monkeypatch.setattr("tracin_viz.jobs.query_client.process_alive", lambda pid, token: True)
    address = address_of(home)
    private_address.make_private(address)
    contact = private_address.new_contact(address)
    listener = Listener(contact.location, FAMILY, backlog=0)  # never accepts
    try:
        private_address.publish(address, contact)
        assert [client.is_running() for _ in range(4)] == [False] * 4
    finally:
        private_address.withdraw(address, contact)
        with contextlib.suppress(FileNotFoundError):
            listener.close()


def test_a_server_of_another_version_is_replaced(home, client):
    old = QueryClient(home, server(home, "--version", "0.0.0"))
    process = subprocess.Popen(server(home, "--version", "0.0.0"), cwd=ROOT)
    wait_until(lambda: read_contact(address_of(home)) is not None)
    contact = read_contact(address_of(home))
    assert contact.version == "0.0.0" and not old.is_running()
    assert client.ask("echo", {})[0]["pid"] != contact.pid
    assert process.wait(60) == 0
    assert read_contact(address_of(home)).version == tracin_viz.__version__


def test_a_new_server_of_another_version_is_an_error_and_not_a_loop(home):
    with pytest.raises(JobError, match=r"another version.*Restart the app"):
        QueryClient(home, server(home, "--version", "9.9.9")).ask("echo", {})
    assert read_contact(address_of(home)) is None


def test_an_idle_server_ends_and_the_next_question_starts_another(home):
    client = QueryClient(home, server(home, "--idle", "2"))
    first = client.ask("echo", {})[0]["pid"]
    wait_until(lambda: (runner.reap(), runner.exit_code(first) == 0)[1])
    assert not address_of(home).contact_file.exists()
    assert client.ask("echo", {})[0]["pid"] != first


def test_stop_ends_the_server_and_removes_its_files(home, client):
    client.stop()  # none yet: nothing happens
    pid = client.ask("echo", {})[0]["pid"]
    contact = read_contact(address_of(home))
    client.stop()
    assert not process_alive(pid, contact.pid_token)
    assert not Path(contact.location).exists()
    assert not client.is_running()


def test_sigterm_is_tidy(home, client):
    pid = client.ask("echo", {})[0]["pid"]
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: (runner.reap(), runner.exit_code(pid) is not None)[1])
    assert runner.exit_code(pid) == 128 + signal.SIGTERM
    assert not address_of(home).folder.exists()


def test_a_server_that_cannot_start_is_reported_with_its_last_line(home):
    client = QueryClient(home, [sys.executable, "-c", "raise SystemExit('no module named weights')"])
    with pytest.raises(JobError, match=r"exit code 1.*no module named weights"):
        client.ask("echo", {})
    with pytest.raises(JobError, match="cannot be started"):
        QueryClient(home, ["/no/such/program"]).ask("echo", {})


def test_a_server_that_never_answers_is_given_up_and_ended(home):
    silent = ["/bin/sh", "-c", "echo loading; exec sleep 600"]
    client = QueryClient(home, silent, start_timeout=1.0)
    with pytest.raises(JobError, match=r"did not answer within 1 seconds of its start.*loading"):
        client.ask("echo", {})
    runner.reap()
    assert runner._children == {}


def test_the_address_is_for_this_user_only(home, client):
    client.ask("echo", {})
    address = address_of(home)
    assert stat.S_IMODE(address.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(address.contact_file.stat().st_mode) == 0o600
    address.contact_file.chmod(0o644)
    assert read_contact(address) is None  # a key that others could read is not used
    address.contact_file.chmod(0o600)
    address.folder.chmod(0o755)
    private_address.make_private(address)
    assert stat.S_IMODE(address.folder.stat().st_mode) == 0o700


def test_a_folder_that_may_be_somebody_elses_is_refused(tmp_path, monkeypatch):
    with tempfile.TemporaryDirectory(prefix="t") as short:  # pytest's folders are too long for sockets
        monkeypatch.setattr(private_address.tempfile, "gettempdir", lambda: short)
        address_of(Home(tmp_path)).folder.symlink_to(tmp_path)
        with pytest.raises(JobError, match="belongs to somebody else"):
            QueryClient(Home(tmp_path), server(Home(tmp_path))).ask("echo", {})
        address_of(Home(tmp_path)).folder.unlink()


def test_long_temporary_folders_do_not_break_the_socket(tmp_path, monkeypatch):
    deep = tmp_path / ("long" * 30)
    monkeypatch.setattr(private_address.tempfile, "gettempdir", lambda: str(deep))
    address = address_of(Home(tmp_path / "home"))
    assert len(str(address.folder / "12345678.sock")) <= 100
