"""Which column is what, where the user did not say: by the names people use, then by what is in it.

Every guess is shown in the preview and can be changed there, so a wrong one costs a click; what has to be
right is that the same file always gives the same guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tracin_viz.data.dataset import listed
from tracin_viz.data.formats.inspection import Column
from tracin_viz.data.mapping import DataMapping
from tracin_viz.data.problems import shown
from tracin_viz.data.splits import known_split
from tracin_viz.errors import InputError

TEXT_NAMES = [
    "text",
    "sentence",
    "content",
    "review",
    "utterance",
    "document",
    "comment",
    "tweet",
    "body",
    "message",
    "premise",
    "question",
    "query",
    "input",
    "prompt",
    "description",
    "abstract",
    "title",
    "headline",
]
IMAGE_NAMES = [
    "image",
    "img",
    "file_name",
    "filename",
    "image_path",
    "img_path",
    "filepath",
    "file_path",
    "path",
    "file",
    "picture",
    "photo",
]
LABEL_NAMES = [
    "label",
    "labels",
    "class",
    "class_name",
    "category",
    "categories",
    "target",
    "targets",
    "intent",
    "sentiment",
    "y",
    "tags",
    "tag",
    "fine_label",
    "coarse_label",
    "label_text",
    "emotion",
    "rating",
    "stars",
    "score",
]
SPLIT_NAMES = ["split", "set", "fold", "partition", "subset"]
#: Signs between the labels of one value, in the order in which they are tried.
SEPARATORS = ("|", ";", ",")


@dataclass(frozen=True)
class Roles:
    """What each column is for.

    Attributes:
        mapping: Complete; ``content`` of tabular data is a tuple, ``label`` is ``None`` where none was found.
        content: ``"text"``, ``"path"``, ``"picture"`` or ``"features"``.
    """

    mapping: DataMapping
    content: str


def guess(columns: Sequence[Column], mapping: DataMapping, *, name: str) -> Roles:
    """The roles of the columns of table ``name``: what ``mapping`` says, and guesses for the rest.

    Raises:
        InputError: A column that ``mapping`` names does not exist, or nothing can be the content.
    """
    by_name = {column.name: column for column in columns}
    mapping = _spelled(mapping, by_name, name)
    split = mapping.split or _split(columns, mapping)
    free = [column for column in columns if column.name != split]
    content, kind = _content(free, mapping, name)
    chosen = {content} if isinstance(content, str) else set(content)
    label = mapping.label
    if label is None:
        label = _label([column for column in free if column.name not in chosen or kind == "features"], kind)
    if kind == "features" and mapping.content is None:
        labels = {label} if isinstance(label, str) else set(label or ())
        content = tuple(feature for feature in content if feature not in labels)
        if not content:
            raise _no_content(columns, name)
    task = "tabular" if kind == "features" else "text" if kind == "text" else "image"
    if mapping.task is not None and mapping.task != task:
        raise InputError(
            f"Column {listed(sorted(chosen))} of '{shown(name)}' holds {task} data, but the task asked for "
            f"is '{mapping.task}'.",
            remedy=f"Leave --task out, give --task {task}, or choose another column.",
        )
    complete = replace(mapping, task=task, content=content, label=label, split=split)
    return Roles(_with_target(complete, by_name), kind)


def _spelled(mapping: DataMapping, by_name: dict[str, Column], name: str) -> DataMapping:
    """``mapping`` with column names as the file spells them."""
    lower: dict[str, str] = {}
    for column in by_name:
        lower.setdefault(column.strip().lower(), column)

    def spelled(wanted: str) -> str:
        found = wanted if wanted in by_name else lower.get(wanted.strip().lower())
        if found is None:
            raise InputError(
                f"'{shown(name)}' has no column {shown(wanted)}; it has: {listed(list(by_name))}.",
                remedy="Choose one of these.",
            )
        return found

    def several(wanted: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
        return tuple(map(spelled, wanted)) if isinstance(wanted, tuple) else wanted and spelled(wanted)

    return replace(
        mapping,
        content=several(mapping.content),
        label=several(mapping.label),
        split=mapping.split and spelled(mapping.split),
    )


def _split(columns: Sequence[Column], mapping: DataMapping) -> str | None:
    used = {mapping.label, mapping.content} if isinstance(mapping.content, str) else {mapping.label}
    for wanted in SPLIT_NAMES:
        for column in columns:
            # Another name than "split" may mean something else: a fold by number, a chess set.
            sure = wanted == "split" or any(known_split(value) for value in column.values)
            if column.name.strip().lower() == wanted and column.name not in used and sure:
                return column.name
    return None


def _content(columns: Sequence[Column], mapping: DataMapping, name: str) -> tuple[str | tuple[str, ...], str]:
    by_name = {column.name: column for column in columns}
    if isinstance(mapping.content, tuple) and (len(mapping.content) > 1 or mapping.task == "tabular"):
        return mapping.content, "features"
    if mapping.content is not None:
        wanted = mapping.content if isinstance(mapping.content, str) else mapping.content[0]
        kind = by_name[wanted].kind if wanted in by_name else "other"
        if mapping.task == "tabular":
            return (wanted,), "features"
        if kind == "picture":
            return wanted, "picture"
        return wanted, "path" if kind == "image path" or mapping.task == "image" else "text"
    labels = {mapping.label} if isinstance(mapping.label, str) else set(mapping.label or ())
    free = [column for column in columns if column.name not in labels]
    if mapping.task in (None, "image"):
        for kind, found in (("picture", "picture"), ("image path", "path")):
            if some := [column for column in free if column.kind == kind]:
                return _named_first(some, IMAGE_NAMES).name, found
    if mapping.task in (None, "text"):
        text = _text(free)
        if text is not None:
            return text.name, "text"
    features = tuple(column.name for column in free if column.kind in ("number", "whole number", "0/1"))
    if mapping.task in (None, "tabular") and features:
        return features, "features"
    raise _no_content(columns, name)


def _text(columns: Sequence[Column]) -> Column | None:
    """The column of texts: one of the usual names with any words in it, else the one with the longest."""
    words = [column for column in columns if column.kind in ("text", "category") and not column.classes]
    empty = [column for column in columns if column.kind == "empty"]
    named = [column for column in (*words, *empty) if column.name.strip().lower() in TEXT_NAMES]
    if named:
        return _named_first(named, TEXT_NAMES)
    texts = [
        column
        for column in words
        if column.kind == "text" and column.name.strip().lower() not in (*LABEL_NAMES, *SPLIT_NAMES, "id")
    ]
    # Identifiers are many and short; sentences have spaces in them.
    texts = [
        column for column in texts if sum(" " in value for value in column.values) * 2 >= len(column.values)
    ]
    return max(texts, key=lambda column: column.length, default=None)


def _label(columns: Sequence[Column], kind: str) -> str | tuple[str, ...] | None:
    lower = {column.name.strip().lower() for column in columns}
    named = [column for column in columns if column.name.strip().lower() in LABEL_NAMES]
    if kind == "features" and {"x", "z"} & lower:  # coordinates: y is one of them
        named = [column for column in named if column.name.strip().lower() != "y"]
    if named:
        return _named_first(named, LABEL_NAMES).name
    if known := [column for column in columns if column.classes]:
        return known[0].name
    usable = [column for column in columns if column.name.strip().lower() not in ("id", "index", "idx")]
    if kind == "features":
        few = [column for column in usable if column.kind in ("number", "whole number", "0/1", "category")]
        return few[-1].name if few else None
    flags = [column.name for column in usable if column.kind == "0/1"]
    if len(flags) > 1:
        return tuple(flags)
    few = [column for column in usable if column.kind in ("category", "0/1", "whole number", "list")]
    return few[-1].name if few else None


def _with_target(mapping: DataMapping, by_name: dict[str, Column]) -> DataMapping:
    if mapping.label is None:
        return mapping
    if isinstance(mapping.label, tuple) and len(mapping.label) > 1:
        return replace(mapping, target=mapping.target or "multi-label")
    name = mapping.label if isinstance(mapping.label, str) else mapping.label[0]
    column = by_name.get(name, Column(name, "other"))
    mapping = replace(mapping, label=name)
    if mapping.target is not None:
        return mapping
    if column.kind == "list":
        return replace(mapping, target="multi-label")
    separator = mapping.separator or _separator(column)
    if separator is not None:
        return replace(mapping, target="multi-label", separator=separator)
    return replace(mapping, target="number" if _is_measure(column) else "class")


def _separator(column: Column) -> str | None:
    """The sign between several labels in one value, where there is one.

    A sign that is only part of the names ("Bath, Somerset") makes more parts than there are values; labels
    that are combined make fewer or as many.
    """
    if column.kind not in ("category", "text"):
        return None
    for sign in SEPARATORS:
        several = sum(sign in value for value in column.different)
        parts = {part.strip() for value in column.different for part in value.split(sign)}
        plausible = "" not in parts and len(parts) <= len(column.different)
        if several * 5 > len(column.different) and plausible and max(map(len, parts)) <= 40:
            return sign
    return None


def _is_measure(column: Column) -> bool:
    """Whether numbers are amounts: fractions, or so many different ones that they can name no classes."""
    many = column.distinct > 50 and column.distinct * 5 > column.rows
    return (column.kind == "number" and column.distinct > 10) or (column.kind == "whole number" and many)


def _named_first(columns: Sequence[Column], names: Sequence[str]) -> Column:
    """The column whose name comes first in ``names``; the first column where none is there."""
    rank = {name: place for place, name in enumerate(names)}
    return min(columns, key=lambda column: rank.get(column.name.strip().lower(), len(rank)))


def _no_content(columns: Sequence[Column], name: str) -> InputError:
    return InputError(
        f"'{shown(name)}' has no column that looks like a text, an image or numbers; it has: "
        f"{listed([column.name for column in columns])}.",
        remedy="Name the columns text (or image) and label, or choose them.",
    )
