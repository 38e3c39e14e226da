"""Writing an export, whole or not at all, and never into the source data."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from tracin_viz.data.dataset import Dataset
from tracin_viz.errors import InputError, StoreError
from tracin_viz.portable import rename_durably, sync_file
from tracin_viz.relabel.exports import cleanlab, hugging_face, label_studio, pictures, tabular
from tracin_viz.relabel.exports.progress import Progress, silent


@dataclass(frozen=True)
class Subject:
    """What the labels of an export are about.

    Attributes:
        dataset: The audit's data.
        links: How pictures come into a folder of them: a word of ``placing.LINKS``.
        told: Called as rows are written; what it raises stops the export.
    """

    dataset: Dataset
    links: str = "copy"
    told: Progress = silent

    @property
    def single_classes(self) -> tuple[str, ...]:
        """Names of the classes where a label is one class; else none."""
        return self.dataset.classes if self.dataset.target == "class" else ()


@dataclass(frozen=True)
class Format:
    """One format of exports.

    Attributes:
        ending: What a file's name ends in; empty = a folder.
        write: Writes the frame to a path where nothing is yet.
        whole: It makes no sense with a part of the rows.
        pictures: It needs examples that are pictures.
        single_class: It needs labels that are one class each.
    """

    ending: str
    write: Callable[[pd.DataFrame, Subject, Path], None]
    whole: bool = False
    pictures: bool = False
    single_class: bool = False

    def fits(self, dataset: Dataset) -> bool:
        """Whether this data set can be written so."""
        return not (self.pictures and dataset.task != "image") and not (
            self.single_class and dataset.target != "class"
        )


def write(
    frame: pd.DataFrame, format: str, output: Path, subject: Subject, *, protected: Sequence[Path] = ()
) -> Path:
    """Write an export, whole or not at all.

    Args:
        frame: From ``table.rows``.
        format: A key of ``FORMATS``.
        output: The file to write, where an older one is replaced; or the folder, which must be new or empty.
        subject: What the labels are about.
        protected: Files and folders of the source data, model and workspace: nothing is written at or below
            them.

    Returns:
        The path written.

    Raises:
        InputError: The format is not known or does not fit, or the output cannot be written to.
        StoreError: The disk refused.
    """
    if format not in FORMATS:
        raise InputError(f"Export format '{format}' is not known.", remedy=f"Possible: {', '.join(FORMATS)}.")
    chosen = FORMATS[format]
    _check_output(output, chosen, format, protected)
    part = output.with_name(f".{output.name[:80]}.{uuid.uuid4().hex[:8]}.part")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        try:
            chosen.write(frame, subject, part)
            if chosen.ending:
                sync_file(part)
            elif output.is_dir():
                output.rmdir()  # it is empty; Windows renames onto nothing only
            rename_durably(part, output)
        finally:
            _remove(part)
    except OSError as error:
        raise StoreError(
            f"The export cannot be written to {output}: {error.strerror or error}.",
            remedy="Choose another place with --output.",
        ) from error
    return output


def _check_output(output: Path, chosen: Format, format: str, protected: Sequence[Path]) -> None:
    refuse_source(output, protected)
    if chosen.ending and output.is_dir():
        raise InputError(f"{output} is a folder.", remedy="Name the file to write.")
    if not chosen.ending and output.exists() and not (output.is_dir() and not any(output.iterdir())):
        raise InputError(
            f"The format {format} is a folder of its own, and {output} exists already.",
            remedy="Name a folder that is not there yet, or an empty one.",
        )


def refuse_source(output: Path, protected: Sequence[Path]) -> None:
    """Refuse a place that is, or lies in, what is only ever read.

    Raises:
        InputError: It does.
    """
    # Both the place itself and what it links to: neither may be part of the data.
    places = {output.parent.resolve() / output.name, output.resolve()}
    for source in protected:
        kept = source.resolve()
        if any(place == kept or kept in place.parents for place in places):
            raise InputError(
                f"{output} is part of the source data ({source}), which is only ever read.",
                remedy="Choose another place with --output.",
            )


def _remove(part: Path) -> None:
    if part.is_dir():
        shutil.rmtree(part, ignore_errors=True)
    else:
        part.unlink(missing_ok=True)


#: Formats by name.
FORMATS: dict[str, Format] = {
    "csv": Format(".csv", lambda frame, subject, path: tabular.write_csv(frame, path, told=subject.told)),
    "jsonl": Format(
        ".jsonl", lambda frame, subject, path: tabular.write_json_lines(frame, path, told=subject.told)
    ),
    "parquet": Format(".parquet", lambda frame, _, path: tabular.write_parquet(frame, path)),
    "hf": Format("", lambda frame, subject, path: hugging_face.write_dataset(frame, path, told=subject.told)),
    "imagefolder": Format(
        "",
        lambda frame, subject, path: pictures.write_image_folder(
            frame, subject.dataset, path, links=subject.links, told=subject.told
        ),
        pictures=True,
    ),
    "images": Format(
        "",
        lambda frame, subject, path: pictures.write_cleaned(
            frame, subject.dataset, path, links=subject.links, told=subject.told
        ),
        whole=True,
        pictures=True,
        single_class=True,
    ),
    "cleanlab": Format(
        ".csv", lambda frame, subject, path: cleanlab.write_single(frame, path, told=subject.told)
    ),
    "cleanlab-multi": Format(
        ".csv",
        lambda frame, subject, path: cleanlab.write_wide(
            frame, path, classes=subject.single_classes, told=subject.told
        ),
        single_class=True,
    ),
    "label-studio": Format(
        ".json",
        lambda frame, subject, path: label_studio.write_tasks(
            frame,
            path,
            task=subject.dataset.task,
            target=subject.dataset.target,
            classes=subject.dataset.classes,
            told=subject.told,
        ),
    ),
}
