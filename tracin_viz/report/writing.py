"""The report's way to the disk: whole or not at all, and never onto the data it is about."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path

from tracin_viz.errors import InputError, StoreError
from tracin_viz.portable import rename_durably, sync_file
from tracin_viz.relabel.exports.writing import refuse_source


def check_place(output: Path, protected: Sequence[Path]) -> None:
    """Refuse a place for the report before the work is done.

    Raises:
        InputError: It is a folder, or part of the source data.
    """
    refuse_source(output, protected)
    if output.is_dir():
        raise InputError(f"{output} is a folder.", remedy="Name the file to write, such as report.html.")


def write_report(text: str, output: Path, *, protected: Sequence[Path] = ()) -> Path:
    """Write the report's text; an older file there is replaced.

    Args:
        text: From ``page.report_page``.
        output: The file.
        protected: Files and folders of the source data and model, which are only read.

    Raises:
        InputError: The place is a folder, or part of the source data.
        StoreError: The disk refused.
    """
    check_place(output, protected)
    part = output.with_name(f".{output.name[:80]}.{uuid.uuid4().hex[:8]}.part")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        try:
            part.write_text(text, "utf-8")
            sync_file(part)
            rename_durably(part, output)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(
            f"The report cannot be written to {output}: {error.strerror or error}.",
            remedy="Choose another place with --output.",
        ) from error
    return output
