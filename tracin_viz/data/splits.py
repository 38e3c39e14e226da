"""Which example belongs to which split, and which class name to which number."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from tracin_viz.data.problems import ProblemList, shown
from tracin_viz.errors import InputError

TRAIN = "train"
#: Spellings of the usual splits, by the name they get here.
_KNOWN = {
    "train": "train",
    "training": "train",
    "test": "test",
    "testing": "test",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "eval": "validation",
}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

#: Share of the examples held out where the data name no splits.
QUERY_FRACTION = 0.2


def known_split(name: str) -> str | None:
    """The split that a folder or column value of this name means, if it is one of the usual words."""
    return _KNOWN.get(name.strip().lower())


@lru_cache(maxsize=1024)  # a table asks once per row
def split_name(name: str) -> str | None:
    """The split called ``name``: a usual word in its usual spelling, any other plain name as it is.

    ``None`` where the name cannot be part of an example id (``split:row``).
    """
    name = name.strip()
    return known_split(name) or (name if _NAME.fullmatch(name) else None)


def in_order(names: Iterable[str]) -> list[str]:
    """Splits in the order in which they are offered: train, test, validation, then the others by name."""
    first = (TRAIN, "test", "validation")
    return sorted(set(names), key=lambda name: (first.index(name) if name in first else len(first), name))


def held_out(
    checksums: npt.NDArray[np.int64], labels: npt.NDArray[np.int64], *, fraction: float = QUERY_FRACTION
) -> npt.NDArray[np.bool_]:
    """Which examples make the test split where the data name none: a fraction, chosen by content.

    Chosen by content and not by place, so that equal examples are on the same side, and that adding or
    renaming one moves no other; a larger fraction keeps those of a smaller one. A class that would have no
    training example keeps all of its own there.

    Args:
        checksums: ``(n,)`` CRC-32 values of the contents.
        labels: ``(n,)`` class numbers.
        fraction: Share to hold out.

    Returns:
        ``(n,)`` bool, true = test.
    """
    chosen: npt.NDArray[np.bool_] = checksums % 5 * 2000 + checksums // 5 % 2000 < round(fraction * 10_000)
    if not len(labels):
        return chosen
    lowest = labels.min()
    in_train = np.bincount(labels - lowest, weights=~chosen)
    chosen[in_train[labels - lowest] == 0] = False
    return chosen


def in_class_order(names: Iterable[str]) -> tuple[str, ...]:
    """Class names sorted; by value where all are whole numbers, so that "2" comes before "10"."""
    different = set(names)
    if all(name.isascii() and name.isdigit() for name in different):
        return tuple(sorted(different, key=lambda name: (int(name), name)))
    return tuple(sorted(different))


def check_classes(labels: Iterable[str], *, name: str, remedy: str) -> tuple[str, ...]:
    """The classes in order.

    Args:
        labels: Class names of the training examples and all others.
        name: Of the data set, for the message.
        remedy: What to do where there is only one.

    Raises:
        InputError: There are fewer than two: a model could not be right or wrong.
    """
    classes = in_class_order(labels)
    if len(classes) < 2:
        raise InputError(
            f"'{shown(name)}' has only one class, '{shown(classes[0])}'; at least two are needed.",
            remedy=remedy,
        )
    return classes


def note_absent(
    train_labels: npt.NDArray[np.int64], classes: Sequence[str], *, problems: ProblemList
) -> None:
    """Note each class that has no training example: no proponent of its own class can be found for it."""
    for number in sorted(set(range(len(classes))) - set(train_labels.tolist())):
        problems.add(
            "class without training examples",
            where=classes[number],
            message=f"Class '{shown(classes[number])}' has query examples but no training examples.",
            remedy="Add training examples of it, or take it out of the other splits.",
        )
