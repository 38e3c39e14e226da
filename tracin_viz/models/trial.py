"""Running a network once, on an example that says nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image

from tracin_viz.engine.losses import outputs_tensor
from tracin_viz.errors import InputError
from tracin_viz.models.interface import Inputs


def trial_content(task: str, model: torch.nn.Module) -> Any:
    """A blank picture, a short text or a row of zeros; ``None`` where its width is not known."""
    if task == "image":
        return Image.new("RGB", (32, 32))
    if task == "text":
        return "a"
    first = next((module for module in model.modules() if isinstance(module, torch.nn.Linear)), None)
    return None if first is None else np.zeros(first.in_features, dtype=np.float32)


def call(model: torch.nn.Module, inputs: Any) -> Any:
    """The outputs for inputs as the engine passes them: tensors by name, or one tensor."""
    if isinstance(inputs, np.ndarray):
        inputs = torch.from_numpy(inputs)
    return model(**inputs) if isinstance(inputs, dict) else model(inputs)


def outputs_of(given: Any) -> torch.Tensor:
    """The tensor of outputs in what a network returned: logits, or predicted numbers."""
    return outputs_tensor(given)


def sizes(inputs: Inputs) -> str:
    """The shapes of inputs, for messages."""
    if isinstance(inputs, torch.Tensor):
        return str(tuple(inputs.shape))
    return ", ".join(f"{name} {tuple(tensor.shape)}" for name, tensor in inputs.items())


def check_outputs(model: torch.nn.Module, inputs: Inputs, *, name: str, described: str) -> torch.Tensor:
    """The outputs for a trial example.

    Raises:
        InputError: The network cannot take what its preprocessing makes.
    """
    try:
        with torch.no_grad():
            return outputs_of(call(model, inputs))
    except Exception as error:  # a network that gets the wrong input fails anywhere inside
        raise InputError(
            f"{name} cannot take what its preprocessing makes ({sizes(inputs)}): "
            f"{' '.join(str(error).split())[:160]}.",
            remedy=f"Check {described} against the training.",
        ) from error
