"""Decisions as data: one schema, several formats, and the source data never touched.

Every training example is exported, decided or not, so that the file alone can replace the labels.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from tracin_viz.errors import InputError, StoreError
from tracin_viz.portable import rename_durably, sync_file
from tracin_viz.relabel.events import Decision
from tracin_viz.relabel.plain_text import storable
from tracin_viz.relabel.spreadsheet import csv_text, read_csv

#: Every column of an export, in order, and what it means.
SCHEMA: dict[str, str] = {
    "id": "Example: split:row, row = its place in that split in file order.",
    "source": "File path relative to the data folder, or the full text.",
    "given_label": "Class that the data gives, by name.",
    "label": "Class to train with: the decided one, else the given one; empty = do not train on it.",
    "action": "keep, relabel, exclude, review; empty = not decided.",
    "changed": "True where `label` is not `given_label`, excluded examples included.",
    "suggested_label": "Class that the audit suggested; empty = none.",
    "score": "Suspicion score of the ranking used, higher = more suspicious; empty = could not be measured.",
    "percentile": "Percentile of that score in the training set, 0-100, higher = more suspicious.",
    "annotator": "Who decided; empty = not decided.",
    "decided_at": "When, ISO 8601 in UTC; empty = not decided.",
    "note": "What the annotator wrote.",
}
NUMBERS = ("score", "percentile")
FLAGS = ("changed",)


def rows(examples: pd.DataFrame, decisions: Mapping[str, Decision]) -> pd.DataFrame:
    """The export of these examples: one row each, columns of ``SCHEMA``.

    Args:
        examples: The training examples with columns ``id``, ``source`` and ``label`` (given class by name)
            and, where known, ``suggested``, ``score`` and ``percentile``.
        decisions: Current decision by example id, from ``EventLog.current``; those about other examples
            have no row here.

    Raises:
        InputError: A needed column is missing or an id appears twice.
    """
    missing = [name for name in ("id", "source", "label") if name not in examples.columns]
    if missing:
        raise InputError(f"The examples to export lack the column {', '.join(missing)}.")
    if examples["id"].duplicated().any():
        raise InputError(f"Example {examples['id'][examples['id'].duplicated()].iloc[0]} appears twice.")
    made = [decisions.get(str(identifier)) for identifier in examples["id"]]
    given = [storable(str(label)) for label in examples["label"]]
    labels = [label if one is None else _label(one, label) for one, label in zip(made, given, strict=True)]
    suggested = _column(examples, "suggested", "")
    frame = pd.DataFrame(
        {
            "id": [str(identifier) for identifier in examples["id"]],
            "source": [storable(str(source)) for source in examples["source"]],
            "given_label": given,
            "label": labels,
            "action": ["" if one is None else one.action for one in made],
            "changed": [new != old for new, old in zip(labels, given, strict=True)],
            "suggested_label": [
                _text(value) or ("" if one is None else _text(one.event.suggested))
                for value, one in zip(suggested, made, strict=True)
            ],
            "score": _column(examples, "score", float("nan")),
            "percentile": _column(examples, "percentile", float("nan")),
            "annotator": ["" if one is None else one.event.annotator for one in made],
            "decided_at": ["" if one is None else _iso(one.event.decided_at) for one in made],
            "note": ["" if one is None else one.event.note for one in made],
        },
        columns=list(SCHEMA),
    )
    return typed(frame)


def typed(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with the schema's types: text, numbers as float64, flags as bool."""
    kinds = {name: "float64" if name in NUMBERS else "bool" if name in FLAGS else "str" for name in SCHEMA}
    return frame.astype(kinds).reset_index(drop=True)


