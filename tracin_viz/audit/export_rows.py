"""What an export says about each training example besides the decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tracin_viz.audit.results import Results
from tracin_viz.data.dataset import Dataset
from tracin_viz.explore import suspects
from tracin_viz.relabel.exports.label_texts import given_texts, names_text, number_text


def export_rows(results: Results, only: Sequence[int] | None = None) -> pd.DataFrame:
    """Columns id, source and label of the training examples; once computed, suggested, score, percentile.

    Args:
        results: Of the audit.
        only: Rows of the training split; ``None`` = all.
    """
    dataset = results.dataset()
    part = dataset.splits["train"]
    if only is not None:
        few = np.asarray(only, dtype=np.int64)
        targets = None if part.targets is None else part.targets[few]
        part = replace(
            part,
            sources=[part.sources[row] for row in few.tolist()],
            labels=part.labels[few],
            targets=targets,
        )
        dataset = replace(dataset, splits={**dataset.splits, "train": part})
    rows = range(len(part)) if only is None else only
    found = pd.DataFrame(
        {
            "id": [f"train:{row}" for row in rows],
            # A file name that is not valid text holds surrogates, which pandas takes as objects only.
            "source": pd.Series(list(part.sources), dtype=object),
            "label": given_texts(dataset, "train"),
        }
    )
    # Decisions can be exported before (or without) a computation: those columns are then missing.
    if results.scores_ready():
        scores = results.suspect_scores("self-influence")
        measured = results.measured("train")
        percentiles = suspects.percentiles(scores)
        if only is not None:
            scores, percentiles = scores[few], percentiles[few]
            measured = {name: values[:, few] for name, values in measured.items()}
        found["suggested"] = _suggested(measured, dataset)
        found["score"] = scores
        found["percentile"] = percentiles
    return found


def _suggested(measured: Mapping[str, npt.NDArray[Any]], dataset: Dataset) -> list[str]:
    """The label that each training example might have instead, as a label is written; empty = none."""
    if dataset.target == "number":
        predicted = measured["value"][-1].tolist()
        return [number_text(float(f"{value:.4g}")) if np.isfinite(value) else "" for value in predicted]
    part = dataset.splits["train"]
    other, _ = suspects.suggestions(part.labels, measured["other"], measured["other_probability"])
    names = [*dataset.classes, ""]
    if dataset.target == "class" or part.targets is None:
        return [names[index] for index in other.tolist()]
    # Of several labels, one is in question: the suggestion is the others with that one switched.
    found = []
    for row, index in enumerate(other.tolist()):
        switched = np.array(part.targets[row])
        if index >= 0:
            switched[index] = 1 - switched[index]
        named = index >= 0 and not np.isnan(switched).any()
        found.append(names_text([names[k] for k in np.flatnonzero(switched).tolist()]) if named else "")
    return found
