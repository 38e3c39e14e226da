"""Are the model's outputs the classes that their names say? Asked of its predictions, not of its files.

A class list in another order (alphabetical here, by number there) gives a model that is wrong about nearly
everything, and influence scores that mean nothing. If *renaming* the outputs explains the predictions far
better than the names as given, the order is wrong.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

#: How much better another order must do on examples that were not used to find it.
MARGIN = 0.15
#: Standard errors that this must be beyond chance.
SURE = 3.0


@dataclass(frozen=True)
class OrderVerdict:
    """What the predictions say about the order of the classes.

    Attributes:
        accuracy: Share of right predictions with the names as given, 0 to 1.
        other_accuracy: The same under the best other order, measured on the other half of the examples.
        order: ``order[output]`` = class that this output behaves like; the identity unless ``wrong``.
        wrong: Whether another order explains the predictions far better.
        near_chance: Whether the model is hardly better than guessing, in any order.
    """

    accuracy: float
    other_accuracy: float
    order: tuple[int, ...]
    wrong: bool
    near_chance: bool


def check_order(
    predicted: npt.NDArray[np.int64], labels: npt.NDArray[np.int64], classes: int
) -> OrderVerdict:
    """Compare the given order with the best other one.

    The other order is found on every second example of each class and tried on the rest: fitted and judged
    on the same examples, some order always looks better than chance.

    Args:
        predicted: (n,) predicted class of each example.
        labels: (n,) given class of each example.
        classes: Number of classes.
    """
    found = np.zeros(len(labels), dtype=bool)
    for one in np.unique(labels):
        found[np.flatnonzero(labels == one)[::2]] = True
    order = _best_order(predicted[found], labels[found], classes)
    rest = ~found if (~found).any() else found
    accuracy = float(np.mean(predicted == labels))
    given = float(np.mean(predicted[rest] == labels[rest]))
    other = float(np.mean(order[predicted[rest]] == labels[rest]))
    n = int(rest.sum())
    error = math.sqrt(max(1e-9, given * (1 - given) + other * (1 - other)) / n)
    wrong = other - given > max(MARGIN, SURE * error)
    # The most frequent class is what guessing reaches without looking at an example.
    guess = float(np.bincount(labels, minlength=classes).max() / len(labels))
    spread = SURE * math.sqrt(guess * (1 - guess) / len(labels))
    near_chance = not wrong and accuracy <= guess + spread
    kept = order if wrong else np.arange(classes)
    return OrderVerdict(accuracy, other, tuple(kept.tolist()), wrong, near_chance)


def _best_order(
    predicted: npt.NDArray[np.int64], labels: npt.NDArray[np.int64], classes: int
) -> npt.NDArray[np.int64]:
    """``order[output]`` = class, one each, with the most agreement; outputs without evidence keep theirs."""
    from scipy.optimize import linear_sum_assignment  # a second to load, used here only

    table = np.zeros((classes, classes))
    np.add.at(table, (predicted, labels), 1.0)
    table += 1e-6 * np.eye(classes)
    outputs, assigned = linear_sum_assignment(table, maximize=True)
    order = np.arange(classes)
    order[outputs] = assigned
    return order
