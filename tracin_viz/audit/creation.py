"""From two paths to the record of an audit, or to an error that names what does not fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tracin_viz.config import CheckpointInfo, Home
from tracin_viz.data.classes import match_classes
from tracin_viz.data.dataset import open_dataset
from tracin_viz.data.mapping import DataMapping
from tracin_viz.errors import InputError, Problem
from tracin_viz.jobs.inspector import Inspector, inspect
from tracin_viz.store import registry
from tracin_viz.store.registry import AuditRecord

_TARGETS = {"class": "one class each", "number": "numbers", "multi-label": "several classes at once"}
_KINDS = {"image": "images", "text": "texts", "tabular": "rows of numbers"}


@dataclass(frozen=True)
class Sources:
    """What an audit shall be made of, as a person gave it.

    Attributes:
        data: Path of the data set.
        model: Path of the model.
        mapping: How files become examples; ``None`` = guessed.
        task: Kind of data where the caller insists on one.
        checkpoints: Pattern of checkpoint names.
        learning_rates: One per checkpoint, where the files do not say.
        architecture: File that describes or builds the network, if it is not beside the weights.
        trust_code: Whether code in that file may be run.
        options: Choices about the model (``models.bundle.open_run_folder``).
    """

    data: Path
    model: Path
    mapping: DataMapping | None = None
    task: str | None = None
    checkpoints: str | None = None
    learning_rates: Sequence[float] | None = None
    architecture: Path | None = None
    trust_code: bool = False
    options: Mapping[str, Any] | None = None

    def choices(self) -> dict[str, Any]:
        """The arguments with which the model is opened."""
        return {
            "checkpoints": self.checkpoints,
            "learning_rates": None if self.learning_rates is None else list(self.learning_rates),
            "architecture": self.architecture,
            "trust_code": self.trust_code,
            "options": dict(self.options or {}),
        }


def check_name(home: Home, name: str) -> None:
    """Refuse a name that cannot be used or is taken, before anything long is done."""
    home.audit_folder(name)
    if registry.is_registered(home, name):
        raise InputError(f"An audit named '{name}' exists already.", remedy="Choose another name.")


def found_in(name: str, sources: Sources, *, look_into: Inspector = inspect) -> AuditRecord:
    """Open data and model, check that they fit together, and describe them.

    Raises:
        InputError: Something is missing, damaged, or the two do not fit.
    """
    dataset = open_dataset(sources.data.expanduser().resolve(), task=sources.task, mapping=sources.mapping)
    choices = {**sources.choices(), "architecture": _full(sources.architecture)}
    found = look_into(sources.model.expanduser().resolve(), **choices)
    seen = {
        "task": dataset.task,
        "target": dataset.target,
        "classes": dataset.classes,
        "splits": {split: len(rows.labels) for split, rows in dataset.splits.items()},
        "mapping": dataset.mapping.as_dict(),
        "problems": [problem.as_dict() for problem in dataset.problems],
    }
    return record_of(name, sources, seen, found)


def record_of(name: str, sources: Sources, data: Mapping[str, Any], model: Mapping[str, Any]) -> AuditRecord:
    """The record of an audit, from what looks at its data and its model found.

    Args:
        name: Of the audit.
        sources: Where both are, and what was chosen.
        data: The document of ``data.preview``.
        model: The document of ``models.bundle.inspect_run``.

    Raises:
        InputError: Data and model are of different kinds, or have different numbers of classes.
    """
    if model["task"] != data["task"]:
        raise InputError(
            f"The data in {sources.data} are {_KINDS[data['task']]}, but the model in {sources.model} takes "
            f"{_KINDS[model['task']]}.",
            remedy="Give data and model of the same kind.",
        )
    _check_target(data["target"], model.get("target", "class"))
    problems = [Problem(**problem) for problem in (*data["problems"], *model["problems"])]
    classes = _classes(data, model, problems)
    architecture = _full(sources.architecture)
    return AuditRecord(
        name=name,
        task=data["task"],
        data=str(sources.data.expanduser().resolve()),
        model=str(sources.model.expanduser().resolve()),
        classes=tuple(classes),
        splits=dict(data["splits"]),
        checkpoints=tuple(CheckpointInfo.from_dict(entry) for entry in model["checkpoints"]),
        created=0.0,
        checkpoint_glob=sources.checkpoints,
        learning_rates=None if sources.learning_rates is None else tuple(sources.learning_rates),
        mapping={**data["mapping"], **_chosen(sources.mapping)},
        architecture=None if architecture is None else str(architecture),
        trust_code=sources.trust_code,
        options=dict(sources.options or {}),
        problems=tuple(problem.as_dict() for problem in problems),
        notes={name: model[name] for name in ("architecture", "parameters", "optimizer") if name in model},
    )


def _check_target(data: str, model: str) -> None:
    # Code and exported programs that do not say are taken to fit: their loss follows the data.
    if model not in ("class", data):
        raise InputError(
            f"The labels of the data are {_TARGETS[data]}, but the model says that it learned "
            f"{_TARGETS[model]}.",
            remedy=f"Choose the label column and what it is (--mapping label=…, target={model}), or "
            "correct the model's settings (problem_type in config.json, TARGET in its code).",
        )


def _classes(data: Mapping[str, Any], model: Mapping[str, Any], problems: list[Problem]) -> list[str]:
    """Names by output index; none where labels are numbers, which takes a model with one output."""
    if data["target"] != "number":
        return match_classes(model["classes"], data["classes"], problems=problems)
    if len(model["classes"]) > 1:
        raise InputError(
            f"The labels of the data are numbers, but the model has {len(model['classes'])} outputs.",
            remedy="Give a model with one output, or say that the labels are classes "
            "(--mapping target=class).",
        )
    return []


def _chosen(mapping: DataMapping | None) -> dict[str, Any]:
    values = {} if mapping is None else mapping.as_dict()
    return {name: value for name, value in values.items() if value is not None}


def _full(path: Path | None) -> Path | None:
    return None if path is None else path.expanduser().resolve()
