"""Image folders ``split/class/file`` and ``class/file``, as folders or inside a zip archive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from tracin_viz.data.archives import ZipFiles
from tracin_viz.data.dataset import Dataset, Split, listed
from tracin_viz.data.files import Files, FolderFiles
from tracin_viz.data.formats.verification import readable
from tracin_viz.data.images import MAX_BYTES, SUFFIXES, decode
from tracin_viz.data.problems import ProblemList, shown
from tracin_viz.data.splits import (
    TRAIN,
    check_classes,
    held_out,
    in_order,
    known_split,
    note_absent,
    split_name,
)
from tracin_viz.errors import InputError

_LAYOUT = "Arrange the images as split/class/file (with a split called train) or as class/file."


@dataclass(frozen=True)
class _Place:
    """Where one image file belongs; ``split`` is empty where the folders name none."""

    name: str
    split: str
    label: str


class ImageReader:
    """Images of a folder or archive, read and decoded one at a time.

    Args:
        files: The folder or archive.
        names: Relative file paths of each split, in row order.
    """

    def __init__(self, files: Files, names: dict[str, list[str]]) -> None:
        self._files = files
        self._names = names

    def load(self, split: str, row: int) -> Image.Image:
        """The picture, ``RGB`` or ``L``, the right way up."""
        return decode(self.raw(split, row), self.place(split, row))

    def raw(self, split: str, row: int) -> bytes:
        """The file's bytes."""
        return self._files.read(self._names[split][row], MAX_BYTES)

    def place(self, split: str, row: int) -> str:
        """The file's path, relative to the folder or archive."""
        return self._names[split][row]


def open_image_folder(path: Path, *, verify: bool = True) -> Dataset:
    """The data set in a folder or zip of images.

    The example's row is its place among the files of its split, sorted by relative path. Without split
    folders a fifth of the examples, chosen by content, becomes the split ``test``. Files that are no
    readable images are left out, each with a problem (with ``verify``).

    Raises:
        InputError: No images, no class folders, one class only, or no train split.
    """
    problems = ProblemList()
    files: Files = FolderFiles(path, problems) if path.is_dir() else ZipFiles(path)
    places = _arranged(_image_names(files, problems), path, problems=problems)
    if verify:
        usable = readable(files, [place.name for place in places], problems=problems)
        places = [place for place in places if place.name in usable]
    if not places:
        raise InputError(
            f"None of the images in '{shown(path.name)}' can be read.",
            remedy="Check one of the files in an image viewer; the problems name each.",
            problems=problems.as_tuple(),
        )
    classes = check_classes(
        (place.label for place in places),
        name=path.name,
        remedy="Put the images of each class in a folder of its own, at least two of them.",
    )
    if not places[0].split:
        chosen = held_out([files.checksum(place.name) for place in places], [place.label for place in places])
        places = [
            _Place(place.name, "test" if test else TRAIN, place.label)
            for place, test in zip(places, chosen, strict=True)
        ]
    splits = _splits(places, classes)
    if TRAIN not in splits:
        raise _no_train(path, list(splits))
    note_absent(splits[TRAIN].labels, classes, problems=problems)
    reader = ImageReader(files, {name: list(split.sources) for name, split in splits.items()})
    return Dataset("image", classes, splits, path, problems.as_tuple(), reader, format="image folder")


def _image_names(files: Files, problems: ProblemList) -> list[str]:
    images: list[str] = []
    for name in files.names:
        if PurePosixPath(name).suffix.lower() in SUFFIXES:
            images.append(name)
        else:
            problems.add(
                "not an image",
                where=name,
                message="It is not an image file, and was left out.",
                remedy=f"Images end in {', '.join(sorted(SUFFIXES))}.",
            )
    return images


def _arranged(names: list[str], path: Path, *, problems: ProblemList) -> list[_Place]:
    """Each image with its split and class, by which folders there are."""
    if not names:
        raise InputError(
            f"'{shown(path.name)}' holds no images.", remedy=_LAYOUT, problems=problems.as_tuple()
        )
    parts = {name: name.split("/") for name in names}
    skipped = _container(list(parts.values()))
    inner = {name: parts[name][skipped:] for name in names}
    tops = sorted({part[0] for part in inner.values() if len(part) > 1})
    splits = [top for top in tops if known_split(top)]
    deep = any(len(part) > 2 for part in inner.values())
    if deep and any(known_split(top) == TRAIN for top in splits):
        return _placed(inner, problems, folders=2)
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
    return _placed(inner, problems, folders=1)


def _container(parts: Sequence[list[str]]) -> int:
    """How many folders at the top only hold the data set (``pets/train/cat/1.png``: one)."""
    depth = 0
    while True:
        tops = {part[depth] for part in parts if len(part) > depth}
        inside = [part for part in parts if len(part) > depth + 2]
        if len(tops) != 1 or known_split(next(iter(tops))) or len(inside) != len(parts):
            return depth
        depth += 1


def _placed(inner: dict[str, list[str]], problems: ProblemList, *, folders: int) -> list[_Place]:
    places: list[_Place] = []
    for name, part in inner.items():
        split = split_name(part[0]) if folders == 2 else ""
        if len(part) <= folders or split is None:
            problems.add(
                "misplaced file",
                where=name,
                message="It lies in no class folder of a split, and was left out.",
                remedy=_LAYOUT,
            )
        else:
            places.append(_Place(name, split, part[folders - 1]))
    return places


def _splits(places: list[_Place], classes: tuple[str, ...]) -> dict[str, Split]:
    index = {name: number for number, name in enumerate(classes)}
    members: dict[str, list[_Place]] = {}
    for place in sorted(places, key=lambda place: place.name):
        members.setdefault(place.split, []).append(place)
    return {
        name: Split(
            name,
            [place.name for place in members[name]],
            np.array([index[place.label] for place in members[name]], dtype=np.int64),
        )
        for name in in_order(members)
    }


def _no_train(path: Path, found: list[str]) -> InputError:
    return InputError(
        f"'{shown(path.name)}' has no train split; its folders are {listed(found)}.",
        remedy="Call the folder with the training images 'train'.",
    )
