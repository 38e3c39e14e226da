"""Jobs move forward only, and their progress is readable by everybody."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tracin_viz.errors import CancelledError, JobError, NotFoundError
from tracin_viz.jobs.records import FINAL, JobBook, seconds_left
from tracin_viz.store.database import Database


@pytest.fixture
def book(tmp_path: Path):
    database = Database(tmp_path / "workspace.db")
    yield JobBook(database)
    database.close()


def running(book: JobBook) -> str:
    return book.start(book.create("digits", "compute", {}).id, os.getpid()).id


def test_a_job_goes_from_created_to_done(book):
    job = book.create("digits", "compute", {"sketch_dim": 64, "layers": "all"})
    assert (job.state, job.pid, job.settings) == ("created", None, {"sketch_dim": 64, "layers": "all"})
    book.launched(job.id, 4242, "token")
    assert (book.get(job.id).state, book.get(job.id).pid) == ("queued", 4242)
    started = book.start(job.id, os.getpid())
    assert (started.state, started.pid) == ("running", os.getpid())
    assert started.pid_token and started.started
    assert book.progress(job.id, 2, 10, "Measuring", "step 5") is False
    now = book.get(job.id)
    assert (now.done, now.total, now.stage, now.message) == (2, 10, "Measuring", "step 5")
    assert now.heartbeat >= started.heartbeat
    ended = book.finish(job.id, "done", "Ready.")
    assert (ended.state, ended.message) == ("done", "Ready.") and ended.finished


def test_the_parent_does_not_undo_what_a_fast_worker_wrote(book):
    job = book.create("digits", "compute", {})
    book.start(job.id, os.getpid())
    book.launched(job.id, 1, "parent was slow")
    assert (book.get(job.id).state, book.get(job.id).pid) == ("running", os.getpid())


@pytest.mark.parametrize("first", FINAL)
def test_a_final_state_never_changes(book, first):
    name = running(book)
    book.finish(name, first, "the end")
    for second in FINAL:
        assert book.finish(name, second, "again").state == first
    assert book.request_cancel(name).state == first
    assert book.progress(name, 5, 5, "late") is True  # its worker is told to stop
    with pytest.raises((JobError, CancelledError)):
        book.start(name, os.getpid())
    job = book.get(name)
    assert (job.state, job.message, job.done, job.cancel_requested) == (first, "the end", 0, False)


def test_cancelling_a_running_job_is_seen_at_its_next_progress(book):
    name = running(book)
    assert book.progress(name, 1, 9, "Measuring") is False
    assert book.request_cancel(name).state == "running"
    assert book.progress(name, 2, 9, "Measuring") is True


def test_cancelling_before_the_process_exists_ends_the_job_and_start_refuses(book):
    job = book.create("digits", "compute", {})
    assert book.request_cancel(job.id).state == "cancelled"
    with pytest.raises(CancelledError, match="before it began"):
        book.start(job.id, os.getpid())
    assert book.get(job.id).state == "cancelled"


def test_cancelling_a_queued_job_ends_it_when_its_worker_begins(book):
    job = book.create("digits", "compute", {})
    book.launched(job.id, os.getpid(), "token")
    assert book.request_cancel(job.id).state == "queued"
    with pytest.raises(CancelledError):
        book.start(job.id, os.getpid())
    assert book.get(job.id).state == "cancelled"


def test_a_running_job_cannot_be_started_again(book):
    name = running(book)
    with pytest.raises(JobError, match="already running"):
        book.start(name, os.getpid())
    assert book.get(name).state == "running"


def test_latest_and_active_look_at_one_audit(book):
    assert book.latest("digits") is None and book.active("digits") is None
    first, other = book.create("digits", "demo", {}), book.create("commands", "compute", {})
    second = book.create("digits", "compute", {})
    assert book.latest("digits").id == second.id
    assert book.latest("digits", "demo").id == first.id
    assert book.latest("digits", "retrain") is None
    book.finish(second.id, "failed", "x")
    assert book.active("digits").id == first.id
    book.finish(first.id, "done")
    assert book.active("digits") is None
    assert book.latest("digits").id == second.id
    assert [job.id for job in book.unfinished()] == [other.id]


def test_only_one_of_many_callers_may_start_an_exclusive_job(book):
    results: list[object] = []
    barrier = threading.Barrier(4)

    def work() -> None:
        barrier.wait(60)
        try:
            results.append(book.create("digits", "compute", {}, only_one=True))
        except JobError as error:
            results.append(str(error))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    refused = [text for text in results if isinstance(text, str)]
    assert len(results) == 4 and len(refused) == 3
    assert all("already has an unfinished compute run" in text for text in refused)


def test_an_unknown_job_is_named(book):
    with pytest.raises(NotFoundError, match="'nope'"):
        book.get("nope")


def test_a_job_cannot_end_in_an_unknown_state(book):
    with pytest.raises(ValueError, match="finished"):
        book.finish(running(book), "finished")


def test_time_left_follows_the_rate_of_this_stage(book):
    name = running(book)
    job = replace(book.get(name), stage_started=1000.0, stage_first=40, done=50, total=100, heartbeat=1020.0)
    # 10 units in 20 s; 50 are left, so 100 s, of which 5 have passed since the heartbeat
    assert seconds_left(job, now=1025.0) == pytest.approx(95.0)
    assert seconds_left(replace(job, done=100), now=1025.0) == 0
    for unknown in (replace(job, done=40), replace(job, total=0), replace(job, stage_started=None)):
        assert seconds_left(unknown, now=1025.0) is None
    assert seconds_left(replace(job, state="done"), now=1025.0) is None


def test_a_stage_begins_anew_when_its_name_changes(book):
    name = running(book)
    before = time.time()
    book.progress(name, 40, 100, "Measuring")  # 40 units were found in the cache
    first = book.get(name)
    assert first.stage_first == 40 and before <= first.stage_started <= time.time()
    assert seconds_left(first) is None
    book.progress(name, 41, 100, "Measuring")
    assert (book.get(name).stage_started, book.get(name).stage_first) == (first.stage_started, 40)
    assert seconds_left(book.get(name)) is not None
    book.progress(name, 3, 8, "Mapping")
    mapping = book.get(name)
    assert mapping.stage_first == 3 and mapping.stage_started >= first.stage_started
    book.progress(name, 0, 8, "Mapping")  # starting over counts from there
    assert book.get(name).stage_first == 0
