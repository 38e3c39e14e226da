"""Checkpoints, and a model that is borrowed: measured with other weights and given back bit for bit."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from tracin_viz.errors import EngineError, InputError

Weights = Path | str | Mapping[str, Tensor]


@dataclass(frozen=True)
class Checkpoint:
    """Weights with the learning rate that weighs them.

    Attributes:
        weights: A safetensors file, or a state dict.
        learning_rate: Mean learning rate used since the previous checkpoint (DESIGN §2), or
            ``{regular expression on parameter names: rate}``, first match wins; or one rate per parameter
            group of ``optimizer``, in their order.
        step: Optimizer steps taken.
        optimizer: ``state_dict()`` of the torch optimizer at that step; shown, and what preconditions.
    """

    weights: Weights
    learning_rate: float | Mapping[str, float] | Sequence[float]
    step: int = 0
    optimizer: Mapping[str, Any] | None = None

    def rate(self, parameter: str) -> float:
        """The learning rate of one parameter.

        Raises:
            InputError: No expression matches the name.
        """
        if isinstance(self.learning_rate, Sequence):
            raise InputError(f"The learning rates of checkpoint {self.step} are those of parameter groups.")
        if not isinstance(self.learning_rate, Mapping):
            return float(self.learning_rate)
        for pattern, rate in self.learning_rate.items():
            if re.search(pattern, parameter):
                return float(rate)
        raise InputError(
            f"No learning rate of checkpoint {self.step} matches the parameter '{parameter}'.",
            remedy=f"Given: {', '.join(self.learning_rate)}. Add one that matches it ('.' matches all).",
        )

    def read(self) -> dict[str, Tensor]:
        """The state dict."""
        if isinstance(self.weights, Mapping):
            return dict(self.weights)
        path = Path(self.weights)
        if path.suffix != ".safetensors":
            raise InputError(
                f"The engine reads safetensors files, not '{path.name}'.",
                remedy="Open other formats with tracin_viz.models, or give a state dict.",
            )
        try:
            state: dict[str, Tensor] = load_file(path)
        except Exception as error:
            raise InputError(f"Cannot read the weights '{path}': {error}") from error
        return state


def load_weights(model: nn.Module, checkpoint: Checkpoint) -> None:
    """Copies a checkpoint into ``model``; all names and shapes must fit.

    Tied parameters may be stored under any one of their names, as safetensors files do.

    Raises:
        InputError: With the names that are missing, unexpected or have another shape.
    """
    state, own = checkpoint.read(), model.state_dict()
    stored = {(own[k].data_ptr(), own[k].shape) for k in state if k in own and own[k].numel()}
    missing = [
        name
        for name, value in own.items()
        if name not in state
        and (value.data_ptr(), value.shape) not in stored
        and not name.endswith("num_batches_tracked")
    ]
    unexpected = [name for name in state if name not in own]
    shapes = [
        f"{name} {tuple(state[name].shape)} instead of {tuple(value.shape)}"
        for name, value in own.items()
        if name in state and state[name].shape != value.shape
    ]
    if missing or unexpected or shapes:
        lists = (("missing", missing), ("unexpected", unexpected), ("other shape", shapes))
        text = "; ".join(f"{word}: {_some(names)}" for word, names in lists if names)
        raise InputError(
            f"The weights of step {checkpoint.step} do not fit the model ({text}).",
            remedy="Give the architecture that was trained; nothing is left out or filled in.",
        )
    with torch.no_grad():
        model.load_state_dict(state, strict=False)


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


@contextmanager
def borrowed(model: nn.Module, device: torch.device, dtype: torch.dtype | None) -> Iterator[None]:
    """Evaluation mode, gradients off, on ``device``; afterwards everything is as it was.

    Restored: parameters and buffers bit for bit, ``requires_grad``, training flags, device and number type,
    the generators of torch, numpy and ``random``.
    """
    flags = [(module, module.training) for module in model.modules()]
    grads = [(parameter, parameter.requires_grad, parameter.grad) for parameter in model.parameters()]
    tensors = [*model.parameters(), *model.buffers()]
    kept = [(tensor, tensor.data, tensor.data.clone()) for tensor in tensors]
    fast = torch.backends.mha.get_fastpath_enabled()
    python, numbers = random.getstate(), np.random.get_state()
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        try:
            torch.backends.mha.set_fastpath_enabled(False)
            for module in model.modules():
                module.training = False
            for parameter in model.parameters():
                parameter.requires_grad_(False)
                parameter.grad = None
            if dtype is not None or any(tensor.device != device for tensor in tensors):
                model.to(device=device, dtype=dtype)
            yield
        finally:
            torch.backends.mha.set_fastpath_enabled(fast)
            random.setstate(python)
            np.random.set_state(numbers)
            _give_back(model, kept)
            for parameter, required, grad in grads:
                parameter.requires_grad_(required)
                parameter.grad = grad
            for module, training in flags:
                module.training = training


def _give_back(model: nn.Module, kept: list[tuple[Tensor, Tensor, Tensor]]) -> None:
    """Puts values and storage back; ``model.to`` makes new buffers, so those are matched by place."""
    now = [*model.parameters(), *model.buffers()]
    if len(now) != len(kept):
        raise EngineError("The model gained or lost parameters while it was measured.")
    places = [
        (module, name, buffer)
        for module in model.modules()
        for name, buffer in module._buffers.items()
        if buffer is not None
    ]
    with torch.no_grad():
        for tensor, current in zip(kept, now, strict=True):
            original, data, value = tensor
            data.copy_(value)
            original.data = data
            for module, name, buffer in places:
                if buffer is current and current is not original:
                    module._buffers[name] = original
