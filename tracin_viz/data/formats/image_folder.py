"""Image folders ``split/class/file`` and ``class/file``, as folders or inside an archive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tracin_viz.data.contents import FileContents
from tracin_viz.data.dataset import Dataset, listed
from tracin_viz.data.files import Files, ending
from tracin_viz.data.formats.candidates import Candidates, finish
from tracin_viz.data.formats.verification import broken_files
from tracin_viz.data.images import SUFFIXES
from tracin_viz.data.mapping import DataMapping
from tracin_viz.data.problems import ProblemList, shown
from tracin_viz.data.splits import TRAIN, check_classes, in_order, known_split, split_name
from tracin_viz.data.strings import Strings, strings
from tracin_viz.errors import InputError

_LAYOUT = "Arrange the images as split/class/file (with a split called train) or as class/file."
_REMEDIES = {
    "one class": "Put the images of each class in a folder of its own, at least two of them.",
    "no train": "Call the folder with the training images 'train'.",
}


@dataclass
class _Placed:
    """Where each image belongs, column by column; an empty split or label is none."""

    names: list[str]
    splits: list[str]
    labels: list[str]


def open_image_folder(
    files: Files, path: Path, *, mapping: DataMapping, verify: bool, kind: str, problems: ProblemList
) -> Dataset:
    """The data set in a folder or archive of images.

    The example's row is its place among the files of its split, sorted by relative path. Without split
    folders a fifth of the examples, chosen by content, becomes the split ``test``. A query split without
    class folders has no labels. Files that are no readable images are left out, each with a problem.

    Args:
        files: The folder or archive.
        path: What was opened.
        mapping: What the user chose; there are no columns to choose.
        verify: Look for broken images.
        kind: What ``files`` are, in plain words.
        problems: What was found so far.

    Raises:
        InputError: No images, no class folders, one class only, or no train split.
    """
    if mapping.task not in (None, "image"):
        raise InputError(
            f"'{shown(path.name)}' holds image data, but the task asked for is '{mapping.task}'.",
            remedy="Leave --task out, or give --task image.",
        )
    if mapping.content is not None or mapping.label is not None or mapping.split is not None:
        raise InputError(
            f"'{shown(path.name)}' is an image folder, which has no columns to choose.",
            remedy="Leave the columns out, or put a metadata.csv with them beside the images.",
        )
    placed = _arranged(image_names(files, problems), path, problems=problems)
    names = strings(placed.names)
    rows = np.arange(len(names), dtype=np.int64)
    if verify:
        rows = np.setdiff1d(rows, broken_files(rows, files, placed.names.__getitem__, problems))
    if not len(rows):
        raise InputError(
            f"None of the images in '{shown(path.name)}' can be read.",
            remedy="Check one of the files in an image viewer; the problems name each.",
            problems=problems.as_tuple(),
        )
    labels = strings([placed.labels[row] for row in rows])
    _check_two(placed, rows.tolist(), mapping, path)
    _note_merged(placed, rows.tolist(), problems)
    by_name = in_order(placed.splits[row] for row in rows) if placed.splits[0] else []
    place = {name: number for number, name in enumerate(by_name)}
    splits = np.array([place.get(placed.splits[row], 0) for row in rows], dtype=np.int64)
    if by_name and TRAIN not in by_name:
        raise _no_train(path, by_name)
    found = Candidates(
        contents=FileContents(files, names),
        rows=rows,
        place=Strings(names).__getitem__,
        labels=[labels],
        split_names=by_name,
        splits=splits,
        mapping=replace(mapping, task="image", target="class"),
        format=kind,
        remedies=_REMEDIES,
    )
    return finish(found, path, problems)


def image_names(files: Files, problems: ProblemList) -> list[str]:
    """Names of all files that are images by their ending; the others are noted."""
    images: list[str] = []
    for name in files.names:
        if ending(name) in SUFFIXES:
            images.append(name)
        else:
            problems.add(
                "not an image",
                where=name,
                message="It is not an image file, and was left out.",
                remedy=f"Images end in {', '.join(sorted(SUFFIXES))}.",
            )
    return images


def _check_two(placed: _Placed, rows: Sequence[int], mapping: DataMapping, path: Path) -> None:
    unlabelled = {value.strip() for value in mapping.unlabelled}
    found = {placed.labels[row] for row in rows} - unlabelled
    if found:
        check_classes(found, name=path.name, remedy=_REMEDIES["one class"])


def _note_merged(placed: _Placed, rows: Sequence[int], problems: ProblemList) -> None:
    """Note folders that become one class, since spaces around a name do not count."""
    by_class: dict[str, list[str]] = {}
    for name in dict.fromkeys(placed.labels[row] for row in rows):
        by_class.setdefault(name.strip(), []).append(name)
    for names in by_class.values():
        if len(names) > 1:
            problems.add(
                "similar classes",
                where=", ".join(f"'{name[:40]}'" for name in names),
                message="These folders differ by spaces around the name only, and are taken as one class.",
                remedy="Rename one of them if they are different classes.",
            )


def _arranged(names: list[str], path: Path, *, problems: ProblemList) -> _Placed:
    """Each image with its split and class, by which folders there are."""
    if not names:
        raise InputError(
            f"'{shown(path.name)}' holds no images.", remedy=_LAYOUT, problems=problems.as_tuple()
        )
    parts = [name.split("/") for name in names]
    skipped = _container(parts)
    inner = [part[skipped:] for part in parts]
    tops = sorted({part[0] for part in inner if len(part) > 1})
    splits = [top for top in tops if known_split(top)]
    deep = any(len(part) > 2 for part in inner)
    if deep and any(known_split(top) == TRAIN for top in splits):
        return _placed(names, inner, problems, folders=2)
    if splits and (deep or len(splits) == len(tops)):
        if not deep:
            raise InputError(
                f"The images in '{shown(path.name)}' lie directly in {listed(splits)}, in no class folders.",
                remedy=_LAYOUT,
            )
        raise _no_train(path, tops)
    if deep:
        raise _no_train(path, tops)
    if not tops:
        raise InputError(
            f"The images in '{shown(path.name)}' lie in no class folders, so they have no labels.",
            remedy=_LAYOUT,
        )
    return _placed(names, inner, problems, folders=1)


def _container(parts: Sequence[list[str]]) -> int:
    """How many folders at the top only hold the data set (``pets/train/cat/1.png``: one)."""
    depth = 0
    while True:
        tops = {part[depth] for part in parts if len(part) > depth}
        if len(tops) != 1 or known_split(next(iter(tops))) or any(len(part) <= depth + 2 for part in parts):
            return depth
        depth += 1


def _placed(
    names: Sequence[str], inner: Sequence[list[str]], problems: ProblemList, *, folders: int
) -> _Placed:
    placed = _Placed([], [], [])
    flat = _flat_splits(inner) if folders == 2 else set()
    for name, part in zip(names, inner, strict=True):
        split = split_name(part[0]) if folders == 2 else ""
        unlabelled = split in flat and len(part) == 2
        if split is None or (len(part) <= folders and not unlabelled):
            problems.add(
                "misplaced file",
                where=name,
                message="It lies in no class folder of a split, and was left out.",
                remedy=_LAYOUT,
            )
        else:
            placed.names.append(name)
            placed.splits.append(split)
            placed.labels.append("" if unlabelled else part[folders - 1])
    return placed


def _flat_splits(inner: Sequence[list[str]]) -> set[str | None]:
    """Query splits whose images all lie directly in the split's folder: sets without labels."""
    tops = {part[0] for part in inner if len(part) == 2} - {part[0] for part in inner if len(part) > 2}
    return {known_split(top) for top in tops} - {TRAIN, None}


def _no_train(path: Path, found: list[str]) -> InputError:
    return InputError(
        f"'{shown(path.name)}' has no train split; its folders are {listed(found)}.",
        remedy="Call the folder with the training images 'train'.",
    )
