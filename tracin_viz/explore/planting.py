"""Wrong labels planted into a copy, so that it is known which ones an audit should find."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tracin_viz.errors import InputError

Targets = npt.NDArray[np.int64] | npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]


def plant(
    targets: Targets,
    percent: float,
    *,
    seed: int,
    classes: int = 0,
    outputs: npt.NDArray[np.float32] | None = None,
) -> tuple[Targets, Rows]:
    """Labels of which ``percent`` % are wrong, and which rows those are.

    One class becomes another: the most probable wrong one by ``outputs`` (Pruthi et al. 2020, §4.1), or any.
    Of several classes one is set the other way round. A number becomes another one of the data.

    Args:
        targets: (n,) classes; (n, C) of 0 and 1; or (n,) float numbers.
        percent: How many are changed.
        seed: Which, and to what.
        classes: Number of classes, for one class per example.
        outputs: (n, C) of a model, to choose the class by it.

    Raises:
        InputError: That share is not possible.
    """
    number = round(len(targets) * percent / 100)
    if not 0 < percent <= 50 or not 1 <= number < len(targets):
        raise InputError(
            f"{percent:g} % of {len(targets)} labels cannot be changed for a test.",
            remedy="Give up to 50, and enough that at least one label changes.",
        )
    random = np.random.default_rng([seed, 7])
    rows = np.sort(random.choice(len(targets), size=number, replace=False)).astype(np.int64)
    changed = targets.copy()
    if targets.ndim == 2:
        labels = random.integers(0, targets.shape[1], size=number)
        changed[rows, labels] = 1 - targets[rows, labels]
    elif np.issubdtype(targets.dtype, np.integer):
        changed[rows] = _other_classes(
            targets[rows], random, classes, None if outputs is None else outputs[rows]
        )
    else:
        changed[rows] = _other_numbers(targets, rows, random)
    return changed, rows


def _other_classes(
    given: Targets, random: np.random.Generator, classes: int, outputs: npt.NDArray[np.float32] | None
) -> npt.NDArray[np.int64]:
    if classes < 2:
        raise InputError(
            "With a single class no label can be wrong.", remedy="Use data with two classes or more."
        )
    if outputs is None:
        return np.asarray((given + random.integers(1, classes, size=len(given))) % classes, dtype=np.int64)
    rest = outputs.copy()
    rest[np.arange(len(given)), given] = -np.inf
    return np.asarray(rest.argmax(axis=1), dtype=np.int64)


def _other_numbers(targets: Targets, rows: Rows, random: np.random.Generator) -> npt.NDArray[np.float32]:
    found = targets[rows].astype(np.float32)
    for place, value in enumerate(found.tolist()):
        different = np.flatnonzero(targets != value)
        if not len(different):
            raise InputError("All numbers are equal, so none can be wrong.")
        found[place] = targets[random.choice(different)]
    return found