def write(frame: pd.DataFrame, format: str, output: Path, *, protected: Sequence[Path] = ()) -> Path:
    """Write an export, whole or not at all.

    Args:
        frame: From ``rows``.
        format: A key of ``FORMATS``.
        output: The file to write; an older export there is replaced.
        protected: Files and folders of the source data and model: nothing is written at or below them.

    Returns:
        The path written.

    Raises:
        InputError: The format is not known, or the output is a folder or part of the source data.
        StoreError: The file cannot be written.
    """
    if format not in FORMATS:
        raise InputError(f"Export format '{format}' is not known.", remedy=f"Possible: {', '.join(FORMATS)}.")
    if output.is_dir():
        raise InputError(f"{output} is a folder.", remedy="Name the file to write.")
    _refuse_source(output, protected)
    part = output.with_name(f".{output.name[:80]}.{uuid.uuid4().hex[:8]}.part")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        try:
            part.write_bytes(FORMATS[format](frame))
            sync_file(part)
            rename_durably(part, output)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(
            f"The export cannot be written to {output}: {error.strerror or error}.",
            remedy="Choose another place with --output.",
        ) from error
    return output


def csv_bytes(frame: pd.DataFrame) -> bytes:
    """The export as CSV (RFC 4180, UTF-8), safe to open in a spreadsheet: see ``spreadsheet``."""
    return csv_text(frame).encode()


def read_csv_export(path: Path) -> pd.DataFrame:
    """An exported CSV as it was before it was made safe for spreadsheets.

    Raises:
        InputError: The file is no CSV export.
    """
    frame = read_csv(path, tuple(SCHEMA))
    frame["changed"] = [value == "true" for value in frame["changed"]]
    for name in NUMBERS:
        try:
            frame[name] = [float(cell) if cell else float("nan") for cell in frame[name]]
        except ValueError as error:
            raise InputError(f"{path}, column {name}: {error}.", remedy="Give an exported file.") from error
    return typed(frame)


def _jsonl_bytes(frame: pd.DataFrame) -> bytes:
    # Not through pandas: its writer rounds numbers to 10 digits and escapes every slash.
    columns = [[None if value != value else value for value in frame[name].tolist()] for name in frame]
    lines = [
        json.dumps(dict(zip(frame.columns, values, strict=True)), ensure_ascii=False, allow_nan=False)
        for values in zip(*columns, strict=True)
    ]
    return "".join(f"{line}\n" for line in lines).encode()


def _parquet_bytes(frame: pd.DataFrame) -> bytes:
    return bytes(frame.to_parquet(index=False))


def _cleanlab_bytes(frame: pd.DataFrame) -> bytes:
    """The columns of cleanlab's issue tables, in which a *low* score is bad."""
    table = pd.DataFrame(
        {
            "id": frame["id"],
            "source": frame["source"],
            "is_label_issue": frame["changed"],
            "label_score": 1.0 - frame["percentile"] / 100.0,
            "given_label": frame["given_label"],
            "predicted_label": frame["suggested_label"],
            "corrected_label": frame["label"],
        }
    )
    return csv_bytes(table)


#: Bytes of an export by name of the format.
FORMATS: dict[str, Callable[[pd.DataFrame], bytes]] = {
    "csv": csv_bytes,
    "jsonl": _jsonl_bytes,
    "parquet": _parquet_bytes,
    "cleanlab": _cleanlab_bytes,
}


def _refuse_source(output: Path, protected: Sequence[Path]) -> None:
    # Both the place itself and what it links to: neither may be part of the data.
    places = {output.parent.resolve() / output.name, output.resolve()}
    for source in protected:
        kept = source.resolve()
        if any(place == kept or kept in place.parents for place in places):
            raise InputError(
                f"{output} is part of the source data ({source}), which is only ever read.",
                remedy="Choose another place with --output.",
            )


def _label(decision: Decision, given: str) -> str:
    if decision.action == "exclude":
        return ""
    return decision.label if decision.action == "relabel" and decision.label else given


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _column(examples: pd.DataFrame, name: str, default: object) -> list[object]:
    return list(examples[name]) if name in examples.columns else [default] * len(examples)


def _text(value: object) -> str:
    return storable(value) if isinstance(value, str) else ""
