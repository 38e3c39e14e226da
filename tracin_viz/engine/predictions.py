"""What a model says about an example, beside its label: one class, several classes at once, or a number.

    reading        margin                            other, other_probability
    class          logit of the label − largest      most probable class that is not the label
                   other logit
    multi-label    smallest logit in favour of a     the class whose label is least supported, and how
                   label as it is set                probable it is that it is the other way round
    number         minus the distance from the       –
                   target, in the target's unit

A small margin speaks against the label in each reading; its mean over the checkpoints is the AUM of Pleiss et
al. (2020), which is defined for one class and carried over to the others here.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from tracin_viz.engine.losses import PerExample, binary_cross_entropy, mean_squared_error
from tracin_viz.engine.precision import accumulating, double

_FLOATS = ("probability", "margin", "label_probability", "other_probability", "value")


def reading_of(objective: PerExample) -> str:
    """How outputs are read under this loss: "class", "multi-label" or "number"."""
    if objective is binary_cross_entropy:
        return "multi-label"
    return "number" if objective is mean_squared_error else "class"


def predictions(outputs: Tensor, targets: object, reading: str = "class") -> dict[str, np.ndarray]:
    """Predictions, probabilities and margin of each of the n examples.

    Args:
        outputs: Logits (n, C), or predicted numbers (n,) or (n, 1).
        targets: Classes (n,) int64, −1 = none; labels (n, C) of 0 and 1; or numbers (n,).
        reading: "class", "multi-label" or "number".

    Returns:
        Columns of ``Measurements``; NaN and −1 where outputs and targets do not allow the reading.
    """
    if isinstance(targets, Tensor):
        targets = targets.to(accumulating(targets.device))
        if reading == "class" and _are_classes(outputs, targets):
            return _of_classes(double(outputs), targets)
        if reading == "multi-label" and outputs.dim() == 2 and targets.shape == outputs.shape:
            return _of_labels(double(outputs), targets)
        if reading == "number" and outputs.numel() == targets.numel() == len(outputs):
            return _of_numbers(double(outputs).reshape(-1), double(targets).reshape(-1))
    return _columns(len(outputs), {}, {})


def _are_classes(outputs: Tensor, targets: Tensor) -> bool:
    whole = targets.dim() == 1 and not targets.is_floating_point()
    return whole and outputs.dim() == 2 and outputs.shape[1] > 1


def _of_classes(logits: Tensor, targets: Tensor) -> dict[str, np.ndarray]:
    known = targets >= 0
    label = targets.clamp(min=0)[:, None]
    probabilities = logits.softmax(1)
    rest, other = logits.scatter(1, label, -torch.inf).max(1)
    predicted = logits.argmax(1)
    floats = {
        "probability": probabilities.gather(1, predicted[:, None])[:, 0],
        "margin": logits.gather(1, label)[:, 0] - rest,
        "label_probability": probabilities.gather(1, label)[:, 0],
        "other_probability": probabilities.gather(1, other[:, None])[:, 0],
    }
    for name in ("margin", "label_probability", "other_probability"):
        floats[name] = torch.where(known, floats[name], torch.nan)
    return _columns(len(logits), floats, {"predicted": predicted, "other": torch.where(known, other, -1)})


def _of_labels(logits: Tensor, targets: Tensor) -> dict[str, np.ndarray]:
    support = logits * (2 * targets.to(logits.dtype) - 1)  # positive = the model agrees with this label
    margin, other = support.min(1)
    highest, predicted = logits.max(1)
    floats = {
        "probability": highest.sigmoid(),
        "margin": margin,
        "label_probability": support.sigmoid().prod(1),  # of all labels together
        "other_probability": (-margin).sigmoid(),
        "value": double((support < 0).sum(1)),
    }
    return _columns(len(logits), floats, {"predicted": predicted, "other": other})


def _of_numbers(found: Tensor, wanted: Tensor) -> dict[str, np.ndarray]:
    return _columns(len(found), {"margin": -(found - wanted).abs(), "value": found}, {})


def _columns(count: int, floats: dict[str, Tensor], classes: dict[str, Tensor]) -> dict[str, np.ndarray]:
    columns: dict[str, np.ndarray] = {name: np.full(count, np.nan, np.float32) for name in _FLOATS}
    columns |= {name: np.full(count, -1, np.int64) for name in ("predicted", "other")}
    columns |= {name: values.detach().float().cpu().numpy() for name, values in floats.items()}
    columns |= {name: values.detach().cpu().numpy() for name, values in classes.items()}
    return columns
