"""Ask a short-lived process what is in a run folder."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tracin_viz.errors import JobError, Problem, by_name

#: How a run folder is looked into: ``inspector(path, checkpoints=…, learning_rates=…)``.
Inspector = Callable[..., dict[str, Any]]

TIMEOUT = 600.0  # seconds; every checkpoint is loaded once


def inspect(
    path: Path,
    *,
    checkpoints: str | None = None,
    learning_rates: Sequence[float] | None = None,
    architecture: Path | None = None,
    trust_code: bool = False,
    options: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What the run folder at ``path`` holds: task, classes, checkpoints, architecture.

    The arguments are those of ``models.bundle.open_run_folder``.

    Raises:
        InputError: The folder cannot be used; the message says why.
        JobError: The process itself failed.
    """
    request = json.dumps(
        {
            "path": str(path),
            "checkpoints": checkpoints,
            "learning_rates": None if learning_rates is None else list(learning_rates),
            "architecture": None if architecture is None else str(architecture),
            "trust_code": trust_code,
            "options": dict(options or {}),
        }
    )
    try:
        finished = subprocess.run(
            [sys.executable, "-m", "tracin_viz.jobs.inspect_run", request],
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as error:
        raise JobError(
            f"Inspecting the model in {path} took more than {TIMEOUT:.0f} seconds.",
            remedy="Give fewer checkpoints with --checkpoints.",
        ) from error
    if finished.returncode != 0 or not finished.stdout.strip():
        last = (finished.stderr.strip().splitlines() or [f"exit status {finished.returncode}"])[-1]
        raise JobError(f"The model in {path} could not be inspected: {last}")
    answer = json.loads(finished.stdout.splitlines()[-1])
    if "error" in answer:
        raised = answer["error"]
        raise by_name(raised["class"])(
            raised["message"],
            remedy=raised["remedy"],
            problems=[Problem(**problem) for problem in raised["problems"]],
        )
    found: dict[str, Any] = answer["found"]
    return found
