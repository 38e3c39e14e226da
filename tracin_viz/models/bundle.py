"""The way in to a trained model: open its run folder, or open it and try everything once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tracin_viz.data.problems import shown
from tracin_viz.errors import InputError
from tracin_viz.models.choices import Choices
from tracin_viz.models.inspection import inspect_bundle
from tracin_viz.models.interface import ModelBundle
from tracin_viz.models.run import opened

__all__ = ["ModelBundle", "inspect_run", "open_run_folder"]


def open_run_folder(
    path: Path,
    *,
    checkpoints: str | None = None,
    learning_rates: Sequence[float] | None = None,
    architecture: Path | None = None,
    trust_code: bool = False,
    options: Mapping[str, Any] | None = None,
) -> ModelBundle:
    """Open what a training left behind; no code is executed unless ``trust_code`` says so.

    Args:
        path: Folder with the checkpoints, or a single file of weights.
        checkpoints: Pattern on the names of checkpoint folders or files (``checkpoint-*00``); ``None`` = all.
        learning_rates: One weight per chosen checkpoint, by step; ``None`` = the mean of the rates used
            since the checkpoint before, from the files of the training (DESIGN §2).
        architecture: Where the network is described, if not in ``path``: a ``config.json`` or its folder,
            a Python file with ``build_model()``, or an exported program ``.pt2``.
        trust_code: Whether such a Python file or program may be run. Without it they are refused.
        options: JSON-able choices: ``{"preprocessing": {"size", "mean", "std", "channels": "rgb|bgr|grey"},
            "ema": bool, "prefix": str, "classes": [names], "task": str}``; see ``choices.Choices``.

    Raises:
        InputError: Something is missing, does not fit together or would need code to be run.
    """
    path = Path(path)
    choices = Choices.made(
        checkpoints=checkpoints,
        learning_rates=learning_rates,
        architecture=architecture,
        trust_code=trust_code,
        options=options,
    )
    if not path.exists():
        raise InputError(
            f"The run folder '{shown(path, limit=300)}' does not exist.",
            remedy="Give the folder that the training wrote its checkpoints into.",
        )
    try:
        return opened(path, choices)
    except OSError as error:
        raise InputError(
            f"The run folder '{shown(path, limit=300)}' cannot be read: {shown(error.strerror or error)}.",
            remedy="Check that its files may be read.",
        ) from error


def inspect_run(
    path: Path,
    *,
    checkpoints: str | None = None,
    learning_rates: Sequence[float] | None = None,
    architecture: Path | None = None,
    trust_code: bool = False,
    options: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What a training left behind, after building the network and loading every checkpoint into it.

    Args and errors are those of ``open_run_folder``; the result is that of ``inspection.inspect_bundle``.
    """
    return inspect_bundle(
        open_run_folder(
            path,
            checkpoints=checkpoints,
            learning_rates=learning_rates,
            architecture=architecture,
            trust_code=trust_code,
            options=options,
        )
    )
