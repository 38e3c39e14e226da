"""Groups of examples that can be asked about as one, and the confusion matrix whose cells are groups.

The address of a group is ``sel:<name>`` for a kept selection of training examples, or
``cell:<given>:<predicted>`` for the examples of the query split with that label and that prediction. A colon
or a percent sign inside a class name is written ``%3A`` or ``%25``, and a very long name is its digest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import numpy as np
import numpy.typing as npt

from tracin_viz.audit.findings import class_index
from tracin_viz.audit.results import Results
from tracin_viz.errors import InputError, NotFoundError
from tracin_viz.fingerprint import from_address, in_address
from tracin_viz.store.registry import AuditRecord
from tracin_viz.store.selections import Selections

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Group:
    """Examples that are asked about together.

    Attributes:
        address: ``sel:…`` or ``cell:…:…``.
        split: Where they are.
        rows: (m,) their rows there, ascending.
        given: The label of all of them, for a cell.
        predicted: The prediction for all of them, for a cell.
    """

    address: str
    split: str
    rows: Rows
    given: str | None = None
    predicted: str | None = None


def cell_address(given: str, predicted: str) -> str:
    """The address of a cell of the confusion matrix."""
    return ":".join(
        ["cell", *(in_address(name).replace("%", "%25").replace(":", "%3A") for name in (given, predicted))]
    )


def find_group(
    record: AuditRecord, results: Results, selections: Selections, split: str, address: str
) -> Group:
    """The group at ``address``.

    Args:
        record: The audit.
        results: Its results.
        selections: Its kept selections.
        split: The split that queries come from.
        address: See the module.

    Raises:
        NotFoundError: No such selection or class, or the cell is empty.
        InputError: The address cannot be read, or labels are not single classes.
    """
    kind, _, rest = address.partition(":")
    if kind == "sel":
        return Group(address, "train", selections.get(rest))
    names = [unquote(name) for name in rest.split(":")]
    if kind != "cell" or len(names) != 2:
        raise InputError(
            f"'{address}' names no group of examples.",
            remedy="Write sel:<selection>, or cell:<given>:<predicted> with class names (%3A for a colon).",
        )
    _needs_classes(record)
    names = [from_address(name, record.classes) or name for name in names]
    given, predicted = (class_index(record, name) for name in names)
    labels, found = _labels_and_predictions(results, split)
    rows = np.flatnonzero((labels == given) & (found == predicted))
    if not len(rows):
        raise NotFoundError(
            f"No example of {split} is labelled '{names[0]}' and predicted '{names[1]}'.",
            remedy="The confusion matrix on the Influence page shows which cells hold examples.",
        )
    return Group(address, split, rows, names[0], names[1])


def confusion_document(record: AuditRecord, results: Results, split: str) -> dict[str, Any]:
    """How often each class is predicted for each given class.

    Returns:
        ``{"audit", "split", "classes", "counts"}``; counts[given][predicted].

    Raises:
        InputError: Labels are not single classes.
    """
    _needs_classes(record)
    labels, predicted = _labels_and_predictions(results, split)
    count = len(record.classes)
    known = (labels >= 0) & (predicted >= 0)
    cells = np.bincount(labels[known] * count + predicted[known], minlength=count * count)
    return {
        "audit": record.name,
        "split": split,
        "classes": list(record.classes),
        "counts": cells.reshape(count, count).tolist(),
    }


def _labels_and_predictions(results: Results, split: str) -> tuple[Rows, Rows]:
    labels = np.asarray(results.dataset().splits[split].labels, dtype=np.int64)
    return labels, results.measured(split)["predicted"][-1].astype(np.int64)


def _needs_classes(record: AuditRecord) -> None:
    if record.target != "class":
        raise InputError(
            f"Labels of audit '{record.name}' are not single classes, so there is no confusion matrix.",
            remedy="Ask about one example, or about a selection (sel:…).",
        )
