"""Helpers of these tests: wait with a deadline, and end what was started."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tracin_viz.config import Home
from tracin_viz.jobs import runner

ROOT = Path(__file__).resolve().parents[2]


def wait_until(condition: Callable[[], object], seconds: float = 120.0) -> None:
    """Return when the condition holds; fail when it does not within the time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not true within {seconds} s: {condition}")
        time.sleep(0.01)


def python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", code, *arguments]


def end_children() -> None:
    """Kill every child that the runner started in this process and collect it."""
    for process in list(runner._children.values()):
        process.kill()
        process.wait(60)
    runner.reap()


def run_python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        python(code, *arguments), cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    )


def server(home: Home, *options: str) -> list[str]:
    """The command that starts a query process which echoes what it is asked."""
    return [sys.executable, "-m", "tests.jobs.echo_server", "--home", str(home.root), *options]
