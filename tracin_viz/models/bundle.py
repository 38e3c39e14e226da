"""The way in to a trained model: open its run folder, or open it and try everything once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tracin_viz.data.problems import shown
from tracin_viz.errors import InputError
from tracin_viz.models.formats.huggingface import open_huggingface
from tracin_viz.models.inspection import inspect_bundle
from tracin_viz.models.interface import ModelBundle

__all__ = ["ModelBundle", "inspect_run", "open_run_folder"]


def open_run_folder(
    path: Path, *, checkpoints: str | None = None, learning_rates: Sequence[float] | None = None
) -> ModelBundle:
    """Open the folder that a training run left behind; no code in it is executed.

    Args:
        path: Folder with ``checkpoint-<step>`` folders.
        checkpoints: Pattern on the names of those folders (``checkpoint-*00``); ``None`` = all.
        learning_rates: One weight per chosen checkpoint, by step; ``None`` = the mean of the rates that
            the run logged since the checkpoint before (DESIGN §2).

    Raises:
        InputError: Something is missing, does not fit together or would need code to be run.
    """
    path = Path(path)
    if not path.is_dir():
        what = "is a file" if path.exists() else "does not exist"
        raise InputError(
            f"The run folder '{shown(path, limit=300)}' {what}.",
            remedy="Give the folder that the training wrote its checkpoint-<step> folders into.",
        )
    try:
        return open_huggingface(path, pattern=checkpoints, learning_rates=learning_rates)
    except OSError as error:
        raise InputError(
            f"The run folder '{shown(path, limit=300)}' cannot be read: {shown(error.strerror or error)}.",
            remedy="Check that its files may be read.",
        ) from error


def inspect_run(
    path: Path, *, checkpoints: str | None = None, learning_rates: Sequence[float] | None = None
) -> dict[str, Any]:
    """What a run folder holds, after building the network and loading every checkpoint into it.

    Args and errors are those of ``open_run_folder``; the result is that of ``inspection.inspect_bundle``.
    """
    return inspect_bundle(open_run_folder(path, checkpoints=checkpoints, learning_rates=learning_rates))
