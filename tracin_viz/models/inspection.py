"""Looking at a run folder before it is used: everything is built and loaded once, for real."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from PIL import Image

from tracin_viz.config import CheckpointInfo
from tracin_viz.data.dataset import Content
from tracin_viz.errors import InputError, Problem
from tracin_viz.models.interface import ModelBundle


def inspect_bundle(bundle: ModelBundle) -> dict[str, Any]:
    """What a run holds, after building the network and loading every checkpoint into it.

    Returns:
        JSON-able: ``task``, ``classes``, ``architecture``, ``parameters`` (numbers in the network),
        ``checkpoints`` (the fields of ``CheckpointInfo``), ``files`` (for each of them ``file``, relative
        to the run folder, and ``size`` in bytes) and ``problems``.

    Raises:
        InputError: The run cannot be used; the message names the file.
    """
    problems: list[Problem] = []
    files = []
    # Reading compares the file with the network before any of it is made: a wrong size could fill memory.
    bundle.read_weights(bundle.checkpoints[0])
    model = bundle.build()
    for checkpoint in bundle.checkpoints:
        _load(bundle, model, checkpoint=checkpoint, problems=problems)
        file = Path(checkpoint.path)
        files.append({"file": f"{file.parent.name}/{file.name}", "size": file.stat().st_size})
    _try(bundle, model)
    return {
        "task": bundle.task,
        "classes": list(bundle.classes),
        "architecture": bundle.architecture(),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "checkpoints": [checkpoint.as_dict() for checkpoint in bundle.checkpoints],
        "files": files,
        "problems": [problem.as_dict() for problem in problems],
    }


def _load(
    bundle: ModelBundle, model: torch.nn.Module, *, checkpoint: CheckpointInfo, problems: list[Problem]
) -> None:
    weights = bundle.read_weights(checkpoint)
    model.load_state_dict(weights, strict=True)
    broken = [name for name, tensor in weights.items() if not bool(torch.isfinite(tensor).all())]
    if broken:
        problems.append(
            Problem(
                "weights not finite",
                f"checkpoint-{checkpoint.step}",
                f"{len(broken)} tensors hold values that are no numbers, {broken[0]} for one.",
                "The training had diverged by then: leave this checkpoint out with --checkpoints.",
            )
        )


def _try(bundle: ModelBundle, model: torch.nn.Module) -> None:
    """One forward pass of a blank example: preprocessing and network must fit together."""
    blank: Content = Image.new("RGB", (32, 32)) if bundle.task == "image" else "a"
    inputs = bundle.collate([blank])
    try:
        with torch.no_grad():
            shape = tuple(model(**inputs).logits.shape)
    except Exception as error:  # a network that gets the wrong input fails anywhere inside
        sizes = ", ".join(f"{name} {tuple(tensor.shape)}" for name, tensor in inputs.items())
        raise InputError(
            f"{bundle.architecture()} cannot take what its preprocessing makes ({sizes}): "
            f"{' '.join(str(error).split())[:160]}.",
            remedy="Check preprocessor_config.json or the tokenizer against those of the training.",
        ) from error
    if shape != (1, len(bundle.classes)):
        raise InputError(
            f"{bundle.architecture()} gives outputs of shape {shape} for one example, not (1, "
            f"{len(bundle.classes)}) for its {len(bundle.classes)} classes.",
            remedy="Check id2label in config.json.",
        )
