"""Whether outputs and class names belong together, judged by predictions and not by names.

A model whose classes stand in another order than the data's gives influences of the wrong classes, and
nothing else in an audit would tell. If another assignment of outputs to classes explains the predictions
far better, it is the assignment that is wrong, not the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]

#: How much better another order must explain the predictions, as a share of the examples.
_FAR_BETTER = 0.15
_PLAUSIBLE = 0.5


def class_order(predictions: Integers, labels: Integers, classes: Sequence[str]) -> dict[str, Any]:
    """Compare the given order of the classes with the one that fits best.

    The best assignment maximises the number of agreeing examples (Kuhn 1955, the Hungarian method). With
    many classes and few examples it always finds something to improve, so its accuracy is measured on the
    half of the examples that it was not made from.

    Args:
        predictions: ``(n,)`` index of the largest output.
        labels: ``(n,)`` class of the data, in the order that is being checked.
        classes: Names in that order.

    Returns:
        JSON-able: ``verdict`` (``"agrees"``, ``"another order"`` or ``"undecided"``), ``accuracy`` as given,
        ``best_accuracy`` (of the best order, on examples it was not made from), ``order`` (names by output
        index for the best order) and ``moved`` (pairs of names, as given and as found).
    """
    count = len(classes)
    accuracy = float((predictions == labels).mean()) if len(labels) else 0.0
    held_out = [
        _agreement(
            _assignment(predictions[first::2], labels[first::2], count), predictions[1 - first :: 2], rest
        )
        for first, rest in ((0, labels[1::2]), (1, labels[0::2]))
    ]
    best = float(np.mean(held_out)) if len(labels) >= 4 else accuracy
    assigned = _assignment(predictions, labels, count)
    moved = [(classes[output], classes[label]) for output, label in enumerate(assigned) if output != label]
    verdict = "agrees"
    if best >= accuracy + _FAR_BETTER and best >= _PLAUSIBLE and moved:
        verdict = "another order"
    elif accuracy < _PLAUSIBLE and best < _PLAUSIBLE:
        verdict = "undecided"
    return {
        "verdict": verdict,
        "accuracy": accuracy,
        "best_accuracy": max(best, accuracy) if verdict == "agrees" else best,
        "order": [classes[label] for label in assigned] if verdict == "another order" else list(classes),
        "moved": [list(pair) for pair in moved] if verdict == "another order" else [],
    }


def _assignment(predictions: Integers, labels: Integers, count: int) -> Integers:
    """``(count,)`` the class of each output, one output per class, with the most agreeing examples."""
    from scipy.optimize import linear_sum_assignment

    table = np.zeros((count, count), dtype=np.float64)
    np.add.at(table, (predictions, labels), 1.0)
    # Where the examples say nothing, an output keeps its own class.
    table += 1e-6 * np.eye(count)
    _, columns = linear_sum_assignment(table, maximize=True)
    return np.asarray(columns, dtype=np.int64)


def _agreement(assigned: Integers, predictions: Integers, labels: Integers) -> float:
    return float((assigned[predictions] == labels).mean()) if len(labels) else 0.0
