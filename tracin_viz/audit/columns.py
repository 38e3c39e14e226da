"""Properties of the training examples by which pages filter them, as codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from tracin_viz.audit.results import Results
from tracin_viz.audit.wording import disagrees
from tracin_viz.explore import suspects
from tracin_viz.explore.facets import Column
from tracin_viz.relabel.decisions import Decision
from tracin_viz.store.registry import AuditRecord

#: Keys of the columns that are not classes or clusters.
AGREEMENT = ("yes", "no")
DECIDED = ("none", "keep", "relabel", "exclude", "review", "skip")
NO_CLUSTER = "none"
#: Bands of the confidence of a prediction in percent, the lower end in the band; the last holds 100 too.
CONFIDENCE_BANDS = ((0, 50), (50, 80), (80, 95), (95, 99), (99, 100))


def training_columns(record: AuditRecord, results: Results) -> tuple[Column, ...]:
    """Given, predicted and suggested class of each training example, and whether the model agrees.

    Where labels are several classes at once there is only the last, where they are numbers nothing.
    """
    labels = np.asarray(results.dataset().splits["train"].labels)
    measured = results.measured("train")
    predicted = measured["predicted"][-1]
    found = []
    if record.target == "class":
        suggested, _ = suspects.suggestions(labels, measured["other"], measured["other_probability"])
        pairs = (("label", labels), ("predicted", predicted), ("suggested", suggested))
        found = [Column(name, record.classes, _known(codes, record.classes)) for name, codes in pairs]
        found.append(_confidence_column(measured["probability"][-1]))
    if record.target != "number":
        wrong = disagrees(record.target, labels, predicted, measured["value"][-1])
        found.append(Column("agrees", AGREEMENT, wrong.astype(np.int8)))
    return tuple(found)


def _confidence_column(probability: npt.NDArray[np.floating]) -> Column:
    """The band of the last checkpoint's confidence; -1 where it is not finite."""
    ends = np.array([low for low, _ in CONFIDENCE_BANDS[1:]], dtype=np.float64)
    codes = np.digitize(np.asarray(probability, dtype=np.float64) * 100, ends)
    keys = tuple(f"{low}-{high}" for low, high in CONFIDENCE_BANDS)
    return Column("confidence", keys, np.where(np.isfinite(probability), codes, -1).astype(np.int8))


def cluster_column(clusters: npt.NDArray[np.int64]) -> Column:
    """The cluster of each example, by its number; ``none`` for those outside."""
    number = int(clusters.max(initial=-1)) + 1
    keys = (*map(str, range(number)), NO_CLUSTER)
    return Column("cluster", keys, np.where(clusters < 0, number, clusters))


def decided_column(decisions: Mapping[str, Decision], count: int) -> Column:
    """What was decided about each training example; ``none`` for the others.

    Args:
        decisions: The current decision by example.
        count: Training examples.
    """
    places = {name: place for place, name in enumerate(DECIDED)}
    codes = np.zeros(count, dtype=np.int8)
    for identity, now in decisions.items():
        split, _, row = identity.rpartition(":")
        if split == "train" and row.isdecimal() and int(row) < count:
            codes[int(row)] = places.get(now.action, 0)
    return Column("decided", DECIDED, codes)


def _known(codes: npt.NDArray[np.integer], classes: Sequence[str]) -> npt.NDArray[np.integer]:
    """The codes, with what is no class of the audit as -1."""
    return np.where((codes >= 0) & (codes < len(classes)), codes, -1).astype(np.int32)
