"""A server of the real app on a free port, for tests and for the screenshots of the documentation."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page

ROOT = Path(__file__).parents[2]
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # nothing outside this computer is reached
]
#: Milliseconds that anything on a page may take. They exist to end what hangs, never to say that something is
#: slow: a question may start the query process, on a machine whose cores are busy with other tests.
PATIENCE = 120_000
REMEDY = "Chromium is missing. Install it (apt-get install -y chromium), or set CHROMIUM to its path."


def chromium() -> str:
    """Path of the browser.

    Raises:
        FileNotFoundError: There is none; the message is the remedy.
    """
    for name in (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name) if name else None
        if found:
            return found
    raise FileNotFoundError(REMEDY)


def free_port() -> int:
    """A port that nobody listens on now, and that neither connections nor other test processes will take.

    A server that is killed and started again needs its port once more: the numbers that the system itself
    gives to connections (from 32768 on) could be in use by then.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = 20_000 + 1_000 * (worker % 12)
    for port in random.sample(range(first, first + 1_000), 100):
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                listener.bind(("127.0.0.1", port))
                return port
    raise RuntimeError(f"none of the ports from {first} to {first + 999} is free")


@contextmanager
def serve(
    home: Path, *, log: Path, port: int | None = None, script: str = "app.py", **variables: str
) -> Iterator[str]:
    """Run the app over the workspace ``home``; yields its address. Its process number is beside the log."""
    port = port or free_port()
    own = {"TRACIN_VIZ_HOME": str(home), "STREAMLIT_SERVER_PORT": str(port)}
    environment = {**os.environ, **own, **variables}
    with log.open("ab") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", script],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
    address = f"http://127.0.0.1:{port}"
    log.with_suffix(".pid").write_text(str(server.pid))
    try:
        wait_until_up(server, address, log)
        yield address
    finally:
        server.terminate()
        try:
            server.wait(60)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def wait_until_up(server: subprocess.Popen[bytes], address: str, log: Path) -> None:
    """Wait until the server answers at ``address``; an early end is an error with the log's last words."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(f"the server ended: {log.read_text('utf-8', 'replace')[-4000:]}")
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=10) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"the server does not answer: {log.read_text('utf-8', 'replace')[-4000:]}")


def settle(page: Page) -> None:
    """Wait until the page is connected and no script run is in progress."""
    page.wait_for_function(
        "() => { const app = document.querySelector('[data-testid=stApp]');"
        " return app?.dataset.testScriptState === 'notRunning'"
        " && app?.dataset.testConnectionState === 'CONNECTED'; }"
    )
