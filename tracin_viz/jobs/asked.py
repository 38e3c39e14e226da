"""What a question to the query process is about: the query itself, and what of it is explained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import Dataset as TorchDataset

from tracin_viz.data.dataset import Content, Dataset
from tracin_viz.data.images import decode
from tracin_viz.engine.losses import outputs_tensor
from tracin_viz.errors import InputError
from tracin_viz.jobs.loading import Contents, Examples, Target, target_of

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Query:
    """What is asked about: one example, or several whose mean is meant.

    Attributes:
        data: Their contents with their own targets; those without one have a blank one.
        labelled: Whether all of them have a target.
        targets: Their own targets.
        split: The split that they are rows of; empty for content of the user's own.
        rows: (m,) their rows there; empty for content of the user's own.
        is_group: Whether the mean over several is asked for.
    """

    data: TorchDataset[tuple[Content, Target]]
    labelled: bool
    targets: tuple[Target, ...]
    split: str
    rows: Rows
    is_group: bool

    @property
    def own_training_rows(self) -> Rows:
        """Rows of the training split that are asked about: they would always be their own proponents."""
        return self.rows if self.split == "train" else self.rows[:0]


@dataclass(frozen=True)
class Explained:
    """What is explained: the loss at a label, or the prediction score of a class.

    Attributes:
        kind: "loss" or "score".
        targets: What loss or score of each member is taken at: labels, or places of outputs.
        class_index: The class that is meant; -1 = none, or several.
        own: Whether these are the members' own labels.
    """

    kind: str
    targets: tuple[Target, ...]
    class_index: int
    own: bool


class Members(TorchDataset[tuple[Content, Target]]):
    """Examples with other targets.

    Args:
        data: (content, target) pairs.
        targets: One for each.
    """

    def __init__(self, data: TorchDataset[tuple[Content, Target]], targets: Sequence[Target]) -> None:
        self._data = data
        self._targets = targets

    def __len__(self) -> int:
        return len(self._targets)

    def __getitem__(self, index: int) -> tuple[Content, Target]:
        return self._data[index][0], self._targets[index]


def read_query(dataset: Dataset, wanted: dict[str, Any], arrays: list[npt.NDArray[Any]]) -> Query:
    """The query that a request names.

    Args:
        dataset: The audit's data.
        wanted: ``{"split", "row"}``; ``{"split", "rows"}``, a place in ``arrays``; ``{"text"}``; or
            ``{"image"}``, a place in ``arrays``.
        arrays: What came with the request.
    """
    if "text" in wanted:
        return _own(dataset, str(wanted["text"]))
    if "image" in wanted:
        return _own(dataset, decode(arrays[int(wanted["image"])].tobytes(), "the uploaded image"))
    split = str(wanted["split"])
    is_group = "rows" in wanted
    rows = arrays[int(wanted["rows"])] if is_group else np.array([wanted["row"]])
    rows = np.asarray(rows, dtype=np.int64)
    known = [target_of(dataset, split, int(row)) for row in rows]
    missing = [_is_missing(target) for target in known]
    targets = tuple(blank(dataset) if gone else one for one, gone in zip(known, missing, strict=True))
    data = Members(Examples(dataset, split, rows.tolist()), targets)
    return Query(data, not any(missing), targets, split, rows, is_group)


def _own(dataset: Dataset, content: Content) -> Query:
    targets = (blank(dataset),)
    return Query(Contents([content], targets), False, targets, "", np.zeros(0, np.int64), False)


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
        predicted: The most probable class of a single example; -1 where a number is predicted.

    Raises:
        InputError: A label was named for data whose labels are not one class, or a group lacks labels.
    """
    count = len(query.targets)
    if header["score"] is not None:
        return Explained("score", (int(header["score"]),) * count, int(header["score"]), own=False)
    if header["label"] is not None:
        if dataset.target != "class":
            raise InputError(
                "One class cannot be the label here: labels of these data are several classes or numbers.",
                remedy="Leave the label out, or ask for the score of a class.",
            )
        return Explained("loss", (int(header["label"]),) * count, int(header["label"]), own=False)
    if query.labelled:
        classes = {target for target in query.targets if isinstance(target, int)}
        one = classes.pop() if len(classes) == 1 else -1
        return Explained("loss", query.targets, one, own=True)
    if query.is_group:
        raise InputError(
            "Some examples of this group have no label, so no loss of theirs can be explained.",
            remedy="Ask for the score of a class.",
        )
    # A predicted number is the only output there is.
    return Explained("score", (max(predicted, 0),), predicted, own=False)


def minus_logit(outputs: Any, targets: torch.Tensor) -> torch.Tensor:
    """−output (B,) at the places ``targets`` (B,).

    A proponent *raises* the score, so the query side carries minus its gradient (DESIGN §2).
    """
    logits = outputs_tensor(outputs)
    logits = logits[:, None] if logits.dim() == 1 else logits
    return -logits.gather(1, targets[:, None])[:, 0]


def _is_missing(target: Target) -> bool:
    return target < 0 if isinstance(target, int) else bool(np.isnan(target).any())
