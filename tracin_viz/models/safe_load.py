"""Reading weights without running anything that is in the file."""

from __future__ import annotations

import pickle
from pathlib import Path

import torch

from tracin_viz.data.dataset import listed
from tracin_viz.data.problems import shown
from tracin_viz.errors import InputError


def load_state_dict(path: Path) -> dict[str, torch.Tensor]:
    """The tensors in a ``.safetensors`` file, or in a pickle that holds nothing but tensors.

    Raises:
        InputError: The file is damaged, is no state dict, or would have to run code to be opened. There is
            no second, unsafe attempt.
    """
    name = f"{path.parent.name}/{path.name}"
    value = _safetensors(path, name) if path.suffix == ".safetensors" else _pickled(path, name)
    if not isinstance(value, dict) or not all(
        isinstance(key, str) and isinstance(tensor, torch.Tensor) for key, tensor in value.items()
    ):
        raise InputError(
            f"'{shown(name)}' is not a state dict (names with tensors).",
            remedy="Save the model's state_dict() itself, best as model.safetensors.",
        )
    return value


def _safetensors(path: Path, name: str) -> object:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path, device="cpu")
    except (SafetensorError, ValueError, RuntimeError, KeyError) as error:
        raise _damaged(name, error) from error


def _pickled(path: Path, name: str) -> object:
    try:
        try:
            return torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        except RuntimeError:  # files of torch < 1.6 cannot be mapped into memory
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise _needs_code(path, name) from error
    except Exception as error:  # hostile bytes make the reader raise nearly anything
        raise _damaged(name, error) from error


def _needs_code(path: Path, name: str) -> InputError:
    try:
        needed = sorted(torch.serialization.get_unsafe_globals_in_checkpoint(path))
    except Exception:  # old or damaged files cannot even be listed; the refusal stands without names
        needed = []
    what = f"to run {listed(needed)}" if needed else "code to be run, or is damaged"
    return InputError(
        f"'{shown(name)}' was not opened: it needs {what}.",
        remedy="In the environment that wrote it, save the model's weights alone as model.safetensors.",
    )


def _damaged(name: str, error: Exception) -> InputError:
    return InputError(
        f"'{shown(name)}' cannot be read ({shown(error)}).", remedy="Copy the file from the training again."
    )
