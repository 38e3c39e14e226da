"""Labels as text, whatever they are: a class name, a JSON array of class names, or a JSON number."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tracin_viz.data.dataset import Dataset, listed
from tracin_viz.data.problems import shown
from tracin_viz.errors import InputError

#: Characters of a label: longer than any list of class names that a person chose.
LONGEST = 1 << 20


def given_texts(dataset: Dataset, split: str) -> list[str]:
    """The label of each example of ``split`` as text, (n,); empty where it has none."""
    part = dataset.splits[split]
    if dataset.target == "class" or part.targets is None:
        names = [*dataset.classes, ""]
        return [names[label] for label in part.labels.tolist()]
    if dataset.target == "number":
        # Through float32: 0.1 in the data is 0.1 here, not 0.10000000149.
        return ["" if math.isnan(value) else number_text(float(str(value))) for value in part.targets]
    return [several_text(dataset.classes, row) for row in part.targets]


def several_text(classes: Sequence[str], row: npt.NDArray[np.float32]) -> str:
    """The classes that ``row`` (C,) switches on, as a JSON array in class order; empty where it is NaN."""
    if np.isnan(row).any():
        return ""
    return names_text([classes[index] for index in np.flatnonzero(row).tolist()])


def names_text(names: Sequence[str]) -> str:
    """Names of classes as a JSON array."""
    return json.dumps(list(names), ensure_ascii=False)


def number_text(value: float) -> str:
    """A number as JSON has it, in the shortest form that reads back the same."""
    return json.dumps(float(value))


def checked_label(text: str, target: str, classes: Sequence[str]) -> str:
    """The label in the one form it is stored in.

    Args:
        text: A class name; for ``"multi-label"`` a JSON array of names; for ``"number"`` a number.
        target: What a label of this audit is.
        classes: Names of its classes.

    Raises:
        InputError: It is no label of this audit; the message says what would be one.
    """
    if target == "number":
        return number_text(_number(text))
    # The words about what is possible are made only where they are needed: an import checks every row.
    if target == "class" and text in classes:
        return text
    possible = f"Possible: {listed(list(classes), limit=20)}."
    if target == "class":
        raise InputError(f"'{shown(text)}' is no class of this audit.", remedy=possible)
    names = _names(text, possible)
    known = set(classes)
    if strangers := [name for name in names if name not in known]:
        raise InputError(f"'{shown(strangers[0])}' is no class of this audit.", remedy=possible)
    chosen = set(names)
    return names_text([name for name in classes if name in chosen])


def _number(text: str) -> float:
    try:
        value = float(text) if len(text) < 400 else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"'{shown(text)}' is not a number.", remedy="Write a number such as 3.5.")
    return value


def _names(text: str, possible: str) -> list[str]:
    try:
        names = json.loads(text) if len(text) <= LONGEST else None
    except (ValueError, RecursionError):
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InputError(
            f"'{shown(text)}' is no list of classes.",
            remedy=f'Write a JSON list, such as ["a", "b"]. {possible}',
        )
    return names
