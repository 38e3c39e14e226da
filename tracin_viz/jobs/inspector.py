"""Ask a short-lived process about a model: what it is, whether it fits the data, what it sees."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tracin_viz.errors import JobError, Problem, by_name

#: How a run folder is looked into: ``inspector(path, checkpoints=…, learning_rates=…, …)``.
Inspector = Callable[..., dict[str, Any]]
#: Told how many of how many parts are done, and what is being done.
OnProgress = Callable[[int, int, str], None]

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
    request = {
        "mode": "inspect",
        "path": str(path),
        "checkpoints": checkpoints,
        "learning_rates": None if learning_rates is None else list(learning_rates),
        "architecture": None if architecture is None else str(architecture),
        "trust_code": trust_code,
        "options": dict(options or {}),
    }
    return _asked(request, what=f"the model in {path}")


def validate(
    data: Path,
    path: Path,
    *,
    mapping: Mapping[str, Any] | None = None,
    on_progress: OnProgress | None = None,
    **choices: Any,
) -> dict[str, Any]:
    """Whether model, weights, preprocessing and classes fit the data; see ``jobs.validation.validate``.

    Args:
        data: The data set.
        path: The run folder.
        mapping: How the data's files become examples (``DataMapping.as_dict``).
        on_progress: Called in this thread as the checkpoints are gone through.
        choices: JSON-able arguments of ``models.bundle.open_run_folder``; paths may be ``Path``.

    Raises:
        InputError: Data or model cannot be used.
        JobError: The process itself failed.
    """
    plain = {key: str(value) if isinstance(value, Path) else value for key, value in choices.items()}
    table = None if mapping is None else dict(mapping)
    request = {"mode": "validate", "data": str(data), "path": str(path), "mapping": table, **plain}
    return _asked(request, what=f"the model in {path}", on_progress=on_progress)


def preview(path: Path, image: Path, *, options: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What an image model sees of the file ``image``; see ``models.image_choices.model_view``.

    Raises:
        InputError: The preprocessing makes no sense.
        JobError: The process itself failed.
    """
    request = {"mode": "preview", "path": str(path), "image": str(image), "options": dict(options or {})}
    return _asked(request, what=f"the preprocessing of {path}")


def _asked(request: Mapping[str, Any], *, what: str, on_progress: OnProgress | None = None) -> dict[str, Any]:
    last, late = "", threading.Event()
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "tracin_viz.jobs.inspect_run", json.dumps(request)],
            stdout=subprocess.PIPE,
            stderr=errors,
            stdin=subprocess.DEVNULL,
            text=True,
        )

        def end() -> None:
            late.set()
            process.kill()

        clock = threading.Timer(TIMEOUT, end)
        clock.start()
        try:
            for line in process.stdout or ():
                last = line
                if on_progress is not None and line.startswith('{"progress"'):
                    on_progress(*json.loads(line)["progress"])
        finally:
            clock.cancel()
            if process.poll() is None and sys.exc_info()[0] is not None:
                process.kill()  # the caller stopped listening
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
        errors.seek(0)
        said = errors.read().strip().splitlines()
    if late.is_set():
        raise JobError(
            f"Inspecting {what} took more than {TIMEOUT:.0f} seconds.",
            remedy="Give fewer checkpoints with --checkpoints.",
        )
    if process.returncode != 0 or not last.strip():
        message = (said or [f"exit status {process.returncode}"])[-1]
        raise JobError(f"Looking into {what} failed: {message}")
    return _answer(json.loads(last))


def _answer(answer: Mapping[str, Any]) -> dict[str, Any]:
    if "error" in answer:
        raised = answer["error"]
        raise by_name(raised["class"])(
            raised["message"],
            remedy=raised["remedy"],
            problems=[Problem(**problem) for problem in raised["problems"]],
        )
    found: dict[str, Any] = answer["found"]
    return found
