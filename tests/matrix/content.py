"""The examples that every form of data of the matrix holds, in one order, so that scores can be compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tests import tiny

CLASSES = tiny.CLASSES
WORDS = {"bar": "raise the bar", "cross": "cross the road", "ring": "ring the bell"}
TRAIN, TEST = 8, 2


@dataclass(frozen=True)
class Example:
    """One example of one kind of data.

    Attributes:
        split: "train" or "test".
        label: Class name.
        number: Place among those of its split and class.
        picture: (12, 12) uint8.
        text: A sentence.
        row: Three features.
    """

    split: str
    label: str
    number: int
    picture: npt.NDArray[np.uint8]
    text: str
    row: tuple[float, float, float]


def examples() -> list[Example]:
    """Training examples first, by class and number: the order of an image folder."""
    generator = np.random.default_rng(11)
    found = []
    for split, count in (("train", TRAIN), ("test", TEST)):
        for place, label in enumerate(CLASSES):
            for number in range(count):
                values = generator.normal(place, 1.0, 3).round(3)
                found.append(
                    Example(
                        split,
                        label,
                        number,
                        tiny.picture(label, generator),
                        f"{WORDS[label]} {split} {number}",
                        (float(values[0]), float(values[1]), float(values[2])),
                    )
                )
    return found
