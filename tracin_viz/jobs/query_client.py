"""The app's side of the query process: finds it, starts it where needed, asks.

The process holds the model and torch, so that pages need not; it is shared by all pages of a workspace
and started by the first question. Nothing that it sends is ever executed or unpickled.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from multiprocessing.connection import Client, Connection
from typing import Any

import tracin_viz
from tracin_viz.config import Home
from tracin_viz.errors import JobError
from tracin_viz.jobs import runner
from tracin_viz.jobs.messages import Array, MalformedMessageError, Wire, rebuild_error, receive, send
from tracin_viz.jobs.private_address import (
    Contact,
    address_of,
    make_private,
    prove_as_caller,
    read_contact,
    withdraw,
)
from tracin_viz.jobs.transport import FAMILY
from tracin_viz.portable import exclusive, process_alive, spawn_detached

#: Seconds a live server may take to greet: its interpreter can be held up by a compilation.
GREETING_SECONDS = 30.0


class _OtherVersionError(Exception):
    """A server of other code answers at the address."""


class QueryClient:
    """Asks the query process of one workspace. May be shared by threads, and made anew at any time.

    Args:
        home: The workspace.
        argv: Command that starts the server; by default the package's own.
        start_timeout: Seconds until a new server must answer.
    """

    def __init__(
        self, home: Home, argv: Sequence[str] | None = None, *, start_timeout: float = 120.0
    ) -> None:
        module = [sys.executable, "-m", "tracin_viz.jobs.query_server", "--home", str(home.root)]
        self._home = home
        self._argv = list(argv) if argv is not None else module
        self._start_timeout = start_timeout
        self._address = address_of(home)

    def ask(
        self,
        kind: str,
        header: dict[str, Any],
        arrays: Sequence[Array] = (),
        *,
        session: str = "default",
        timeout: float = 300.0,
    ) -> tuple[dict[str, Any], list[Array]]:
        """Ask one question and wait for the answer; a newer one of the same session cancels it.

        Args:
            kind: What is asked.
            header: Plain JSON values, at most 1 MB.
            arrays: Numbers or truth values, together at most 256 MB.
            session: Whose question it is.
            timeout: Seconds to wait for the answer, without the start of the process.

        Returns:
            Header and arrays of the answer.

        Raises:
            CancelledError: A newer question of the session took its place.
            TracinVizError: What the server raised, as the same class.
            JobError: The process cannot be started, died, or did not answer in time.
        """
        wire = self._connect()
        try:
            send(wire, {"kind": kind, "header": header, "session": session}, arrays)
            body, found = receive(wire, timeout)
        except TimeoutError as error:
            raise JobError(
                f"The query process did not answer '{kind}' within {timeout:.0f} seconds.",
                remedy=f"Ask for less at once, or look into {self._address.log}.",
            ) from error
        except (EOFError, OSError) as error:
            raise JobError(
                f"The query process ended while it answered '{kind}', perhaps because memory ran out."
                + self._last_words(),
                remedy="Ask again: it is started anew.",
            ) from error
        finally:
            wire.close()
        if "error" in body:
            raise rebuild_error(body["error"])
        answer: dict[str, Any] = body["answer"]
        return answer, found

    def is_running(self) -> bool:
        """Whether a server answers now; starts none."""
        try:
            wire = self._dial()
        except _OtherVersionError:
            return False
        if wire is None:
            return False
        wire.close()
        return True

    def stop(self) -> None:
        """End the server, if there is one, and wait until it is gone."""
        contact = read_contact(self._address)
        if contact is not None:
            self._end(contact)

    def _connect(self) -> Wire:
        with contextlib.suppress(_OtherVersionError):
            wire = self._dial()
            if wire is not None:
                return wire
        lock = self._home.runtime / "query_server.lock"
        with exclusive(lock, timeout=self._start_timeout + 30, doing="starting the query process"):
            with contextlib.suppress(_OtherVersionError):  # which is then replaced
                wire = self._dial()  # another caller may have started it meanwhile
                if wire is not None:
                    return wire
            self.stop()
            return self._start()

    def _dial(self) -> Wire | None:
        """A proven connection; ``None`` if nobody answers.

        Raises:
            _OtherVersionError: A server of other code answers.
        """
        contact = read_contact(self._address)
        wire = _connected(contact)
        if wire is None:
            return None
        try:
            greeting, _ = receive(wire, GREETING_SECONDS)
        except (EOFError, OSError, TimeoutError, MalformedMessageError):
            wire.close()
            return None
        if (greeting.get("version"), greeting.get("home")) != (tracin_viz.__version__, self._address.home):
            wire.close()
            raise _OtherVersionError
        return wire

    def _start(self) -> Wire:
        make_private(self._address)  # also done by the server, but here the user is told why it fails
        try:
            process = spawn_detached(self._argv, log=self._address.log, folder=runner.PACKAGE_PARENT)
        except OSError as error:
            raise JobError(
                f"The query process cannot be started: {error}.", remedy=f"Command: {' '.join(self._argv)}"
            ) from error
        runner.adopt(process)
        deadline = time.monotonic() + self._start_timeout
        while time.monotonic() < deadline:
            try:
                wire = self._dial()
            except _OtherVersionError as error:
                self.stop()
                raise JobError(
                    "The query process runs another version of TracIn-Viz than this app.",
                    remedy="Restart the app: its files were updated while it ran.",
                ) from error
            if wire is not None:
                return wire
            if process.poll() is not None:
                raise JobError(
                    f"The query process ended while it started (exit code {process.returncode})."
                    + self._last_words(),
                    remedy="Cure what the log says, then ask again.",
                )
            time.sleep(0.03)
        _kill(process)
        raise JobError(
            f"The query process did not answer within {self._start_timeout:.0f} seconds of its start."
            + self._last_words(),
            remedy="Try again; the computer may be busy.",
        )

    def _end(self, contact: Contact) -> None:
        """Ask a server to stop, whatever its version; terminate it if it does not."""
        wire = _connected(contact)
        if wire is not None:
            # Whatever goes wrong here, the signals below end it.
            with contextlib.suppress(EOFError, OSError, TimeoutError, JobError):
                receive(wire, 5.0)
                send(wire, {"kind": "_stop", "header": {}, "session": ""})
                receive(wire, 5.0)
            wire.close()
        # A token that is only "in use" (DESIGN: not Linux) could by now belong to somebody else's process.
        exact = contact.pid_token not in ("", "running")
        runner.end_process(
            contact.pid, contact.pid_token, grace=6.0 if wire is not None else 0.0, force=exact
        )
        withdraw(self._address, contact)

    def _last_words(self) -> str:
        words = runner.last_words(self._address.log)
        return f" Log: {self._address.log}." + (f" Last line: {words}" if words else "")


def _connected(contact: Contact | None) -> Wire | None:
    """A connection to ``contact`` with both sides proven, before its greeting is read."""
    if contact is None or not process_alive(contact.pid, contact.pid_token):
        return None
    try:
        wire = _reached(contact.location)
    except OSError:
        return None
    try:
        if prove_as_caller(wire, contact.key, GREETING_SECONDS):
            return wire
    except (EOFError, OSError):
        wire.close()
        return None
    wire.close()
    return None


def _reached(location: str) -> Wire:
    """A connection to a socket or pipe.

    ``Client`` would wait without end where a server that hangs has a full queue of callers.
    """
    if sys.platform == "win32":
        return Client(location, FAMILY)
    deadline = time.monotonic() + GREETING_SECONDS
    with socket.socket(socket.AF_UNIX) as wire:
        wire.setblocking(False)
        while True:
            try:
                wire.connect(location)
            except BlockingIOError:  # the queue is full
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                wire.setblocking(True)
                return Connection(wire.detach())


def _kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait(10)
