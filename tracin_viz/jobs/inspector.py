"""Ask a short-lived process what is in a run folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tracin_viz.jobs.looking import look

#: How a run folder is looked into: ``inspector(path, checkpoints=…, learning_rates=…)``.
Inspector = Callable[..., dict[str, Any]]


def inspect(path: Path, *, architecture: Path | None = None, **choices: Any) -> dict[str, Any]:
    """What the run folder at ``path`` holds: task, classes, checkpoints, architecture.

    The arguments are those of ``models.bundle.open_run_folder``.

    Raises:
        InputError: The folder cannot be used; the message says why.
        JobError: The process itself failed.
    """
    code = None if architecture is None else str(architecture)
    return look("model", {"path": str(path), "architecture": code, **choices})
