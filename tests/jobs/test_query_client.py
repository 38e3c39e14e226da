"""The query process as the app sees it: real processes, real sockets."""

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

import numpy as np
import pytest

import tracin_viz
from tests.jobs.processes import ROOT, end_children, python, wait_until
from tracin_viz.config import Home
from tracin_viz.errors import CancelledError, InputError, JobError
from tracin_viz.jobs import private_address, runner
from tracin_viz.jobs.private_address import address_of, read_contact
from tracin_viz.jobs.query_client import QueryClient
from tracin_viz.jobs.transport import FAMILY
from tracin_viz.portable import process_alive


def server(home: Home, *options: str) -> list[str]:
    return [sys.executable, "-m", "tests.jobs.echo_server", "--home", str(home.root), *options]


@pytest.fixture
def home(tmp_path: Path):
    chosen = Home(tmp_path / "home")
    yield chosen
    QueryClient(chosen).stop()
    end_children()
    folder = address_of(chosen).folder
    if folder.exists():  # made for a server that never began
        assert list(folder.iterdir()) == []
        folder.rmdir()


@pytest.fixture
def client(home: Home) -> QueryClient:
    return QueryClient(home, server(home))


def test_questions_and_arrays_come_back_unchanged(client):
    random = np.random.default_rng(0)
    arrays = [
        random.normal(size=(3, 4)).astype(np.float32),
        np.arange(5, dtype=np.int64)[::2],
        np.array([True, False]),
        np.zeros((0, 7), np.float16),
        np.array(2.5),
        np.arange(3, dtype=">i4"),
    ]
    header = {"text": "Schalte das Licht an ✓", "k": 10, "share": np.float32(0.5), "nothing": None}
    answer, found = client.ask("echo", header, arrays)
    assert answer["header"] == {**header, "share": 0.5}
    for sent, received in zip(arrays, found, strict=True):
        np.testing.assert_array_equal(received, sent)
        assert received.shape == sent.shape
        assert received.dtype == sent.dtype.newbyteorder("<")
        assert received.flags.writeable


def test_arrays_of_a_request_may_be_written_to(client):
    _, (doubled,) = client.ask("double", {}, [np.arange(4.0)])
    np.testing.assert_array_equal(doubled, [0.0, 2.0, 4.0, 6.0])


def test_the_process_stays_warm_between_questions_and_clients(home, client):
    pids = {client.ask("echo", {})[0]["pid"] for _ in range(3)}
    pids.add(QueryClient(home, server(home)).ask("echo", {})[0]["pid"])
    assert len(pids) == 1 and os.getpid() not in pids


def test_errors_keep_their_class_message_remedy_and_problems(client):
    with pytest.raises(InputError, match=r"One picture is broken\. See below\.") as caught:
        client.ask("input-error", {})
    (problem,) = caught.value.problems
    assert (problem.kind, problem.where, problem.remedy) == ("unreadable image", "a.png", "Replace it.")
    assert client.ask("echo", {})[0]["header"] == {}  # and the server lives on


@pytest.mark.parametrize(
    ("kind", "header", "what"),
    [
        ("bug", {"zero": 0}, "ZeroDivisionError: division by zero"),
        ("missing-file", {"path": "/no/such/file"}, "FileNotFoundError"),
        ("unsendable", {}, "TypeError: object cannot be put"),
    ],
)
def test_mistakes_in_the_server_become_job_errors_that_name_the_log(home, client, kind, header, what):
    with pytest.raises(JobError, match=what) as caught:
        client.ask(kind, header)
    log = address_of(home).log
    assert str(log) in str(caught.value) and "Traceback" not in str(caught.value)
    assert "Traceback" in log.read_text()
    assert client.ask("echo", {})[0]["header"] == {}


def in_background(pool: ThreadPoolExecutor, client: QueryClient, mark: Path, session: str):
    asked = pool.submit(client.ask, "wait", {"begun": str(mark), "seconds": 60}, session=session, timeout=90)
    wait_until(mark.exists)
    return asked


