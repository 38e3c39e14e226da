"""From two paths to the record of an audit, or to an error that names what does not fit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tracin_viz.config import CheckpointInfo, Home
from tracin_viz.data.classes import match_classes
from tracin_viz.data.dataset import open_dataset
from tracin_viz.errors import InputError, Problem
from tracin_viz.jobs.inspector import Inspector, inspect
from tracin_viz.store import registry
from tracin_viz.store.registry import AuditRecord


def check_name(home: Home, name: str) -> None:
    """Refuse a name that cannot be used or is taken, before anything long is done."""
    home.audit_folder(name)
    if registry.is_registered(home, name):
        raise InputError(f"An audit named '{name}' exists already.", remedy="Choose another name.")


def found_in(
    name: str,
    *,
    data: Path,
    model: Path,
    pattern: str | None,
    task: str | None,
    learning_rates: Sequence[float] | None,
    look_into: Inspector = inspect,
) -> AuditRecord:
    """Open data and model, check that they fit together, and describe them.

    Raises:
        InputError: Something is missing, damaged, or the two do not fit.
    """
    data, model = data.expanduser().resolve(), model.expanduser().resolve()
    dataset = open_dataset(data, task=task)
    found = look_into(model, checkpoints=pattern, learning_rates=learning_rates)
    if found["task"] != dataset.task:
        raise InputError(
            f"The data in {data} are {dataset.task}s, but the model in {model} takes {found['task']}s.",
            remedy="Give data and model of the same kind.",
        )
    problems = [*dataset.problems, *(Problem(**problem) for problem in found["problems"])]
    classes = match_classes(found["classes"], dataset.classes, problems=problems)
    ordered = dataset.reordered(classes)
    return AuditRecord(
        name=name,
        task=dataset.task,
        data=str(data),
        model=str(model),
        classes=tuple(classes),
        splits={split: len(rows.labels) for split, rows in ordered.splits.items()},
        checkpoints=tuple(CheckpointInfo.from_dict(entry) for entry in found["checkpoints"]),
        created=0.0,
        checkpoint_glob=pattern,
        learning_rates=None if learning_rates is None else tuple(learning_rates),
        problems=tuple(problem.as_dict() for problem in problems),
        notes={"architecture": found["architecture"], "parameters": found["parameters"]},
    )
