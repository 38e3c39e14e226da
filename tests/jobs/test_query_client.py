"""Questions to the query process as the app asks them: real processes, real sockets."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests.jobs.processes import ROOT, python, server, wait_until
from tracin_viz.errors import CancelledError, InputError, JobError
from tracin_viz.jobs.private_address import address_of
from tracin_viz.jobs.query_client import QueryClient


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
    asked = pool.submit(client.ask, "wait", {"begun": str(mark), "seconds": 200}, session=session)
    wait_until(mark.exists)
    return asked


def test_a_newer_question_of_a_session_cancels_the_older(client, tmp_path):
    with ThreadPoolExecutor(2) as pool:
        older = in_background(pool, client, tmp_path / "older", "anna")
        answer, _ = client.ask("echo", {"newer": True}, session="anna")
        assert answer["header"] == {"newer": True}
        with pytest.raises(CancelledError, match="Stopped in the middle"):
            older.result(120)


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
        assert isinstance(running.exception(120), CancelledError)
        assert newer.result(120)[0]["header"] == {"n": waiting.index(newer)}


def test_another_session_waits_its_turn_and_is_not_cancelled(client, tmp_path):
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(
            client.ask, "wait", {"begun": str(tmp_path / "a"), "seconds": 0.5}, session="anna"
        )
        wait_until((tmp_path / "a").exists)
        assert client.ask("echo", {"b": 1}, session="ben")[0]["header"] == {"b": 1}
        assert (tmp_path / "a.ended").exists(), "the second session was answered before the first had ended"
        assert first.result(120)[0] == {"waited": True}


def test_one_question_is_computed_at_a_time(client, tmp_path):
    place = {"place": str(tmp_path / "busy")}
    with ThreadPoolExecutor(5) as pool:
        asked = [pool.submit(client.ask, "overlap", place, session=str(n)) for n in range(5)]
        for one in asked:
            one.result(120)


def test_waiting_for_an_answer_ends_in_time(client, tmp_path):
    client.ask("echo", {})
    with pytest.raises(JobError, match="did not answer 'wait' within 0 seconds"):
        client.ask("wait", {"begun": str(tmp_path / "begun"), "seconds": 200}, timeout=0.3)


CALLER = """
import sys
from tracin_viz.config import Home
from tracin_viz.jobs.query_client import QueryClient
QueryClient(Home.resolve(sys.argv[1])).ask("wait", {"begun": sys.argv[2], "seconds": 200})
"""


def test_a_caller_that_goes_away_frees_the_server(home, client, tmp_path):
    mark = tmp_path / "begun"
    client.ask("echo", {})
    caller = subprocess.Popen(python(CALLER, str(home.root), str(mark)), cwd=ROOT)
    wait_until(mark.exists)
    caller.kill()
    caller.wait(60)
    wait_until(lambda: Path(f"{mark}.cancelled").exists())
    assert client.ask("echo", {}, session="other")[0]["header"] == {}