def test_a_newer_question_of_a_session_cancels_the_older(client, tmp_path):
    with ThreadPoolExecutor(2) as pool:
        older = in_background(pool, client, tmp_path / "older", "anna")
        answer, _ = client.ask("echo", {"newer": True}, session="anna")
        assert answer["header"] == {"newer": True}
        with pytest.raises(CancelledError, match="Stopped in the middle"):
            older.result(30)


def test_a_waiting_question_is_cancelled_before_it_is_computed(client, tmp_path):
    with ThreadPoolExecutor(3) as pool:
        running = in_background(pool, client, tmp_path / "begun", "ben")
        waiting = [pool.submit(client.ask, "echo", {"n": n}, session="anna") for n in range(2)]
        wait_until(lambda: any(asked.done() for asked in waiting))
        older, newer = sorted(waiting, key=lambda asked: not asked.done())  # whichever arrived first
        with pytest.raises(CancelledError, match="newer question"):
            older.result(0)
        assert not running.done() and not newer.done()
        client.ask("echo", {}, session="ben")
        assert isinstance(running.exception(30), CancelledError)
        assert newer.result(30)[0]["header"] == {"n": waiting.index(newer)}


def test_another_session_waits_its_turn_and_is_not_cancelled(client, tmp_path):
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(
            client.ask, "wait", {"begun": str(tmp_path / "a"), "seconds": 0.5}, session="anna"
        )
        wait_until((tmp_path / "a").exists)
        assert client.ask("echo", {"b": 1}, session="ben")[0]["header"] == {"b": 1}
        assert (tmp_path / "a.ended").exists(), "the second session was answered before the first had ended"
        assert first.result(30)[0] == {"waited": True}


def test_one_question_is_computed_at_a_time(client, tmp_path):
    place = {"place": str(tmp_path / "busy")}
    with ThreadPoolExecutor(5) as pool:
        asked = [pool.submit(client.ask, "overlap", place, session=str(n)) for n in range(5)]
        for one in asked:
            one.result(60)


def test_waiting_for_an_answer_ends_in_time(client, tmp_path):
    client.ask("echo", {})
    with pytest.raises(JobError, match="did not answer 'wait' within 0 seconds"):
        client.ask("wait", {"begun": str(tmp_path / "begun"), "seconds": 60}, timeout=0.3)


CALLER = """
import sys
from tracin_viz.config import Home
from tracin_viz.jobs.query_client import QueryClient
QueryClient(Home.resolve(sys.argv[1])).ask("wait", {"begun": sys.argv[2], "seconds": 60})
"""


def test_a_caller_that_goes_away_frees_the_server(home, client, tmp_path):
    mark = tmp_path / "begun"
    client.ask("echo", {})
    caller = subprocess.Popen(python(CALLER, str(home.root), str(mark)), cwd=ROOT)
    wait_until(mark.exists)
    caller.kill()
    caller.wait(10)
    wait_until(lambda: Path(f"{mark}.cancelled").exists())
    assert client.ask("echo", {}, session="other")[0]["header"] == {}


def test_two_callers_at_once_start_one_server(home, tmp_path):
    starts = tmp_path / "starts"
    starts.mkdir()
    barrier = threading.Barrier(4)

    def call(_: int) -> int:
        one = QueryClient(home, server(home, "--starts", str(starts)))
        barrier.wait(10)
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
    assert process.wait(10) == 0
    assert read_contact(address_of(home)).version == tracin_viz.__version__


def test_a_new_server_of_another_version_is_an_error_and_not_a_loop(home):
    with pytest.raises(JobError, match=r"another version.*Restart the app"):
        QueryClient(home, server(home, "--version", "9.9.9")).ask("echo", {})
    assert read_contact(address_of(home)) is None


def test_an_idle_server_ends_and_the_next_question_starts_another(home):
    client = QueryClient(home, server(home, "--idle", "0.3"))
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
    code = "import time; print('loading', flush=True); time.sleep(600)"
    client = QueryClient(home, [sys.executable, "-c", code], start_timeout=0.5)
    with pytest.raises(JobError, match=r"did not answer within 0 seconds of its start.*loading"):
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
