"""Registered audits: a folder each, whole or not there.

An audit is written into a hidden folder and renamed, so a name under ``audits/`` always has a readable
``audit.json``. Nothing in it changes afterwards; decisions and jobs live in the database.
"""

from __future__ import annotations

import csv
import json
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from tracin_viz.config import CheckpointInfo, Home
from tracin_viz.data.dataset import Dataset, open_dataset
from tracin_viz.data.mapping import DataMapping
from tracin_viz.errors import InputError, NotFoundError, StoreError
from tracin_viz.fingerprint import fingerprint
from tracin_viz.portable import rename_durably, sync_file

FORMAT = 1
RECORD = "audit.json"
TRUTH = "truth.csv"


@dataclass(frozen=True)
class AuditRecord:
    """What an audit is: data, model and what was found in them when it was created.

    Attributes:
        name: Name of the audit, also of its folder.
        task: ``"image"`` or ``"text"``.
        data: Path of the data set, read only.
        model: Path of the run folder, read only.
        classes: Class names by output index of the model.
        splits: Number of examples per split, ``train`` first.
        checkpoints: All usable checkpoints by rising step.
        checkpoint_glob: The pattern given when it was created, if any.
        learning_rates: The rates given when it was created, if any.
        mapping: How files become examples, as ``data.DataMapping.as_dict`` has it; ``None`` = guessed.
        architecture: Path of the user's file that builds the network, where one is needed.
        trust_code: Whether that file (or an exported program) may be run.
        options: Choices about the model that its files do not make: preprocessing, EMA weights, prefix.
        unused: Steps of the checkpoints that are switched off.
        problems: Things found that do not stop the audit, as dictionaries of ``errors.Problem``.
        notes: Facts for display: title, origin, licence, test accuracy, …
        created: Seconds since the epoch.
    """

    name: str
    task: str
    data: str
    model: str
    classes: tuple[str, ...]
    splits: dict[str, int]
    checkpoints: tuple[CheckpointInfo, ...]
    created: float
    checkpoint_glob: str | None = None
    learning_rates: tuple[float, ...] | None = None
    mapping: dict[str, Any] | None = None
    architecture: str | None = None
    trust_code: bool = False
    options: dict[str, Any] = field(default_factory=dict)
    unused: tuple[int, ...] = ()
    problems: tuple[dict[str, str], ...] = ()
    notes: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as ``audit.json`` holds them."""
        return {
            "format": FORMAT,
            "name": self.name,
            "task": self.task,
            "data": self.data,
            "model": self.model,
            "classes": list(self.classes),
            "splits": dict(self.splits),
            "checkpoints": [checkpoint.as_dict() for checkpoint in self.checkpoints],
            "created": self.created,
            "checkpoint_glob": self.checkpoint_glob,
            "learning_rates": None if self.learning_rates is None else list(self.learning_rates),
            "mapping": self.mapping,
            "architecture": self.architecture,
            "trust_code": self.trust_code,
            "options": dict(self.options),
            "unused": list(self.unused),
            "problems": list(self.problems),
            "notes": dict(self.notes),
        }

    @property
    def target(self) -> str:
        """What a label is: ``"class"``, ``"multi-label"`` or ``"number"``."""
        return str((self.mapping or {}).get("target") or "class")

    def choices(self) -> dict[str, Any]:
        """The arguments with which ``models.bundle.open_run_folder`` opens the audit's model."""
        return {
            "checkpoints": self.checkpoint_glob,
            "learning_rates": self.learning_rates,
            "architecture": None if self.architecture is None else Path(self.architecture),
            "trust_code": self.trust_code,
            "options": dict(self.options),
        }

    def version(self) -> str:
        """Changes whenever anything of the record does, such as a learning rate."""
        return self._version

    @cached_property
    def _version(self) -> str:
        return fingerprint(self.as_dict())

    def with_notes(self, notes: Mapping[str, Any], *, created: float) -> AuditRecord:
        """The same record with more facts for display and the time of its creation."""
        return replace(self, notes={**self.notes, **notes}, created=created)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> AuditRecord:
        """The record in ``values``.

        Raises:
            StoreError: It was written by a version with another format.
        """
        if values.get("format") != FORMAT:
            raise StoreError(
                f"This audit has format {values.get('format')}; this version reads format {FORMAT}.",
                remedy="Create the audit again.",
            )
        rates = values["learning_rates"]
        return cls(
            name=values["name"],
            task=values["task"],
            data=values["data"],
            model=values["model"],
            classes=tuple(values["classes"]),
            splits=dict(values["splits"]),
            checkpoints=tuple(CheckpointInfo.from_dict(entry) for entry in values["checkpoints"]),
            created=values["created"],
            checkpoint_glob=values["checkpoint_glob"],
            learning_rates=None if rates is None else tuple(rates),
            mapping=values.get("mapping"),  # the next five are missing in older files of this format
            architecture=values.get("architecture"),
            trust_code=bool(values.get("trust_code", False)),
            options=dict(values.get("options") or {}),
            unused=tuple(values.get("unused") or ()),
            problems=tuple(values["problems"]),
            notes=dict(values["notes"]),
        )


