"""The server side of the query process: answers one request at a time, the newest of each session.

Each connection carries one request and has its own thread; a lock lets one compute at a time. A newer
request of the same session, a caller that hung up, and the end of the server cancel a request: the
handler is told through ``cancelled()``. The server ends by itself when nobody has asked for a while.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Client, Listener
from typing import Any

from tracin_viz.errors import CancelledError, JobError, TracinVizError
from tracin_viz.jobs.messages import Array, Wire, describe_error, receive, send
from tracin_viz.jobs.private_address import (
    Address,
    address_of,
    make_private,
    new_contact,
    prove_as_server,
    publish,
    read_contact,
    withdraw,
)
from tracin_viz.portable import WINDOWS

__all__ = ["FAMILY", "Address", "Handler", "address_of", "serve"]

FAMILY = "AF_PIPE" if WINDOWS else "AF_UNIX"
#: Seconds that a caller has to prove itself, and then to send its request.
PATIENCE = 30.0

Answer = tuple[dict[str, Any], Sequence[Array]]
Handler = Callable[[str, dict[str, Any], list[Array], Callable[[], bool]], Answer]

_log = logging.getLogger(__name__)


def serve(address: Address, handler: Handler, idle_seconds: float = 900.0) -> None:
    """Answer requests until nobody has asked for ``idle_seconds``, or somebody asks to stop.

    Args:
        address: Where to be found, from ``address_of(home)``.
        handler: Called as ``handler(kind, header, arrays, cancelled)``; returns a header of plain values
            and arrays. It should raise ``CancelledError`` soon after ``cancelled()`` becomes true.
        idle_seconds: Time without requests after which the server ends.
    """
    server = _Server(address, handler, idle_seconds)
    with _tidy_on_termination():
        server.run()


@dataclass(eq=False)
class _Request:
    """One request while it waits or is computed."""

    wire: Wire
    replaced: threading.Event = field(default_factory=threading.Event)

    def hung_up(self) -> bool:
        # The caller sends nothing after its request: anything that can be read is the end.
        try:
            return self.wire.poll(0)
        except (OSError, EOFError):
            return True


class _Server:
    def __init__(self, address: Address, handler: Handler, idle_seconds: float) -> None:
        self._address = address
        self._handler = handler
        self._idle_seconds = idle_seconds
        self._contact = new_contact(address)
        self._changed = threading.Condition()  # guards the four below
        self._connections = 0
        self._last_use = time.monotonic()
        self._newest: dict[str, _Request] = {}
        self._stopping = False
        self._computing = threading.Lock()

    def run(self) -> None:
        make_private(self._address)
        listener = Listener(self._contact.location, FAMILY, backlog=64)
        try:
            publish(self._address, self._contact)
            threading.Thread(target=self._watch, daemon=True).start()
            while self._accept(listener):
                pass
            with self._changed:  # requests that are being computed see `cancelled()` and end
                self._changed.wait_for(lambda: self._connections == 0, timeout=5.0)
        finally:
            withdraw(self._address, self._contact)
            with contextlib.suppress(FileNotFoundError):  # it wants to remove the socket itself
                listener.close()

    def _accept(self, listener: Listener) -> bool:
        """Take one connection; False when the server is to end."""
        try:
            wire = listener.accept()
        except OSError as error:  # a caller that vanished at once, or too many open files
            _log.warning("a connection could not be accepted: %s", error)
            time.sleep(0.05)
            return not self._stopping
        with self._changed:
            # Counted before the idle watch can look: a caller that was let in is answered.
            if self._stopping:
                wire.close()
                return False
            self._connections += 1
        threading.Thread(target=self._talk, args=(wire,), daemon=True).start()
        return True

    def _watch(self) -> None:
        """End the server when nobody asks any more, or nobody can find it."""
        pause = min(1.0, self._idle_seconds / 4)
        while not self._stopping:
            lost = read_contact(self._address) != self._contact
            with self._changed:
                idle = time.monotonic() - self._last_use >= self._idle_seconds
                if self._connections == 0 and (idle or lost):
                    self._stopping = True
                self._changed.wait_for(lambda: self._stopping, timeout=pause)
        self._wake()

    def _stop(self) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def _wake(self) -> None:
        """Let the blocking accept return."""
        with contextlib.suppress(OSError):  # its socket is gone: it has returned already
            Client(self._contact.location, FAMILY).close()

    def _talk(self, wire: Wire) -> None:
        try:
            if not prove_as_server(wire, self._contact.key, PATIENCE):
                return
            send(wire, {"version": self._contact.version, "home": self._contact.home, "pid": os.getpid()})
            body: dict[str, Any] = {}
            try:
                body, arrays = receive(wire, PATIENCE)
                answer, found = self._answer(wire, body, arrays)
                send(wire, {"answer": answer}, found)
            except TracinVizError as error:
                send(wire, {"error": describe_error(error)})
            except (EOFError, OSError):
                raise
            except Exception as error:
                _log.exception("request %r failed", body.get("kind"))
                send(wire, {"error": describe_error(self._unexpected(error))})
        except (EOFError, OSError, TracinVizError) as error:
            _log.info("a caller went away or was not understood: %s", error)
        finally:
            wire.close()
            with self._changed:
                self._connections -= 1
                self._last_use = time.monotonic()
                self._changed.notify_all()

    def _answer(self, wire: Wire, body: dict[str, Any], arrays: list[Array]) -> Answer:
        kind, header, session = body.get("kind"), body.get("header"), body.get("session")
        if not (isinstance(kind, str) and isinstance(header, dict) and isinstance(session, str)):
            raise JobError("A request needs a kind, a header and a session.")
        if kind == "_ping":
            return {}, []
        if kind == "_stop":
            self._stop()
            return {}, []
        request = _Request(wire)
        with self._changed:
            older = self._newest.get(session)
            if older is not None:
                older.replaced.set()
            self._newest[session] = request
        try:
            return self._compute(request, kind, header, arrays)
        finally:
            with self._changed:
                if self._newest.get(session) is request:
                    del self._newest[session]

    def _compute(self, request: _Request, kind: str, header: dict[str, Any], arrays: list[Array]) -> Answer:
        def cancelled() -> bool:
            return self._stopping or request.replaced.is_set() or request.hung_up()

        def leave_if_cancelled() -> None:
            if cancelled():
                raise CancelledError("A newer question took the place of this one.")

        while not self._computing.acquire(timeout=0.05):
            leave_if_cancelled()
        try:
            leave_if_cancelled()
            try:
                return self._handler(kind, header, arrays, cancelled)
            except (EOFError, OSError) as error:  # of the handler's own files, not of this connection
                _log.exception("request %r failed", kind)
                raise self._unexpected(error) from error
        finally:
            self._computing.release()

    def _unexpected(self, error: Exception) -> JobError:
        what = f"{type(error).__name__}: {error}".strip(": ")[:300]
        return JobError(
            f"The query process could not answer ({what}).", remedy=f"Details are in {self._address.log}."
        )


@contextlib.contextmanager
def _tidy_on_termination() -> Iterator[None]:
    """Let SIGTERM end the process through ``finally``, so that the address files go with it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(number: int, frame: object) -> None:
        sys.exit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
