"""Writing one ``checkpoint-<step>`` folder so that it is whole or not there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch

from tracin_viz.errors import InputError
from tracin_viz.portable import rename_durably, sync_file, sync_folder

_PART = ".part"
STATE = "trainer_state.json"


@runtime_checkable
class SavesItself(Protocol):
    """A network, tokenizer or image processor: whatever the Hugging Face libraries can write to a folder."""

    def save_pretrained(self, save_directory: str) -> Any:
        """Write the files."""


def prepare(folder: Path, beside: Iterable[SavesItself | Path], *, resume_from: int | None = None) -> None:
    """Make the run folder and clear what a crash left half-written.

    Checkpoints after ``resume_from`` belong to the way that training is not going again: they are kept as
    ``abandoned-checkpoint-<step>``, which nobody reads.

    Raises:
        InputError: It holds checkpoints and nothing is resumed, ``resume_from`` was not recorded, or a file
            to put beside the weights is missing.
    """
    for extra in beside:
        if isinstance(extra, Path) and not extra.is_file():
            raise InputError(f"There is no file '{extra}'.", remedy="Write it before the training.")
    folder.mkdir(parents=True, exist_ok=True)
    if resume_from is not None and not (folder / f"checkpoint-{resume_from}" / STATE).is_file():
        steps = sorted(
            int(path.name[11:]) for path in folder.glob("checkpoint-*") if path.name[11:].isdigit()
        )
        raise InputError(
            f"'{folder}' holds no recorded checkpoint-{resume_from} to resume from.",
            remedy=f"There are steps {', '.join(map(str, steps)) or 'none'}.",
        )
    for path in sorted(folder.glob("checkpoint-*")):
        if path.name.endswith(_PART):
            shutil.rmtree(path)
        elif resume_from is None:
            raise InputError(
                f"'{folder}' already holds {path.name}, of another training.",
                remedy="Record into a new folder, remove the old checkpoints, or resume with "
                "plan=Plan(resume_from=…).",
            )
        elif path.name[11:].isdigit() and int(path.name[11:]) > resume_from:
            shutil.rmtree(folder / f"abandoned-{path.name}", ignore_errors=True)
            rename_durably(path, folder / f"abandoned-{path.name}")


def write_checkpoint(
    target: Path, model: torch.nn.Module, state: Mapping[str, Any], beside: Sequence[SavesItself | Path]
) -> None:
    """Write the folder ``target`` under another name, put it on the disk, rename it.

    Args:
        target: ``checkpoint-<step>``; must not exist.
        model: Its state dict becomes ``model.safetensors``.
        state: Content of ``trainer_state.json``. Like the Trainer's it may hold ``NaN``.
        beside: Objects that save themselves there, and files to copy.
    """
    part = target.with_name(target.name + _PART)
    part.mkdir()
    for extra in beside:
        if isinstance(extra, Path):
            shutil.copyfile(extra, part / extra.name)
        else:
            extra.save_pretrained(str(part))
    _save_weights(model, part)
    text = json.dumps(state, indent=2, sort_keys=True) + "\n"
    (part / STATE).write_text(text, encoding="utf-8")
    for path in part.rglob("*"):
        if path.is_file():
            sync_file(path)
    sync_folder(part)
    rename_durably(part, target)


def _save_weights(model: torch.nn.Module, folder: Path) -> None:
    """``model.safetensors``, and ``config.json`` where the network has settings to write."""
    if isinstance(model, SavesItself):
        # One file: a reader of single checkpoints has no use for weights in shards.
        model.save_pretrained(str(folder), max_shard_size="100000GB")  # type: ignore[call-arg]
        return
    from safetensors.torch import save_model

    save_model(model, str(folder / "model.safetensors"))  # stores a shared parameter once
