"""Tables with cleanlab's columns: for one label each, and for several annotators.

``label_score`` and ``is_label_issue`` are what ``Datalab.get_issues("label")`` calls them; the wide table's
columns ``annotator:NAME`` are what ``cleanlab.multiannotator.get_label_quality_multiannotator`` takes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from tracin_viz.errors import InputError
from tracin_viz.relabel.exports.progress import Progress, silent
from tracin_viz.relabel.exports.tabular import write_csv

#: What the columns of single people begin with.
PERSON = "annotator:"


def write_single(frame: pd.DataFrame, path: Path, *, told: Progress = silent) -> None:
    """CSV: the schema's columns and those that cleanlab calls a label issue."""
    found = frame.assign(
        is_label_issue=frame["changed"],
        label_score=1.0 - frame["percentile"] / 100.0,
        predicted_label=_predicted(frame),
        corrected_label=frame["label"],
    )
    write_csv(found, path, told=told)


def write_wide(frame: pd.DataFrame, path: Path, *, classes: Sequence[str], told: Progress = silent) -> None:
    """CSV: one column of class numbers for each person who decided; empty where that person gave no class.

    Args:
        frame: Columns of ``SCHEMA``.
        path: The file.
        classes: Names by number.
        told: Called as rows are written.

    Raises:
        InputError: Labels are no single classes, so that they have no numbers.
    """
    if not classes:
        raise InputError(
            "The table for several annotators holds one class number each, and labels of this audit are no "
            "single classes.",
            remedy="Export as CSV or JSONL: their column decisions has each person's label.",
        )
    numbers = {name: number for number, name in enumerate(classes)}
    given = frame["given_label"].map(numbers).fillna(-1).astype("int64")
    kept = given.tolist()
    people: dict[str, list[str]] = {}
    for row, text in enumerate(frame["decisions"].tolist()):
        for entry in json.loads(text) if text else ():
            number = kept[row] if entry["action"] == "keep" else numbers.get(entry.get("label", ""), -1)
            if entry["action"] in ("keep", "relabel") and number >= 0:
                if entry["annotator"] not in people:
                    people[entry["annotator"]] = [""] * len(frame)
                people[entry["annotator"]][row] = str(number)
    wide = frame[["id", "source", "given_label", "suggested_label"]].assign(given=given)
    for name in sorted(people):
        wide[f"{PERSON}{name}"] = people[name]
    write_csv(wide.assign(decisions=frame["decisions"]), path, told=told)


def _predicted(frame: pd.DataFrame) -> pd.Series[str]:
    computed = np.isfinite(frame["percentile"].to_numpy())
    unsaid = (frame["suggested_label"] == "").to_numpy()
    return frame["suggested_label"].where(~(unsaid & computed), frame["given_label"])
