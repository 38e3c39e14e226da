"""Frames are checked before anything is built from them; strangers are turned away."""

from __future__ import annotations

import contextlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Client, Pipe
from pathlib import Path

import numpy as np
import pytest

from tests.jobs.processes import wait_until
from tracin_viz.config import Home
from tracin_viz.errors import CancelledError, InputError, JobError, Problem, TracinVizError
from tracin_viz.jobs import messages, transport
from tracin_viz.jobs.messages import (
    MalformedMessageError,
    describe_error,
    rebuild_error,
    receive,
    send,
)
from tracin_viz.jobs.private_address import address_of, prove_as_caller, prove_as_server, read_contact
from tracin_viz.jobs.transport import serve


@pytest.fixture
def pipe():
    ends = Pipe()
    yield ends
    for end in ends:
        end.close()


def frame(arrays: object, body: object = None) -> bytes:
    return json.dumps({"body": {} if body is None else body, "arrays": arrays}).encode()


@pytest.mark.parametrize(
    "frames",
    [
        [b"not json"],
        [b"[]"],
        [b'{"body": {}}'],
        [b"\x80\x04\x95 a pickle"],
        [b"[" * 100_000],
        [frame([], body=["a list"])],
        [frame([{"dtype": "|O", "shape": [1]}]), b"x" * 8],
        [frame([{"dtype": "<V8", "shape": [1]}]), b"x" * 8],
        [frame([{"dtype": ["<f4"], "shape": [1]}]), b"x" * 4],
        [frame([{"dtype": "<f4", "shape": [-1]}]), b"x" * 4],
        [frame([{"dtype": "<f4", "shape": [1.0]}]), b"x" * 4],
        [frame([{"dtype": "<f4", "shape": [True]}]), b"x" * 4],
        [frame([{"dtype": "<f4", "shape": "1"}]), b"x" * 4],
        [frame([{"dtype": "<f4", "shape": [1] * 40}]), b"x" * 4],
        [frame([{"dtype": "<f4", "shape": [2**20, 2**20]}])],
        [frame([{"dtype": "<f4", "shape": [2**40]}])],
        [frame([{"dtype": "<f4", "shape": [40 << 20]}] * 2)],
        [frame([{"dtype": "<f4", "shape": [0]}] * 100)],
        [frame([{"dtype": "<f4", "shape": [2]}]), b"x" * 4],
        [frame([{"dtype": "|b1", "shape": [2]}]), b"\x01\x02"],
    ],
)
def test_malformed_messages_are_refused(pipe, frames):
    for content in frames:
        pipe[0].send_bytes(content)
    with pytest.raises(MalformedMessageError):
        receive(pipe[1], 60.0)


def test_frames_larger_than_announced_are_refused(pipe):
    pipe[0].send_bytes(frame([{"dtype": "<f4", "shape": [1]}]))
    pipe[0].send_bytes(b"x" * 8)
    with pytest.raises(OSError, match="message length"):
        receive(pipe[1], 60.0)


def test_headers_are_limited_on_both_sides(pipe):
    with pytest.raises(JobError, match="larger than 1024 KB"):
        send(pipe[0], {"text": "x" * (messages.HEADER_LIMIT + 1)})
    # Larger than the socket's buffer, so the writer waits until the reader hangs up.
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(pipe[0].send_bytes, b" " * (messages.HEADER_LIMIT + 1))
        with pytest.raises(OSError, match="message length"):
            receive(pipe[1], 60.0)
        pipe[1].close()
        assert isinstance(writing.exception(60), OSError)


