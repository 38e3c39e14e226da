"""Do model, weights, preprocessing and classes fit together? Judged by predictions on a part of the data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tracin_viz.data.classes import match_classes
from tracin_viz.data.dataset import Dataset, open_dataset
from tracin_viz.data.mapping import DataMapping
from tracin_viz.errors import InputError, Problem
from tracin_viz.models.bundle import ModelBundle, open_run_folder
from tracin_viz.models.class_order import class_order
from tracin_viz.models.preprocessing import ImagePreprocessing
from tracin_viz.models.run_bundle import RunBundle
from tracin_viz.models.trial import call, outputs_of

#: Examples looked at, and how many go through the network together.
EXAMPLES = 200
_BATCH = 32
_BETTER = 0.15
OnProgress = Callable[[int, int, str], None]


def validate(
    data: Path, model: Path, *, mapping: Mapping[str, Any] | None, on_progress: OnProgress, **choices: Any
) -> dict[str, Any]:
    """Predict some examples at each checkpoint.

    Args:
        data: The data set.
        model: The run folder.
        mapping: How its files become examples (``DataMapping.as_dict``); ``None`` = as guessed.
        on_progress: Told how many of how many checkpoints are done, and what is being done.
        choices: Arguments of ``open_run_folder``.

    Returns:
        JSON-able: ``examples`` (number looked at), ``checkpoints`` (``step``, ``accuracy``, ``loss``),
        ``class_order`` (see ``models.class_order``) and ``warnings`` (``errors.Problem`` as dictionaries).

    Raises:
        InputError: Data or model cannot be used, or do not fit together.
    """
    on_progress(0, 1, "Opening the data and the model")
    dataset = _opened(data, mapping)
    bundle = open_run_folder(model, **choices)
    if dataset.task != bundle.task:
        raise InputError(
            f"The data are of the kind {dataset.task}, but the model takes {bundle.task}.",
            remedy="Give data and model of the same kind.",
        )
    if bundle.target != "class":
        return {"examples": 0, "checkpoints": [], "class_order": None, "warnings": []}
    classes = match_classes(bundle.classes, dataset.classes)
    dataset = dataset.reordered(classes)
    rows = _chosen(dataset)
    contents = [dataset.load(split, row) for split, row in rows]
    labels = np.array([dataset.splits[split].labels[row] for split, row in rows], dtype=np.int64)
    network, results, predicted = bundle.build(), [], np.zeros(0, dtype=np.int64)
    for done, checkpoint in enumerate(bundle.checkpoints):
        on_progress(
            done, len(bundle.checkpoints), f"Predicting {len(rows)} examples at step {checkpoint.step}"
        )
        network.load_state_dict(bundle.read_weights(checkpoint), strict=True)
        outputs = _outputs(bundle, network, contents)  # (n, classes)
        predicted = outputs.argmax(1).numpy()
        loss = torch.nn.functional.cross_entropy(outputs, torch.from_numpy(labels))
        accuracy = float((predicted == labels).mean())
        results.append({"step": checkpoint.step, "accuracy": accuracy, "loss": float(loss)})
    order = class_order(predicted, labels, classes)
    warnings = _warnings(results, order, labels)
    if order["verdict"] != "another order" and results[-1]["accuracy"] < 1 - _BETTER:
        warnings += _other_preprocessing(bundle, network, contents, labels, results[-1]["accuracy"])
    on_progress(len(results), len(results), "Done")
    shown = [problem.as_dict() for problem in warnings]
    return {"examples": len(rows), "checkpoints": results, "class_order": order, "warnings": shown}


def _opened(data: Path, mapping: Mapping[str, Any] | None) -> Dataset:
    return open_dataset(
        data, mapping=None if mapping is None else DataMapping.from_dict(dict(mapping)), verify=False
    )


def _chosen(dataset: Dataset) -> list[tuple[str, int]]:
    """Labelled rows spread over the splits, half of them from the training data where there are others."""
    others = [name for name in dataset.splits if name != "train"]
    shares = {"train": EXAMPLES // 2 if others else EXAMPLES}
    shares |= {name: EXAMPLES // 2 // len(others) for name in others}
    found: list[tuple[str, int]] = []
    for name, share in shares.items():
        labelled = np.flatnonzero(dataset.splits[name].labels >= 0)
        places = np.unique(np.linspace(0, len(labelled) - 1, min(share, len(labelled))).round().astype(int))
        found += [(name, int(labelled[place])) for place in places]
    if not found:
        raise InputError("No example of the data has a label.", remedy="Give labelled data.")
    return found


def _outputs(bundle: ModelBundle, network: torch.nn.Module, contents: Sequence[Any]) -> torch.Tensor:
    pieces = []
    with torch.no_grad():
        for first in range(0, len(contents), _BATCH):
            inputs = bundle.collate(contents[first : first + _BATCH])
            pieces.append(outputs_of(call(network, inputs)).float())
    return torch.cat(pieces)


def _warnings(
    results: Sequence[Mapping[str, Any]], order: Mapping[str, Any], labels: np.ndarray
) -> list[Problem]:
    found: list[Problem] = []
    accuracy, count = float(results[-1]["accuracy"]), len(labels)
    if order["verdict"] == "another order":
        few = ", ".join(f"'{given}' is '{meant}'" for given, meant in order["moved"][:4])
        found.append(
            Problem(
                "class order",
                "classes",
                f"The outputs seem to stand for other classes: {accuracy:.0%} of {count} predictions are "
                f"right as named, {order['best_accuracy']:.0%} with another order ({few}).",
                "Give the classes in the order of the outputs, or correct id2label in config.json.",
            )
        )
        return found
    share = float(np.bincount(labels).max() / count)
    if accuracy <= share + 2 * np.sqrt(share * (1 - share) / count):
        found.append(
            Problem(
                "accuracy near chance",
                f"step {results[-1]['step']}",
                f"{accuracy:.0%} of {count} predictions are right; always naming the most frequent class "
                f"gives {share:.0%}.",
                "Check that weights, preprocessing (size, mean, std, colours) and classes belong together.",
            )
        )
    best = max(results, key=lambda entry: float(entry["accuracy"]))
    if float(best["accuracy"]) > accuracy + _BETTER:
        found.append(
            Problem(
                "later checkpoint worse",
                f"step {results[-1]['step']}",
                f"It is right for {accuracy:.0%}, step {best['step']} was for {best['accuracy']:.0%}.",
                "Check that all checkpoints are of one training; leave those out that are not.",
            )
        )
    return found


def _other_preprocessing(
    bundle: ModelBundle,
    network: torch.nn.Module,
    contents: Sequence[Any],
    labels: np.ndarray,
    accuracy: float,
) -> list[Problem]:
    """Whether another common preprocessing of images makes the last checkpoint much better."""
    if not isinstance(bundle, RunBundle) or not isinstance(bundle.preparation, ImagePreprocessing):
        return []
    given, best, said = bundle.preparation, accuracy + _BETTER, ""
    for name, changed in _variants(given).items():
        outputs = _outputs(replace(bundle, preparation=changed), network, contents)
        found = float((outputs.argmax(1).numpy() == labels).mean())
        if found >= best:
            best, said = found, name
    if not said:
        return []
    return [
        Problem(
            "preprocessing",
            "images",
            f"With {said} {best:.0%} of {len(labels)} predictions are right, not {accuracy:.0%}.",
            "Set the preprocessing of the training in the form or in preprocessor_config.json.",
        )
    ]


def _variants(given: ImagePreprocessing) -> dict[str, ImagePreprocessing]:
    count = given.channels
    imagenet = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    numbers = {
        "mean 0 and std 1": ((0.0,) * count, (1.0,) * count),
        "mean 0.5 and std 0.5": ((0.5,) * count, (0.5,) * count),
    }
    if count == 3:
        numbers["the mean and std of ImageNet"] = imagenet
    found = {name: replace(given, mean=mean, std=std) for name, (mean, std) in numbers.items()}
    found["values from 0 to 255"] = replace(given, factor=1.0, mean=(0.0,) * count, std=(1.0,) * count)
    if count == 3:
        found["red and blue swapped"] = replace(given, reverse=not given.reverse)
    return found
