"""How the files of a data set become examples: which column is what, and what a value means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from tracin_viz.data.problems import shown
from tracin_viz.errors import InputError

#: Values of a label column that mean "no label", where the user names no others.
UNLABELLED = ("", "?", "unlabelled")

TASKS = ("image", "text", "tabular")
#: What a label is: one class, several classes at once, or a number.
TARGETS = ("class", "multi-label", "number")


@dataclass(frozen=True)
class DataMapping:
    """The user's choices about a data set; whatever is ``None`` is guessed from the files.

    Attributes:
        task: ``"image"``, ``"text"`` or ``"tabular"``.
        content: Column of the text, or of the image's path or bytes; for tabular data the feature columns.
        label: Column of the label; several columns of 0 and 1 are the classes of multi-label data.
        split: Column with the name of each example's split.
        query_fraction: Share of the examples held out as split ``test`` where no split is named, 0 to 1;
            which ones depends on their content alone.
        class_names: Value in the file -> class name. Two values with one name become one class.
        unlabelled: Values that mean "no label".
        target: ``"class"``, ``"multi-label"`` or ``"number"``.
        separator: The sign between the labels of one example, where a value can hold several.
    """

    task: str | None = None
    content: str | tuple[str, ...] | None = None
    label: str | tuple[str, ...] | None = None
    split: str | None = None
    query_fraction: float | None = None
    class_names: dict[str, str] | None = None
    unlabelled: tuple[str, ...] = UNLABELLED
    target: str | None = None
    separator: str | None = None

    def __post_init__(self) -> None:
        if self.task is not None and self.task not in TASKS:
            raise InputError(
                f"Task '{shown(self.task)}' is not known for data.", remedy=f"Possible: {', '.join(TASKS)}."
            )
        if self.target is not None and self.target not in TARGETS:
            raise InputError(
                f"Target '{shown(self.target)}' is not known for data.",
                remedy=f"Possible: {', '.join(TARGETS)}.",
            )
        if self.query_fraction is not None and not 0 < self.query_fraction < 1:
            raise InputError(
                f"A query fraction of {self.query_fraction} leaves one side empty.",
                remedy="Give a number between 0 and 1, such as 0.2.",
            )

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        values = asdict(self)
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> DataMapping:
        """The mapping in ``values`` (of ``as_dict``, or a part of it).

        Raises:
            InputError: A field is not known, or its value is of another kind than the field's.
        """
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise InputError(
                f"A data mapping has no field '{shown(unknown[0])}'.",
                remedy=f"Possible: {', '.join(sorted(known))}.",
            )
        return cls(**{name: _field(name, value) for name, value in values.items()})


def _field(name: str, value: Any) -> Any:
    """``value`` as field ``name`` holds it, refused where it is of another kind."""
    if value is None:
        return UNLABELLED if name == "unlabelled" else None
    if name in ("content", "label", "unlabelled") and isinstance(value, list | tuple):
        if all(isinstance(entry, str) for entry in value):
            return tuple(value)
    elif name == "query_fraction":
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    elif name == "class_names":
        if isinstance(value, Mapping) and all(
            isinstance(key, str) and isinstance(entry, str) for key, entry in value.items()
        ):
            return dict(value)
    elif name != "unlabelled" and isinstance(value, str):
        return value
    raise InputError(
        f"Field '{name}' of a data mapping cannot be {shown(repr(value))}.",
        remedy="Names of columns are texts; several are a list of texts.",
    )