def test_arrays_are_limited_and_of_numbers(pipe):
    huge = np.broadcast_to(np.zeros(1), (messages.ARRAYS_LIMIT // 8 + 1,))
    with pytest.raises(JobError, match="too large for one message"):
        send(pipe[0], {}, [huge])
    for wrong in (np.array(["text"]), np.array([None]), np.array([1j])):
        with pytest.raises(JobError, match="cannot be sent"):
            send(pipe[0], {}, [wrong])


def test_nothing_is_sent_of_a_message_that_cannot_be(pipe):
    with pytest.raises(TypeError, match="message header"):
        send(pipe[0], {"thing": object()})
    assert not pipe[1].poll(0)


def test_waiting_ends_in_time(pipe):
    with pytest.raises(TimeoutError):
        receive(pipe[1], 0.05)


def test_every_error_class_survives_the_way():
    for kind in (TracinVizError, *TracinVizError.__subclasses__()):
        error = kind("what", remedy="do this", problems=[Problem("k", "w", "m", "r")])
        back = rebuild_error(json.loads(json.dumps(describe_error(error))))
        assert isinstance(back, JobError if kind is TracinVizError else kind)
        assert (back.message, back.remedy, back.problems) == ("what", "do this", error.problems)


def proofs(server_key: str, caller_key: str) -> tuple[bool, bool]:
    ends = Pipe()
    results = {}

    def serve_side() -> None:
        results["server"] = prove_as_server(ends[0], server_key, 60.0)
        ends[0].close()

    thread = threading.Thread(target=serve_side)
    thread.start()
    try:
        results["caller"] = prove_as_caller(ends[1], caller_key, 60.0)
    except EOFError:
        results["caller"] = False
    thread.join(60)
    ends[1].close()
    return results["server"], results["caller"]


def test_both_sides_must_know_the_key():
    assert proofs("ab" * 32, "ab" * 32) == (True, True)
    assert proofs("ab" * 32, "cd" * 32) == (False, False)


def test_a_server_that_does_not_know_the_key_is_not_believed(pipe):
    pipe[0].send_bytes(b"q" * 32)
    thread = threading.Thread(target=lambda: (pipe[0].recv_bytes(), pipe[0].send_bytes(b"p" * 32)))
    thread.start()
    assert prove_as_caller(pipe[1], "ab" * 32, 60.0) is False
    thread.join(60)


@pytest.fixture
def served(tmp_path: Path):
    """A server in a thread of this process; yields its address and the requests it computed."""
    address = address_of(Home(tmp_path / "home"))
    computed: list[str] = []

    def handler(kind, header, arrays, cancelled):
        computed.append(kind)
        if kind == "cancel":
            raise CancelledError("cancelled by itself")
        return {"kind": kind}, arrays

    thread = threading.Thread(target=serve, args=(address, handler, 600.0))
    thread.start()
    wait_until(lambda: read_contact(address) is not None)
    yield address, computed
    # One that is about to end by itself cannot be found, or hangs up.
    with contextlib.suppress(OSError, EOFError):
        wire = dial(address)
        send(wire, {"kind": "_stop", "header": {}, "session": ""})
        receive(wire, 60.0)
        wire.close()
    thread.join(60)
    assert not thread.is_alive()
    assert not address.folder.exists()


def dial(address, key: str | None = None):
    contact = read_contact(address)
    if contact is None:
        raise FileNotFoundError(address.contact_file)
    wire = Client(contact.location, transport.FAMILY)
    assert prove_as_caller(wire, key or contact.key, 60.0)
    greeting, _ = receive(wire, 60.0)
    assert greeting["home"] == address.home
    return wire


def test_a_caller_without_the_key_gets_nothing_and_harms_nobody(served):
    address, computed = served
    contact = read_contact(address)
    silent = Client(contact.location, transport.FAMILY)  # connects and never says a word
    wrong = Client(contact.location, transport.FAMILY)
    with pytest.raises(EOFError):
        prove_as_caller(wrong, "00" * 32, 60.0)
    eager = Client(contact.location, transport.FAMILY)
    eager.recv_bytes()
    eager.send_bytes(
        json.dumps({"body": {"kind": "echo", "header": {}, "session": ""}, "arrays": []}).encode()
    )
    with pytest.raises((EOFError, ConnectionResetError)):
        eager.recv_bytes()
    wire = dial(address)
    send(wire, {"kind": "echo", "header": {}, "session": "a"})
    assert receive(wire, 60.0)[0] == {"answer": {"kind": "echo"}}
    for one in (silent, wrong, eager, wire):
        one.close()
    assert computed == ["echo"]


@pytest.mark.parametrize(
    "content",
    [b"nonsense", frame([], {"kind": 1}), frame([], {"kind": "echo", "header": [], "session": "a"})],
)
def test_a_request_that_is_not_understood_is_answered_with_an_error(served, content):
    address, computed = served
    wire = dial(address)
    wire.send_bytes(content)
    body, _ = receive(wire, 60.0)
    assert isinstance(rebuild_error(body["error"]), JobError)
    wire.close()
    assert computed == []


def test_errors_of_the_handler_are_frames(served):
    wire = dial(served[0])
    send(wire, {"kind": "cancel", "header": {}, "session": "a"})
    assert isinstance(rebuild_error(receive(wire, 60.0)[0]["error"]), CancelledError)
    wire.close()


def test_a_server_that_nobody_can_find_ends(served):
    address, _ = served
    address.contact_file.unlink()
    wait_until(lambda: not address.folder.exists())


def test_unknown_error_names_become_job_errors():
    described = {**describe_error(InputError("x")), "class": "FromTheFutureError"}
    assert type(rebuild_error(described)) is JobError