def register(home: Home, record: AuditRecord, *, truth: Path | None = None) -> None:
    """Make ``record`` an audit of this workspace; afterwards it is there whole, or nothing is.

    Args:
        home: The workspace.
        record: What to register.
        truth: CSV ``id,true_label`` of examples whose given label is known to be wrong (demo audits).

    Raises:
        InputError: The name is taken.
    """
    folder = home.audit_folder(record.name)
    home.audits.mkdir(parents=True, exist_ok=True)
    part = home.audits / f".{record.name}.{uuid.uuid4().hex[:8]}.part"
    part.mkdir()
    try:
        (part / RECORD).write_text(json.dumps(record.as_dict(), indent=2, sort_keys=True))
        sync_file(part / RECORD)
        if truth is not None:
            shutil.copyfile(truth, part / TRUTH)
            sync_file(part / TRUTH)
        # Renaming a folder onto an existing one fails (it is not empty), so two creators cannot both win.
        try:
            rename_durably(part, folder)
        except OSError as error:
            raise InputError(
                f"An audit named '{record.name}' exists already.", remedy="Choose another name."
            ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def replace_record(home: Home, record: AuditRecord) -> None:
    """Write the changed record of an audit that exists, durably and in one step.

    Raises:
        NotFoundError: There is no audit of that name.
    """
    if not is_registered(home, record.name):
        read(home, record.name)  # raises, listing the audits that exist
    path = home.audit_folder(record.name) / RECORD
    part = path.with_suffix(f".{uuid.uuid4().hex[:8]}.part")
    part.write_text(json.dumps(record.as_dict(), indent=2, sort_keys=True))
    sync_file(part)
    rename_durably(part, path)


def is_registered(home: Home, name: str) -> bool:
    """Whether an audit of that name exists."""
    return (home.audit_folder(name) / RECORD).is_file()


def names(home: Home) -> list[str]:
    """Names of all audits, the newest first."""
    if not home.audits.is_dir():
        return []
    found = [folder.name for folder in home.audits.iterdir() if (folder / RECORD).is_file()]
    return sorted(
        (name for name in found if not name.startswith(".")), key=lambda name: (-_created(home, name), name)
    )


def read(home: Home, name: str) -> AuditRecord:
    """The record of audit ``name``.

    Raises:
        NotFoundError: There is none; the message lists those that exist.
        StoreError: Its file is damaged.
    """
    path = home.audit_folder(name) / RECORD
    if not path.is_file():
        known = ", ".join(names(home)) or "none yet"
        raise NotFoundError(
            f"There is no audit named '{name}' in {home.root}.", remedy=f"Audits here: {known}."
        )
    try:
        return AuditRecord.from_dict(json.loads(path.read_text()))
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"The file {path} of audit '{name}' is damaged ({error}).", remedy="Create the audit again."
        ) from error


def open_registered(record: AuditRecord) -> Dataset:
    """The data of an audit, labels in its class order.

    Where its creation found no problem, every image was readable: they are not all decoded again.
    """
    dataset = open_dataset(
        Path(record.data),
        task=record.task,
        mapping=None if record.mapping is None else DataMapping.from_dict(record.mapping),
        verify=bool(record.problems),
    )
    return dataset.reordered(record.classes)


def truth_file(home: Home, name: str) -> Path | None:
    """The audit's CSV of known wrong labels, where there is one."""
    path = home.audit_folder(name) / TRUTH
    return path if path.is_file() else None


def read_truth(path: Path) -> dict[int, str]:
    """True class by row of the training split, for labels known to be wrong, from such a CSV."""
    with path.open(newline="", encoding="utf-8") as stream:
        pairs = [(row["id"].rpartition(":"), row["true_label"]) for row in csv.DictReader(stream)]
    return {int(row): label for (split, _, row), label in pairs if split == "train"}


def _created(home: Home, name: str) -> float:
    try:
        return read(home, name).created
    except StoreError:
        return 0.0
