"""What callers may pass for a device, a model or candidates, turned into what the engine works with."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from tracin_viz.errors import InputError


def chosen_device(device: str | torch.device) -> torch.device:
    """The device asked for; "auto" takes a GPU where there is one.

    Raises:
        InputError: There is no such device here.
    """
    if device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda", 0)
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        chosen = torch.device(device)
        torch.zeros(1, device=chosen)
    except (RuntimeError, AssertionError) as error:
        raise InputError(
            f"Device '{device}' cannot be used here: {error}", remedy="Use 'auto' or 'cpu'."
        ) from error
    return chosen


def module_of(model: Any) -> nn.Module:
    """The module itself, or the one of an exported program.

    Raises:
        InputError: It is neither.
    """
    if isinstance(model, nn.Module):
        return model
    if hasattr(model, "module") and callable(model.module):  # torch.export.ExportedProgram
        found = model.module()
        if isinstance(found, nn.Module):
            return found
    raise InputError(f"`model` must be a torch module, got {type(model).__name__}.")


def candidate_rows(candidates: Any, count: int, queries: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Rows of the training data to compute, and which of them each query wants (``None`` = all).

    Raises:
        InputError: Rows outside the data, or a number of arrays other than that of the queries.
    """
    if candidates is None:
        return np.arange(count), None
    try:
        wanted = np.asarray(candidates, dtype=np.int64)
    except (TypeError, ValueError) as error:
        raise InputError(
            "`candidates` must be one array of rows, or one array per query, all of the same length."
        ) from error
    if wanted.ndim not in (1, 2) or (wanted.ndim == 2 and len(wanted) != queries):
        raise InputError(f"`candidates` has shape {wanted.shape}; possible: (c,) or ({queries}, c).")
    if wanted.size and (wanted.min() < 0 or wanted.max() >= count):
        raise InputError(f"`candidates` names rows outside 0 … {count - 1}.")
    if wanted.ndim == 1:
        return wanted, None
    rows, place = np.unique(wanted, return_inverse=True)
    return rows, place.reshape(wanted.shape)
