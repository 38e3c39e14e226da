"""Writes happen in order and off the critical path; what was given is written, and errors come out."""

from __future__ import annotations

import threading

import pytest

from tests.jobs.processes import wait_until
from tracin_viz.errors import CancelledError
from tracin_viz.jobs.writing import WAITING, Writer


def test_everything_is_written_in_order_by_another_thread():
    written = []
    with Writer(lambda item: written.append((item, threading.current_thread().name))) as writer:
        for number in range(20):
            writer.put(number)
    assert written == [(number, "writer") for number in range(20)]


def test_the_caller_goes_on_while_something_is_written_and_waits_when_too_much_is():
    begun, go = threading.Semaphore(0), threading.Event()
    written, given = [], []

    def write(item: int) -> None:
        begun.release()
        go.wait(60)
        written.append(item)

    def give(writer: Writer[int]) -> None:
        for number in range(6):
            writer.put(number)
            given.append(number)

    with Writer(write) as writer:
        giver = threading.Thread(target=give, args=(writer,))
        giver.start()
        assert begun.acquire(timeout=60)
        wait_until(lambda: len(given) == 1 + WAITING)
        giver.join(0.2)
        assert given == list(range(1 + WAITING)) and written == []  # one is being written, the others wait
        go.set()
        giver.join(60)
    assert written == given == list(range(6))


def test_what_was_measured_before_a_cancel_is_still_written():
    written = []
    with pytest.raises(CancelledError), Writer(written.append) as writer:
        writer.put("unit")
        raise CancelledError("stop")
    assert written == ["unit"]


def test_an_error_of_the_disk_is_raised_and_nothing_more_is_written():
    written = []

    def write(item: int) -> None:
        if item == 1:
            raise OSError("the disk is full")
        written.append(item)

    with pytest.raises(OSError, match="full"), Writer(write) as writer:
        for number in range(50):
            writer.put(number)
    assert written == [0]


def test_an_error_of_the_last_write_is_not_lost():
    def write(item: int) -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"), Writer(write) as writer:
        writer.put(1)
