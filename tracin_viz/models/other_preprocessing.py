"""Whether another common preprocessing of images would explain the labels far better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch

from tracin_viz.data.dataset import Content
from tracin_viz.errors import Problem
from tracin_viz.models.interface import ModelBundle
from tracin_viz.models.preprocessing import ImagePreprocessing
from tracin_viz.models.run_bundle import RunBundle
from tracin_viz.models.trial import call, outputs_of

#: How many more of the predictions must be right.
BETTER = 0.15
_BATCH = 50
_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def other_preprocessing(
    bundle: ModelBundle,
    model: torch.nn.Module,
    contents: Sequence[Content],
    labels: npt.NDArray[np.int64],
    *,
    accuracy: float,
) -> list[Problem]:
    """Try the usual means, deviations and colour orders on examples with known labels.

    Args:
        bundle: The model.
        model: Its network with the weights of one checkpoint.
        contents: Pictures, ``n`` of them; other contents are not tried.
        labels: ``(n,)`` classes in the model's order.
        accuracy: Share of right predictions with the preprocessing as it is set.

    Returns:
        One problem that names the best alternative, or none if no alternative is better by ``BETTER``.
    """
    if not isinstance(bundle, RunBundle) or not isinstance(bundle.preparation, ImagePreprocessing):
        return []
    best, said = accuracy + BETTER, ""
    for name, changed in _alternatives(bundle.preparation).items():
        found = _accuracy(replace(bundle, preparation=changed), model, contents, labels)
        if found > best:
            best, said = found, name
    if not said:
        return []
    return [
        Problem(
            "preprocessing",
            "images",
            f"With {said}, {best:.0%} of {len(labels)} predictions are right, instead of {accuracy:.0%}.",
            "Set the preprocessing of the training in the form, or in preprocessor_config.json.",
        )
    ]


def _alternatives(given: ImagePreprocessing) -> dict[str, ImagePreprocessing]:
    count = given.channels
    numbers: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
        "mean 0 and std 1": ((0.0,) * count, (1.0,) * count),
        "mean 0.5 and std 0.5": ((0.5,) * count, (0.5,) * count),
    }
    if count == 3:
        numbers["the mean and std of ImageNet"] = _IMAGENET
    found = {
        name: replace(given, factor=1 / 255, mean=mean, std=std) for name, (mean, std) in numbers.items()
    }
    found["values from 0 to 255"] = replace(given, factor=1.0, mean=(0.0,) * count, std=(1.0,) * count)
    if count == 3:
        found["red and blue exchanged"] = replace(given, reverse=not given.reverse)
    return found


def _accuracy(
    bundle: RunBundle, model: torch.nn.Module, contents: Sequence[Content], labels: npt.NDArray[np.int64]
) -> float:
    right = 0
    with torch.no_grad():
        for first in range(0, len(contents), _BATCH):
            outputs = outputs_of(call(model, bundle.collate(contents[first : first + _BATCH])))
            right += int((outputs.argmax(1).numpy() == labels[first : first + _BATCH]).sum())
    return right / len(labels)
