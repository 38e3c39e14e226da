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


@runtime_checkable
class SavesItself(Protocol):
    """A network, tokenizer or image processor: whatever the Hugging Face libraries can write to a folder."""

    def save_pretrained(self, save_directory: str) -> Any:
        """Write the files."""


def prepare(folder: Path, beside: Iterable[SavesItself | Path]) -> None:
    """Make the run folder and clear what a crash left half-written.

    Raises:
        InputError: It holds checkpoints, or a file to put beside the weights is missing.
    """
    for extra in beside:
        if isinstance(extra, Path) and not extra.is_file():
            raise InputError(f"There is no file '{extra}'.", remedy="Write it before the training.")
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(folder.glob("checkpoint-*")):
        if not path.name.endswith(_PART):
            raise InputError(
                f"'{folder}' already holds {path.name}, of another training.",
                remedy="Record into a new folder, or remove the old checkpoints.",
            )
        shutil.rmtree(path)


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
    (part / "trainer_state.json").write_text(text, encoding="utf-8")
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
