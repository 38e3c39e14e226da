"""Real processes: they are started, watched, mourned and stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.jobs.processes import end_children, python, wait_until
from tracin_viz.config import Home
from tracin_viz.errors import JobError
from tracin_viz.jobs import runner
from tracin_viz.jobs.records import JobBook
from tracin_viz.portable import process_alive, process_token
from tracin_viz.store.database import Database

WORKER = """
import os, sys, time
from tracin_viz.config import Home
from tracin_viz.jobs.records import JobBook
from tracin_viz.store.database import Database
home, job, obedient = Home.resolve(sys.argv[1]), sys.argv[2], sys.argv[3] == "obedient"
book = JobBook(Database(home.database))
book.start(job, os.getpid())
print("working", flush=True)
step = 0
while True:
    step += 1
    if book.progress(job, step, 0, "Counting") and obedient:
        book.finish(job, "cancelled", "Stopped when asked.")
        break
    time.sleep(0.02)
"""
FAILS = "print('reading data'); raise SystemExit('the model file is broken')"


@pytest.fixture
def home(tmp_path: Path):
    yield Home(tmp_path / "home")
    end_children()


@pytest.fixture
def book(home: Home):
    database = Database(home.database)
    yield JobBook(database)
    database.close()


def launch(home: Home, book: JobBook, code: str, *arguments: str) -> str:
    job = book.create("digits", "compute", {})
    runner.start_detached(home, python(code, str(home.root), job.id, *arguments), job)
    return job.id


def test_a_detached_process_gets_its_job_and_its_log(home, book):
    name = launch(home, book, WORKER, "obedient")
    wait_until(lambda: book.get(name).state == "running" and book.get(name).done > 1)
    job = book.get(name)
    assert process_alive(job.pid, job.pid_token)
    assert Path(job.log) == home.runtime / "logs" / f"{name}.log"
    assert "working" in Path(job.log).read_text()
    assert os.getsid(job.pid) == job.pid != os.getsid(0)  # closing the terminal does not end it
    assert runner.reap_stale(book) == []


def test_an_obedient_worker_ends_its_own_job(home, book):
    name = launch(home, book, WORKER, "obedient")
    wait_until(lambda: book.get(name).state == "running")
    ended = runner.stop(book, book.get(name), grace=200)
    assert (ended.state, ended.message) == ("cancelled", "Stopped when asked.")


def test_a_worker_that_ignores_the_request_is_terminated(home, book):
    name = launch(home, book, WORKER, "deaf")
    wait_until(lambda: book.get(name).state == "running")
    job = book.get(name)
    ended = runner.stop(book, job, grace=0.3)
    assert ended.state == "cancelled"
    assert not process_alive(job.pid, job.pid_token)


def test_the_job_of_a_killed_process_is_failed_and_says_where_to_look(home, book):
    name = launch(home, book, WORKER, "obedient")
    wait_until(
        lambda: book.get(name).state == "running" and "working" in Path(book.get(name).log).read_text()
    )
    os.kill(book.get(name).pid, signal.SIGKILL)
    wait_until(lambda: runner.reap_stale(book) or book.get(name).is_final)
    job = book.get(name)
    assert job.state == "failed"
    assert "killed" in job.message and job.log in job.message and "Last line: working" in job.message


def test_the_job_of_a_process_that_failed_at_once_quotes_its_last_line(home, book):
    name = launch(home, book, FAILS)
    wait_until(lambda: runner.reap_stale(book) or book.get(name).is_final)
    job = book.get(name)
    assert job.state == "failed"
    assert "exit code 1" in job.message and "the model file is broken" in job.message


def test_no_zombie_stays_after_a_look(home, book):
    job = book.create("digits", "compute", {})
    pid = runner.start_detached(home, python("pass"), job)
    wait_until(lambda: process_token(pid) is None)
    wait_until(lambda: (runner.reap(), pid not in runner._children)[1])
    with pytest.raises(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    assert runner.exit_code(pid) == 0


def test_a_later_process_with_the_same_number_is_neither_believed_nor_touched(home, book):
    bystander = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        job = book.create("digits", "compute", {})
        book.launched(job.id, bystander.pid, "token of an earlier process")
        assert [ended.id for ended in runner.reap_stale(book)] == [job.id]
        other = book.create("digits", "compute", {})
        book.launched(other.id, bystander.pid, "token of an earlier process")
        assert runner.stop(book, other, grace=0.1).state == "cancelled"
        assert runner.terminate(bystander.pid, "token of an earlier process") is False
        assert bystander.poll() is None
    finally:
        bystander.communicate(b"\n", timeout=60)
    assert bystander.returncode == 0


def test_a_job_of_this_very_process_is_never_ended_by_signal(book):
    job = book.create("digits", "compute", {})
    book.start(job.id, os.getpid())
    assert runner.terminate(os.getpid(), process_token(os.getpid())) is False
    book.finish(job.id, "done")
    assert runner.stop(book, job, grace=0.1).state == "done"


def test_a_job_that_never_got_a_process_is_failed_after_a_while(book, monkeypatch):
    job = book.create("digits", "compute", {})
    assert runner.reap_stale(book) == []
    monkeypatch.setattr(runner, "LAUNCH_SECONDS", -1.0)
    assert [ended.id for ended in runner.reap_stale(book)] == [job.id]
    assert "never started" in book.get(job.id).message


def test_a_job_that_ends_between_two_looks_keeps_its_word(book, monkeypatch):
    job = book.create("digits", "compute", {})
    book.start(job.id, os.getpid())

    def finishes_meanwhile(pid: int | None, token: str | None) -> bool:
        book.finish(job.id, "done", "Ready.")
        return False

    monkeypatch.setattr(runner, "process_alive", finishes_meanwhile)
    assert runner.reap_stale(book) == []
    assert (book.get(job.id).state, book.get(job.id).message) == ("done", "Ready.")


def test_a_command_that_does_not_exist_fails_the_job(home, book):
    job = book.create("digits", "compute", {})
    with pytest.raises(JobError, match="cannot be started"):
        runner.start_detached(home, [str(home.root / "no-such-program")], job)
    assert book.get(job.id).state == "failed"


def test_last_words_are_short_and_readable(tmp_path):
    log = tmp_path / "log"
    assert runner.last_words(log) == ""
    log.write_bytes(b"first\n" * 5000 + b"50 %\r100 %\nError: \xff broken\n\n")
    assert runner.last_words(log) == "Error: � broken"
    assert runner.last_words(log, 2) == "100 % / Error: � broken"
    log.write_text("x" * 9000)
    assert len(runner.last_words(log)) == 300


def test_stopping_waits_no_longer_than_needed(home, book):
    name = launch(home, book, WORKER, "obedient")
    wait_until(lambda: book.get(name).state == "running")
    begun = time.monotonic()
    runner.stop(book, book.get(name), grace=500)
    assert time.monotonic() - begun < 250


def test_a_cancel_takes_two_seconds_at_most_however_busy_the_worker_is(home, book, monkeypatch):
    name = launch(home, book, WORKER, "deaf")
    wait_until(lambda: book.get(name).state == "running")
    pauses, pause = [], time.sleep
    # What is waited for, not what this machine needs besides: other tests keep its cores busy.
    monkeypatch.setattr(runner.time, "sleep", lambda seconds: (pauses.append(seconds), pause(seconds)))
    assert runner.stop(book, book.get(name)).state == "cancelled"
    assert 0 < sum(pauses) < 2.0
