"""Reading checkpoints without running anything that is in the file.

Files are mapped into memory where their layout allows it, so that a checkpoint of gigabytes opens at once
and only what is looked at is read. Nothing is ever written.
"""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from tracin_viz.data.dataset import listed
from tracin_viz.data.problems import shown
from tracin_viz.errors import InputError
from tracin_viz.models.inert import ALLOWED, STAND_INS

#: A view may repeat its storage without end; tensors that claim more than this over their file are refused.
_SPARE_BYTES = 1 << 24


def load_state_dict(path: Path) -> dict[str, torch.Tensor]:
    """The tensors in a ``.safetensors`` file, or in a pickle that holds nothing but tensors.

    Raises:
        InputError: The file is damaged, is no state dict, or would have to run code to be opened. There is
            no second, unsafe attempt.
    """
    value = load_content(path)
    if not is_state_dict(value):
        raise InputError(
            f"'{shown(_name(path))}' is not a state dict (names with tensors).",
            remedy="Save the model's state_dict() itself, best as model.safetensors.",
        )
    return dict(value)


def load_content(path: Path) -> Any:
    """Whatever a file of weights holds: usually a dictionary.

    Raises:
        InputError: The file is damaged, or would have to run code to be opened.
    """
    name = _name(path)
    if path.suffix == ".safetensors":
        return _safetensors(path, name)
    value = _pickled(path, name)
    _check_sizes(value, path, name)
    return value


def is_state_dict(value: object) -> bool:
    """Whether ``value`` is a table of names with tensors, and not an empty one."""
    return (
        isinstance(value, Mapping)
        and bool(value)
        and all(isinstance(key, str) and isinstance(tensor, torch.Tensor) for key, tensor in value.items())
    )


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _safetensors(path: Path, name: str) -> object:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path, device="cpu")
    except (SafetensorError, ValueError, RuntimeError, KeyError, OverflowError) as error:
        raise _damaged(name, error) from error


def _pickled(path: Path, name: str) -> object:
    try:
        _refuse_compressed(path, name)
        with torch.serialization.safe_globals(list(STAND_INS)):
            try:
                return torch.load(path, map_location="cpu", weights_only=True, mmap=True)
            except RuntimeError:  # files of torch < 1.6 cannot be mapped into memory
                return torch.load(path, map_location="cpu", weights_only=True)
    except InputError:
        raise
    except pickle.UnpicklingError as error:
        raise _needs_code(path, name) from error
    except Exception as error:  # hostile bytes make the reader raise nearly anything
        raise _damaged(name, error) from error


def _refuse_compressed(path: Path, name: str) -> None:
    """Refuse what torch.save never writes: a small compressed file could unfold to any size."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
            raise InputError(
                f"'{shown(name)}' is a compressed archive, which torch.save never writes.",
                remedy="Unpack it and give the checkpoint that is inside.",
            )


def _check_sizes(value: object, path: Path, name: str) -> None:
    limit = 4 * path.stat().st_size + _SPARE_BYTES
    waiting, seen = [value], 0
    while waiting and seen < 1_000_000:
        entry, seen = waiting.pop(), seen + 1
        if isinstance(entry, torch.Tensor):
            if entry.numel() * entry.element_size() > limit:
                raise InputError(
                    f"'{shown(name)}' claims a tensor of {entry.numel():,} numbers, far more than it holds.",
                    remedy="Copy the file from the training again.",
                )
        elif isinstance(entry, Mapping):
            waiting += entry.values()
        elif isinstance(entry, list | tuple):
            waiting += entry


def _needs_code(path: Path, name: str) -> InputError:
    try:
        named = torch.serialization.get_unsafe_globals_in_checkpoint(path)
        needed = sorted(set(named) - ALLOWED)
    except Exception:  # old or damaged files cannot even be listed; the refusal stands without names
        needed = []
    what = f"to run {listed(needed)}" if needed else "code to be run, or is damaged"
    return InputError(
        f"'{shown(name)}' was not opened: it needs {what}.",
        remedy="In the environment that wrote it, save the model's weights alone as model.safetensors.",
    )


def _damaged(name: str, error: Exception) -> InputError:
    return InputError(
        f"'{shown(name)}' cannot be read ({shown(error) or type(error).__name__}).",
        remedy="Copy the file from the training again.",
    )
