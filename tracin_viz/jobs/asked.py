"""What a question to the query process is about: the query itself, and what of it is explained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from tracin_viz.data.dataset import Content, Dataset
from tracin_viz.data.images import decode
from tracin_viz.engine.losses import outputs_tensor
from tracin_viz.errors import InputError
from tracin_viz.jobs.loading import Target, target_of


@dataclass(frozen=True)
class Query:
    """What is asked about.

    Attributes:
        content: The example.
        target: Its label, ``None`` where it has none.
        row: Its row where it is a training example itself.
    """

    content: Content
    target: Target | None
    row: int | None


@dataclass(frozen=True)
class Explained:
    """What is explained: the loss at a label, or the prediction score of a class.

    Attributes:
        kind: "loss" or "score".
        target: What the loss or score is taken at: a label, or the place of an output.
        class_index: The class that is meant; -1 = none, or several.
    """

    kind: str
    target: Target
    class_index: int


def read_query(dataset: Dataset, wanted: dict[str, Any], arrays: list[npt.NDArray[Any]]) -> Query:
    """The query that a request names.

    Args:
        dataset: The audit's data.
        wanted: ``{"split", "row"}``, ``{"text"}``, or ``{"image"}`` = place in ``arrays``.
        arrays: What came with the request.
    """
    if "text" in wanted:
        return Query(str(wanted["text"]), None, None)
    if "image" in wanted:
        return Query(decode(arrays[int(wanted["image"])].tobytes(), "the uploaded image"), None, None)
    split, row = str(wanted["split"]), int(wanted["row"])
    target = target_of(dataset, split, row)
    known = None if _is_missing(target) else target
    return Query(dataset.load(split, row), known, row if split == "train" else None)


def blank(dataset: Dataset) -> Target:
    """A target of the right form for an example whose own is not known; its loss says nothing."""
    if dataset.target == "number":
        return 0.0
    return 0 if dataset.target == "class" else np.zeros(len(dataset.classes), dtype=np.float32)


def explained(dataset: Dataset, header: dict[str, Any], query: Query, predicted: int) -> Explained:
    """What the request wants explained.

    Args:
        dataset: The audit's data.
        header: ``"score"`` and ``"label"``: indices of classes, or ``None``.
        query: What is asked about.
        predicted: The most probable class; -1 where a number is predicted.

    Raises:
        InputError: A label was named for data whose labels are not one class.
    """
    if header["score"] is not None:
        return Explained("score", int(header["score"]), int(header["score"]))
    if header["label"] is not None:
        if dataset.target != "class":
            raise InputError(
                "One class cannot be the label here: labels of these data are several classes or numbers.",
                remedy="Leave the label out, or ask for the score of a class.",
            )
        return Explained("loss", int(header["label"]), int(header["label"]))
    if query.target is not None:
        return Explained("loss", query.target, query.target if isinstance(query.target, int) else -1)
    # A predicted number is the only output there is.
    return Explained("score", max(predicted, 0), predicted)


def minus_logit(outputs: Any, targets: torch.Tensor) -> torch.Tensor:
    """−output (B,) at the places ``targets`` (B,).

    A proponent *raises* the score, so the query side carries minus its gradient (DESIGN §2).
    """
    logits = outputs_tensor(outputs)
    logits = logits[:, None] if logits.dim() == 1 else logits
    return -logits.gather(1, targets[:, None])[:, 0]


def _is_missing(target: Target) -> bool:
    return target < 0 if isinstance(target, int) else bool(np.isnan(target).any())
