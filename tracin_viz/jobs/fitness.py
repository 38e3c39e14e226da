"""How well a model's outputs fit the labels: a share from 0 to 1 and a mean loss, for every kind of label."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from tracin_viz.data.dataset import Dataset
from tracin_viz.errors import Problem

#: What the share counts.
MEASURES = {"class": "right", "multi-label": "labels right", "number": "variation explained"}


def labelled(dataset: Dataset, split: str) -> npt.NDArray[np.int64]:
    """Rows of a split that have a label."""
    part = dataset.splits[split]
    if dataset.target == "class" or part.targets is None:
        return np.flatnonzero(np.asarray(part.labels) >= 0)
    return np.flatnonzero(~np.isnan(part.targets.reshape(len(part), -1)).any(axis=1))


def wanted(dataset: Dataset, split: str, row: int) -> Any:
    """The label of one example: a class, a number, or a row of 0 and 1."""
    part = dataset.splits[split]
    return part.labels[row] if dataset.target == "class" or part.targets is None else part.targets[row]


def fitness(target: str, outputs: torch.Tensor, labels: npt.NDArray[Any]) -> tuple[float, float]:
    """Share and mean loss of ``outputs`` (n, C) with ``labels``: (n,) classes or numbers, (n, C) of 0 and 1.

    Of numbers the share is the variation that is explained (R²), 0 where always saying the mean is better.
    """
    outputs = outputs.float()
    if target == "class":
        classes = torch.from_numpy(labels.astype(np.int64))
        right = (outputs.argmax(1) == classes).double().mean()
        return float(right), float(functional.cross_entropy(outputs, classes))
    given = torch.from_numpy(labels.astype(np.float32))
    if target == "multi-label":
        loss = functional.binary_cross_entropy_with_logits(outputs, given)
        return float(((outputs > 0) == (given > 0.5)).double().mean()), float(loss)
    errors = (outputs.reshape(len(given)) - given).double().square()
    variation = float((given.double() - given.double().mean()).square().sum())
    explained = 1.0 - float(errors.sum()) / variation if variation else 0.0
    return max(0.0, explained), float(errors.mean())


def no_better_than_guessing(target: str, share: float, labels: npt.NDArray[Any]) -> list[Problem]:
    """A problem where numbers or several labels are not predicted better than without looking at the content.

    Classes have a check of their own, which also tries other orders (``explore.class_order``).
    """
    if target == "number":
        chance, said = 0.0, "It explains the numbers no better than their mean does"
    elif target == "multi-label":
        usual = labels.mean(axis=0)
        chance = float(np.maximum(usual, 1 - usual).mean())
        said = f"It sets {share:.0%} of the labels right; leaving out the rare ones sets {chance:.0%} right"
    else:
        return []
    if share > chance:
        return []
    return [
        Problem(
            "near chance",
            "the last checkpoint",
            f"{said} ({len(labels)} examples).",
            "Check the label column, its scale, the preprocessing, and whose weights these are.",
        )
    ]
