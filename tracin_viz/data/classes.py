"""Which output of the model is which class of the data."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from tracin_viz.data.dataset import listed
from tracin_viz.data.problems import shown
from tracin_viz.errors import InputError, Problem

#: What a model's configuration says where nobody named its classes.
_PLACEHOLDER = re.compile(r"LABEL_\d+")


def match_classes(
    model_classes: Sequence[str], data_classes: Sequence[str], *, problems: list[Problem] | None = None
) -> list[str]:
    """The data's class names in the order of the model's outputs.

    By name where the names are the same ones, however their accents are written; by position where the
    model has none (``LABEL_0`` …) or others, which is noted as a problem since nothing but the accuracy
    can then tell a wrong order.

    Args:
        model_classes: Names by output index, from the model's configuration.
        data_classes: Names in the data's own order.
        problems: Gets a note where names were matched by position.

    Raises:
        InputError: The model and the data have different numbers of classes.
    """
    if set(model_classes) == set(data_classes) and len(model_classes) == len(data_classes):
        return list(model_classes)
    # Folders that were made on macOS spell "é" in two signs, a configuration typed elsewhere in one.
    spelled = {_composed(name): name for name in data_classes}
    asked = [_composed(name) for name in model_classes]
    if set(asked) == set(spelled) and len(set(asked)) == len(asked) == len(data_classes):
        return [spelled[name] for name in asked]
    unnamed = all(_PLACEHOLDER.fullmatch(name) for name in model_classes)
    if len(model_classes) != len(data_classes):
        raise _count_differs(model_classes, data_classes, unnamed=unnamed)
    if problems is not None:
        problems.append(_by_position(model_classes, data_classes, unnamed=unnamed))
    return list(data_classes)


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip()


def _count_differs(model: Sequence[str], data: Sequence[str], *, unnamed: bool) -> InputError:
    details = []
    if not unnamed:
        if only_data := [name for name in data if name not in set(model)]:
            details.append(f"only in the data: {listed(only_data)}")
        if only_model := [name for name in model if name not in set(data)]:
            details.append(f"only in the model: {listed(only_model)}")
    else:
        details.append(f"the data's are {listed(data)}")
    return InputError(
        f"The model has {len(model)} classes, the data have {len(data)} ({'; '.join(details)}).",
        remedy="Give the data that the model was trained on, or a model that was trained on these classes.",
    )


def _by_position(model: Sequence[str], data: Sequence[str], *, unnamed: bool) -> Problem:
    what = (
        "The model does not name its classes" if unnamed else "Model and data name their classes differently"
    )
    differing = [(a, b) for a, b in zip(model, data, strict=True) if a != b][:3]
    pairs = ", ".join(f"{shown(a, limit=40)} = {shown(b, limit=40)}" for a, b in differing)
    return Problem(
        "class names",
        "config.json, id2label",
        f"{what}; they were matched by position ({pairs} …).",
        "Check the accuracy; if it is near chance, put the names in id2label of config.json in order.",
    )
