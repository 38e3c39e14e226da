"""Data and model tried together on a few examples, before anything is computed for hours.

Weights, preprocessing, class order and labels can each be the wrong ones without a single error: only the
predictions tell. So every checkpoint predicts some examples.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from tracin_viz.data.dataset import Content, Dataset
from tracin_viz.data.problems import shown
from tracin_viz.data.thumbnails import thumbnail
from tracin_viz.errors import InputError, Problem
from tracin_viz.explore.class_order import OrderVerdict, check_order
from tracin_viz.jobs.fitness import MEASURES, fitness, labelled, no_better_than_guessing, wanted
from tracin_viz.jobs.looking import PICTURE, data_address
from tracin_viz.models.interface import ModelBundle
from tracin_viz.models.other_preprocessing import other_preprocessing
from tracin_viz.models.trial import call, outputs_of

BATCH = 50
#: Pictures shown as the model sees them.
SEEN = 3


def fit(dataset: Dataset, bundle: ModelBundle, *, examples: int = 200) -> dict[str, Any]:
    """Let every checkpoint predict some examples.

    Args:
        dataset: Labels in the model's class order.
        bundle: The model.
        examples: How many to try.

    Returns:
        JSON-able: the number of ``examples`` tried, ``checkpoints`` with ``{step, accuracy, loss}``,
        ``measure`` (what that accuracy counts, in words: a share from 0 to 1), ``order`` (fields of
        ``OrderVerdict``), ``seen`` (pictures as the model sees them), ``seconds_per_example`` (of a forward
        pass) and ``problems``.
    """
    contents, labels, problems = _read(dataset, _chosen(dataset, examples))
    found: dict[str, Any] = {"examples": len(labels), "checkpoints": [], "order": None}
    found["measure"] = MEASURES[dataset.target]
    found["seen"] = _seen(bundle, contents[:SEEN])
    if len(labels):
        model = bundle.build()
        outputs = torch.zeros(0)
        fastest, share = math.inf, 0.0
        for checkpoint in bundle.checkpoints:
            model.load_state_dict(bundle.read_weights(checkpoint), strict=True)
            began = time.perf_counter()
            outputs = _outputs(bundle, model, contents)
            fastest = min(fastest, time.perf_counter() - began)  # the first pass pays for warming up
            share, loss = fitness(dataset.target, outputs, labels)
            found["checkpoints"].append({"step": checkpoint.step, "accuracy": share, "loss": loss})
        found["seconds_per_example"] = fastest / len(labels)
        problems += no_better_than_guessing(dataset.target, share, labels)
        if dataset.target == "class":
            verdict = check_order(outputs.argmax(dim=1).numpy(), labels, len(dataset.classes))
            found["order"] = {**vars(verdict), "order": list(verdict.order)}
            judged = _judged(verdict, dataset.classes, len(labels))
            if not judged or share < 0.5:
                judged += other_preprocessing(bundle, model, contents, labels, accuracy=share)
            problems += judged
    found["problems"] = [problem.as_dict() for problem in problems]
    return found


def _chosen(dataset: Dataset, examples: int) -> list[tuple[str, int]]:
    """Labelled examples spread evenly: of the query splits, and of the training split where those are few."""
    places: list[tuple[str, int]] = []
    for name in sorted(dataset.splits, key=lambda name: name == "train"):
        rows = labelled(dataset, name)
        count = min(examples - len(places), len(rows))
        if count > 0:
            spread = np.linspace(0, len(rows) - 1, count).astype(int)
            places += [(name, int(row)) for row in rows[np.unique(spread)]]
    return places


def _read(
    dataset: Dataset, places: Sequence[tuple[str, int]]
) -> tuple[list[Content], npt.NDArray[Any], list[Problem]]:
    contents, labels = [], []
    problems: list[Problem] = []
    for split, row in places:
        try:
            contents.append(dataset.load(split, row))
            labels.append(wanted(dataset, split, row))
        except InputError as error:
            problems.append(
                Problem("unreadable example", dataset.place(split, row), error.message, error.remedy)
            )
    return contents, np.array(labels), problems


def _outputs(bundle: ModelBundle, model: torch.nn.Module, contents: Sequence[Content]) -> torch.Tensor:
    """Outputs of the n contents, (n, C)."""
    found = []
    with torch.no_grad():
        for start in range(0, len(contents), BATCH):
            found.append(outputs_of(call(model, bundle.collate(contents[start : start + BATCH]))))
    return torch.cat(found)


def _seen(bundle: ModelBundle, contents: Sequence[Content]) -> list[dict[str, Any]]:
    """What preprocessing makes of a few pictures: stretched to the range of grey values, with its numbers."""
    pictures = [content for content in contents if isinstance(content, Image.Image)]
    if not pictures or bundle.task != "image":
        return []
    seen = []
    for picture in pictures:
        inputs = bundle.collate([picture])
        tensor = inputs if isinstance(inputs, torch.Tensor) else next(iter(inputs.values()))
        values = tensor[0].float().numpy()  # (channels, h, w)
        low, high = float(values.min()), float(values.max())
        stretched: npt.NDArray[np.float64] = 255.0 * (values - low) / max(high - low, 1e-9)
        pixels = stretched.astype(np.uint8).transpose(1, 2, 0)  # (h, w, channels)
        shown = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels[..., :3])
        seen.append(
            {
                "given": data_address(thumbnail(picture, PICTURE)),
                "seen": data_address(thumbnail(shown, PICTURE)),
                "size": [values.shape[2], values.shape[1]],
                "channels": values.shape[0],
                "range": [low, high],
            }
        )
    return seen


def _judged(verdict: OrderVerdict, classes: Sequence[str], count: int) -> list[Problem]:
    if verdict.wrong:
        moved = [
            f"'{shown(classes[output], limit=40)}' behaves like '{shown(classes[meant], limit=40)}'"
            for output, meant in enumerate(verdict.order)
            if output != meant
        ]
        pairs = ", ".join(moved[:3]) + (" …" if len(moved) > 3 else "")
        return [
            Problem(
                "class order",
                "id2label in config.json, or the label column of the data",
                f"The model is right on {verdict.accuracy:.0%} of {count} examples, but on "
                f"{verdict.other_accuracy:.0%} if its outputs are named in another order: {pairs}.",
                "Put the class names into the order of the training, or give the data of this training.",
            )
        ]
    if verdict.near_chance:
        return [
            Problem(
                "near chance",
                "the last checkpoint",
                f"The model is right on {verdict.accuracy:.0%} of {count} examples, near to guessing.",
                "Check the label column, the preprocessing (size, mean, std, colours) and that these weights "
                "belong to these data.",
            )
        ]
    return []
