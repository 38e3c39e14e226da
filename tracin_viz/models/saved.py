"""The checkpoints of a run with what each file says about its place in the training."""

from __future__ import annotations

import fnmatch
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tracin_viz.data.dataset import listed
from tracin_viz.data.problems import shown
from tracin_viz.errors import InputError, Problem
from tracin_viz.models.checkpoints import CheckpointFolder
from tracin_viz.models.formats.dictionaries import Held, sorted_out
from tracin_viz.models.formats.shards import WEIGHTS, weights_file
from tracin_viz.models.rate_evidence import Stored
from tracin_viz.models.safe_load import load_content

_SUFFIXES = (".safetensors", ".ckpt", ".pt", ".pth", ".pth.tar", ".bin", ".tar")
_NO_WEIGHTS = re.compile(r"(optimizer|scheduler|rng_state|training_args|scaler).*|.*-\d{5}-of-\d{5}\..*")
#: Where trainers put their files below the folder that people know.
_PLACES = ("", "checkpoints", "models", "lightning_logs/version_*/checkpoints", "*/checkpoints")


@dataclass(frozen=True)
class Saved:
    """One checkpoint.

    Attributes:
        name: Folder or file name, which patterns are held against.
        file: File of the weights, or the list of its parts.
        step: Optimizer steps taken; passes over the data where no file counts steps.
        epoch: Passes over the data finished, where known.
        stored: What it says about learning rates.
        writer: Who wrote it, in plain words.
        averaged_key: The entry of averaged weights (EMA); "" for none.
        moments: What its optimizer keeps per parameter.
    """

    name: str
    file: Path
    step: int
    epoch: float | None
    stored: Stored
    writer: str
    averaged_key: str = ""
    moments: tuple[str, ...] = ()


def from_folders(folders: Sequence[CheckpointFolder], problems: list[Problem]) -> list[Saved]:
    """The checkpoints in ``checkpoint-<step>`` folders, with their ``scheduler.pt`` where it can be read."""
    return [
        Saved(
            name=folder.folder.name,
            file=(weights_file(folder.folder) or folder.folder / WEIGHTS[0]).resolve(),
            step=folder.step,
            epoch=None,
            stored=_stored_beside(folder, problems),
            writer="Hugging Face Trainer",
        )
        for folder in folders
    ]


def _stored_beside(folder: CheckpointFolder, problems: list[Problem]) -> Stored:
    path = folder.folder / "scheduler.pt"
    source = f"{folder.folder.name}/scheduler.pt"
    try:
        state = load_content(path) if path.is_file() else None
    except InputError as error:  # only the rates are in it, and they may stand elsewhere
        problems.append(Problem("schedule not readable", source, error.message, error.remedy))
        state = None
    return Stored(folder.step, source, schedule=state if isinstance(state, dict) else None)


def find_files(path: Path) -> list[Path]:
    """Files of weights in a run folder or the places below it where trainers put them; or the file itself."""
    if path.is_file():
        return [path]
    for place in _PLACES:
        folders = sorted(path.glob(place)) if place else [path]
        for folder in reversed(folders):  # the newest version of a run first
            if folder.is_dir() and (found := [entry for entry in sorted(folder.iterdir()) if _fits(entry)]):
                return found
    return []


def _fits(path: Path) -> bool:
    if not path.name.endswith(_SUFFIXES) or _NO_WEIGHTS.fullmatch(path.name) or not path.is_file():
        return False
    # Tutorials of torch call checkpoints .tar; torch.save writes a zip file under any name.
    return path.suffix != ".tar" or path.name.endswith(".pth.tar") or zipfile.is_zipfile(path)


def from_files(files: Sequence[Path], pattern: str | None, problems: list[Problem]) -> list[Saved]:
    """The checkpoints in single files, by step; of two of the same step the first by name is kept.

    Files that do not fit ``pattern`` are read too, where they can be: they say when the chosen ones began.

    Raises:
        InputError: A chosen file cannot be read, holds no weights, or cannot be put in order.
    """
    wanted = _wanted(pattern)
    held = []
    for path in files:
        try:
            held.append((path, sorted_out(load_content(path), path)))
        except InputError:
            if wanted is None or fnmatch.fnmatchcase(path.name, wanted):
                raise
    steps = _steps([path for path, _ in held], [entry for _, entry in held])
    ordered = sorted(zip(steps, held, strict=True), key=lambda pair: (pair[0], _rank(pair[1][0])))
    found: dict[int, Saved] = {}
    for step, (path, entry) in ordered:
        if step in found:
            message = f"It is of step {step}, like {found[step].name}, and is left out."
            problems.append(Problem("same checkpoint twice", path.name, message, "Nothing needs to be done."))
        else:
            found[step] = _saved(path, entry, step)
    return list(found.values())


def _saved(path: Path, entry: Held, step: int) -> Saved:
    schedule = dict(entry.schedules[0]) if entry.schedules else None
    return Saved(
        name=path.name,
        file=path.resolve(),
        step=step,
        epoch=entry.epoch,
        stored=Stored(step, path.name, schedule, entry.groups, entry.rate_is, entry.epoch),
        writer=entry.writer,
        averaged_key=entry.averaged_key,
        moments=entry.moments,
    )


def _rank(path: Path) -> tuple[bool, str]:
    """Files with a number in their name before ``last.ckpt`` and ``model_best.pth.tar``."""
    return (_number(path) is None, path.name)


def _number(path: Path) -> int | None:
    found = re.findall(r"\d{1,15}", path.name.partition(".")[0] if "=" not in path.name else path.stem)
    return int(found[-1]) if found else None


def _steps(files: Sequence[Path], held: Sequence[Held]) -> list[int]:
    """The place of each file in the training, in the same unit for all."""
    steps = [entry.step for entry in held]
    if all(step is not None and step > 0 for step in steps):
        return [int(step or 0) for step in steps]
    epochs = [entry.epoch for entry in held]
    if all(epoch is not None and epoch >= 0 for epoch in epochs):
        first = 1 if min(int(epoch or 0) for epoch in epochs) == 0 else 0
        return [int(epoch or 0) + first for epoch in epochs]
    numbers = [_number(path) for path in files]
    if all(number is not None for number in numbers):
        first = 1 if 0 in numbers else 0
        return [int(number or 0) + first for number in numbers]
    if len(files) == 1:
        return [1]
    unnumbered = [path.name for path, number in zip(files, numbers, strict=True) if number is None]
    raise InputError(
        f"The checkpoints cannot be put in order: neither {listed(unnumbered, limit=4)} nor its name says "
        "after which step it was saved.",
        remedy="Put the step into the file names, such as model_100.pt and model_200.pt, or choose some with "
        "--checkpoints.",
    )


def choose(found: Sequence[Saved], pattern: str | None) -> list[Saved]:
    """The checkpoints whose names fit ``pattern`` (``*`` and ``?`` stand for any signs).

    Raises:
        InputError: None fits, or one has no weights.
    """
    wanted = _wanted(pattern)
    chosen = [entry for entry in found if wanted is None or fnmatch.fnmatchcase(entry.name, wanted)]
    if not chosen:
        raise InputError(
            f"No checkpoint fits '{shown(pattern)}'.",
            remedy=f"There are {listed([entry.name for entry in found])}.",
        )
    for entry in chosen:
        if not entry.file.is_file():
            CheckpointFolder(entry.step, entry.file.parent).weights()  # says what is missing
    return chosen


def _wanted(pattern: str | None) -> str | None:
    return None if pattern is None else pattern.rstrip("/").rpartition("/")[2]
