"""What a run wrote down while it trained: rates, losses and epochs, in the file of its trainer."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tracin_viz.models.checkpoints import CheckpointFolder
from tracin_viz.models.json_files import read_json
from tracin_viz.models.learning_rates import LONGEST, Log

_MAX_BYTES = 1 << 26
_TABLES = ("metrics.csv", "summary.csv")
_LOSSES = ("train_loss_epoch", "train_loss", "train/loss", "loss", "train_loss_step")


@dataclass(frozen=True)
class History:
    """A log.

    Attributes:
        entries: Entries with ``step`` and any of ``loss``, ``epoch``, ``learning_rate``.
        log: The rates among them.
        total: Steps of the whole training, where known.
        optimizer: Name and settings of the optimizer, where they are written down.
    """

    entries: Sequence[Mapping[str, Any]] = ()
    log: Log = field(default_factory=lambda: Log({}, ""))
    total: int | None = None
    optimizer: Mapping[str, Any] = field(default_factory=dict)


def trainer_history(folders: Sequence[CheckpointFolder]) -> History:
    """The log of the newest checkpoint that has a ``trainer_state.json``: it holds the run up to there.

    Raises:
        InputError: The file is damaged, or logs what cannot be a learning rate.
    """
    for folder in reversed(folders):
        path = folder.folder / "trainer_state.json"
        if not path.is_file():
            continue
        state = read_json(path)
        logged = state.get("log_history")
        entries = [entry for entry in logged if isinstance(entry, dict)] if isinstance(logged, list) else []
        ours = state.get("tracin_viz")
        source = f"{path.parent.name}/{path.name}"
        total = state.get("max_steps")
        optimizer = ours.get("optimizer") if isinstance(ours, dict) else None
        return History(
            entries,
            Log.read(entries, source=source, means=isinstance(ours, dict)),
            total if isinstance(total, int) and 0 < total <= LONGEST else None,
            optimizer if isinstance(optimizer, dict) else {},
        )
    return History()


def table_history(folder: Path) -> History:
    """The table that Lightning's CSVLogger (``metrics.csv``) or timm (``summary.csv``) left near the files.

    A table that cannot be read is passed over: it adds losses and rates, and nothing depends on it.
    """
    for place in (folder, folder.parent):
        for name in _TABLES:
            path = place / name
            if path.is_file() and path.stat().st_size <= _MAX_BYTES:
                return _from_table(path)
    return History()


def _from_table(path: Path) -> History:
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except (UnicodeDecodeError, csv.Error):
        return History()
    unit = "step" if rows and "step" in rows[0] else "epoch"
    entries = []
    for row in rows:
        at = _number(row.get(unit))
        if at is None:
            continue
        entry: dict[str, Any] = {"step": int(at) + 1}  # both count from 0
        losses = [_number(row.get(name)) for name in _LOSSES]
        entry["loss"] = next((loss for loss in losses if loss is not None), None)
        if unit == "epoch":
            entry["learning_rate"] = _number(row.get("lr"))
        entries.append(entry)
    rates = {entry["step"]: entry["learning_rate"] for entry in entries if entry.get("learning_rate")}
    return History(entries, Log(rates, path.name if rates else ""))


def _number(text: object) -> float | None:
    try:
        value = float(text) if isinstance(text, str) and text else None
    except ValueError:
        return None
    return value if value is not None and value == value and abs(value) != float("inf") else None
