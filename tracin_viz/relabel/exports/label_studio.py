"""Tasks of Label Studio: the audit's suggestion as a prediction, each person's decision as an annotation.

The annotator's name and the time are in the ``meta`` of a result, which Label Studio keeps as it is; as
``completed_by`` it takes only its own users, and refuses a file that names others.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from tracin_viz.relabel.exports.progress import Progress, silent
from tracin_viz.relabel.exports.tabular import pieces

#: Names of the controls in the labelling interface; ``docs/exports.md`` shows the interface itself.
LABEL, DECISION, NOTE = "label", "decision", "note"
#: Who made the predictions.
MODEL = "TracIn-Viz"


def write_tasks(
    frame: pd.DataFrame,
    path: Path,
    *,
    task: str,
    target: str,
    classes: tuple[str, ...],
    told: Progress = silent,
) -> None:
    """One JSON array of tasks.

    Args:
        frame: Columns of ``SCHEMA``.
        path: The file.
        task: ``"image"``, or anything else for text.
        target: What a label is.
        classes: Names of the classes.
        told: Called as rows are written.
    """
    writer = _Writer("image" if task == "image" else "text", target, classes)
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        before = "[\n"
        for piece in pieces(frame, told):
            for made in writer.tasks(piece):
                stream.write(before + encode(made))
                before = ",\n"
        stream.write("[]\n" if before == "[\n" else "\n]\n")


class _Writer:
    def __init__(self, kind: str, target: str, classes: tuple[str, ...]) -> None:
        self._kind = kind
        self._target = target
        self._classes = classes

    def tasks(self, frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
        """A task for each row."""
        columns = [
            frame[name].tolist()
            for name in ("id", "source", "given_label", "suggested_label", "percentile", "decisions")
        ]
        for identifier, source, given, suggested, percentile, decisions in zip(*columns, strict=True):
            data = {
                self._kind: _address(source) if self._kind == "image" else source,
                "id": identifier,
                "source": source,
                "given_label": given,
                "suggested_label": suggested,
            }
            made: dict[str, Any] = {"data": data}
            if suggested and (result := self._label(suggested)) is not None:
                score = 0.0 if math.isnan(percentile) else percentile / 100.0
                made["predictions"] = [{"model_version": MODEL, "score": score, "result": [result]}]
            if decisions:
                made["annotations"] = [self._annotation(entry, given) for entry in json.loads(decisions)]
            yield made

    def _annotation(self, entry: dict[str, Any], given: str) -> dict[str, Any]:
        meta = {name: entry[name] for name in ("annotator", "at", "settles") if name in entry}
        results = [{**self._result(DECISION, "choices", {"choices": [entry["action"]]}), "meta": meta}]
        label = entry.get("label", given if entry["action"] == "keep" else "")
        if label and (result := self._label(label)) is not None:
            results.append(result)
        if entry.get("note"):
            results.append(self._result(NOTE, "textarea", {"text": [entry["note"]]}))
        return {"result": results, "was_cancelled": False, "ground_truth": False, "created_at": entry["at"]}

    def _label(self, text: str) -> dict[str, Any] | None:
        """A label as the result of its control."""
        if self._target == "number":
            return self._result(LABEL, "number", {"number": float(text)})
        names = json.loads(text) if self._target == "multi-label" else [text]
        return self._result(LABEL, "choices", {"choices": names})

    def _result(self, control: str, kind: str, value: dict[str, Any]) -> dict[str, Any]:
        return {"from_name": control, "to_name": self._kind, "type": kind, "value": value}


def _address(source: str) -> str:
    """Where Label Studio finds a file when the data folder is its local storage."""
    return f"/data/local-files/?d={quote(source)}"
