"""From a path and choices to a model with weighted checkpoints."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from tracin_viz.config import CheckpointInfo
from tracin_viz.errors import InputError, Problem
from tracin_viz.models import learning_rates as rates
from tracin_viz.models.choices import Choices
from tracin_viz.models.formats.code import CodeDesign
from tracin_viz.models.formats.design import Design
from tracin_viz.models.history import History, table_history, trainer_history
from tracin_viz.models.interface import Description, Inputs
from tracin_viz.models.opening import Found, design_of, find, preparation_of
from tracin_viz.models.optimizer_facts import optimizer_of
from tracin_viz.models.rates_used import rates_used
from tracin_viz.models.run_bundle import Preparation, RunBundle
from tracin_viz.models.saved import Saved, choose
from tracin_viz.models.trial import call, outputs_of, trial_content


def opened(path: Path, choices: Choices) -> RunBundle:
    """See ``bundle.open_run_folder``, which is the way in."""
    problems: list[Problem] = []
    found = find(path, choices, problems)
    chosen = choose(found.saved, choices.checkpoints)
    design, reason = design_of(path, found, chosen, choices)
    where = tuple(dict.fromkeys((chosen[-1].file.parent, *found.settings)))
    preparation = preparation_of(design, where, choices)
    history = trainer_history(found.folders) if found.folders else table_history(chosen[-1].file.parent)
    checkpoints = _weighted(found, chosen, history, choices, problems)
    about = Description(
        format=chosen[-1].writer,
        reason=reason,
        averaged=chosen[-1].averaged_key,
        optimizer=history.optimizer or optimizer_of(chosen[-1]),
        problems=tuple(problems),
    )
    return RunBundle(
        task=design.task,
        classes=_classes(design, preparation),
        checkpoints=checkpoints,
        path=path,
        design=design,
        preparation=preparation,
        averaged=choices.ema,
        prefix=choices.prefix,
        target=design.target,
        about=about,
    )


def _weighted(
    found: Found, chosen: Sequence[Saved], history: History, choices: Choices, problems: list[Problem]
) -> tuple[CheckpointInfo, ...]:
    steps = [entry.step for entry in chosen]
    if any("group_learning_rates" in entry for entry in history.entries):
        problems.append(_several("were recorded", "with their mean over all trained numbers"))
    if choices.learning_rates is not None:
        weights = rates.from_user(steps, choices.learning_rates)
    else:
        stored = [entry.stored for entry in found.saved if entry.stored.schedule or entry.stored.groups]
        if not history.log.source and not stored:
            raise InputError(
                "No checkpoint has a trainer_state.json, scheduler.pt or optimizer state, so the learning "
                "rates are not known.",
                remedy=rates.how_to_pass(steps),
            )
        _note_groups(stored[-1].groups if stored else (), problems)
        weights = rates_used(
            [entry.step for entry in found.saved],
            chosen=steps,
            log=history.log,
            stored=stored,
            total=history.total,
        )
    before = {later.step: earlier.step for earlier, later in itertools.pairwise(found.saved)}
    return tuple(
        CheckpointInfo(
            step=entry.step,
            path=str(entry.file),
            learning_rate=weight.value,
            provenance=weight.provenance,
            epoch=entry.epoch if entry.epoch is not None else rates.epoch(history.entries, step=entry.step),
            train_loss=rates.train_loss(history.entries, before=before.get(entry.step, 0), step=entry.step),
        )
        for entry, weight in zip(chosen, weights, strict=True)
    )


def _note_groups(groups: Sequence[Mapping[str, Any]], problems: list[Problem]) -> None:
    values = sorted(
        {float(lr) for group in groups if isinstance(lr := group.get("initial_lr", group.get("lr")), float)}
    )
    if len(values) > 1:
        said = f"({values[0]:g} to {values[-1]:g}) are in the optimizer's state"
        problems.append(_several(said, "with that of the first group"))


def _several(where: str, weighted: str) -> Problem:
    return Problem(
        "several learning rates",
        "optimizer",
        f"Different learning rates of parameter groups {where}; checkpoints are weighted {weighted}.",
        "Give other weights with --learning-rates if one group matters more.",
    )


def _classes(design: Design, preparation: Preparation) -> tuple[str, ...]:
    """Names by output; code that names none gets placeholders, one for each of its outputs."""
    if design.classes or not isinstance(design, CodeDesign) or design.target == "number":
        return design.classes
    model = design.build()
    content = trial_content(design.task, model)
    if content is None:
        raise InputError(
            f"'{design.file.name}' does not name its classes, and they cannot be counted.",
            remedy='Add CLASSES = ["…", "…"], one name per output.',
        )
    inputs: Inputs = preparation.apply([content])
    with torch.no_grad():
        outputs = outputs_of(call(model, inputs))
    return tuple(f"LABEL_{number}" for number in range(int(outputs.shape[-1])))
