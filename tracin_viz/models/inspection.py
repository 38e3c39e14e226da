"""Looking at a run folder before it is used: everything is built and loaded once, for real."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from tracin_viz.config import CheckpointInfo
from tracin_viz.data.problems import shown
from tracin_viz.errors import InputError, Problem
from tracin_viz.models.interface import ModelBundle
from tracin_viz.models.run_bundle import RunBundle
from tracin_viz.models.trial import check_outputs, trial_content


def inspect_bundle(bundle: ModelBundle) -> dict[str, Any]:
    """What a run holds, after building the network and loading every checkpoint into it.

    Returns:
        JSON-able: ``task``, ``target``, ``classes``, ``architecture``, ``parameters`` (numbers in the
        network), ``trainable`` (those with gradients), ``format`` and ``reason`` (why it is opened this way),
        ``checkpoints`` (the fields of ``CheckpointInfo``), ``files`` (for each of them ``file`` with its
        folder, and ``size`` in bytes), ``weights`` (what can be chosen: ``ema`` and ``name``), ``prefix``
        (taken off the names of weights; "" for none), ``optimizer`` (``name`` and settings, where known) and
        ``problems``.

    Raises:
        InputError: The run cannot be used; the message names the file.
    """
    problems = list(bundle.about.problems)
    files = []
    # Reading compares the file with the network before any of it is made: a wrong size could fill memory.
    bundle.read_weights(bundle.checkpoints[0])
    model = bundle.build()
    for checkpoint in bundle.checkpoints:
        _load(bundle, model, checkpoint=checkpoint, problems=problems)
        file = Path(checkpoint.path)
        files.append({"file": f"{file.parent.name}/{file.name}", "size": file.stat().st_size})
    _try(bundle, model)
    prefix = bundle.stripped_prefix(bundle.checkpoints[-1]) if isinstance(bundle, RunBundle) else ""
    return {
        "task": bundle.task,
        "target": bundle.target,
        "classes": list(bundle.classes),
        "architecture": bundle.architecture(),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "trainable": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "format": bundle.about.format,
        "reason": _reason(bundle, prefix),
        "checkpoints": [checkpoint.as_dict() for checkpoint in bundle.checkpoints],
        "files": files,
        "weights": _alternatives(bundle),
        "prefix": prefix,
        "optimizer": dict(bundle.about.optimizer),
        "problems": [problem.as_dict() for problem in problems],
    }


def _reason(bundle: ModelBundle, prefix: str) -> str:
    said = bundle.about.reason
    if prefix:
        said += f" '{shown(prefix, limit=60)}' is taken off the names of the weights."
    if bundle.about.averaged:
        said += f" Averaged weights (EMA) are there too, in {bundle.about.averaged}."
    return said


def _alternatives(bundle: ModelBundle) -> list[dict[str, Any]]:
    """The weights that the newest checkpoint holds: the ordinary ones, and averaged ones if there are."""
    found: list[dict[str, Any]] = [{"ema": False, "name": "as trained"}]
    if bundle.about.averaged:
        found.append({"ema": True, "name": f"averaged while training (EMA), entry {bundle.about.averaged}"})
    return found


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
    content = trial_content(bundle.task, model)
    if content is None:
        return
    wanted = len(bundle.classes) if bundle.target != "number" else None
    for count in (1, 2):
        inputs = bundle.collate([content] * count)
        described = "preprocessor_config.json or the tokenizer"
        outputs = check_outputs(model, inputs, name=bundle.architecture(), described=described)
        shape = tuple(outputs.shape)
        if wanted is not None and shape != (count, wanted):
            raise InputError(
                f"{bundle.architecture()} gives outputs of shape {shape} for {count} examples, not ({count}, "
                f"{wanted}) for its {wanted} classes.",
                remedy="Check id2label in config.json, or CLASSES in the code.",
            )
