"""Groups of examples that the model treated alike, found on the influence map and described in words.

HDBSCAN works on the two map coordinates, so that a cluster is what the eye sees as one; why not on more
dimensions, and how the smallest size was chosen, is measured in docs/decisions/0020-clusters.md.
"""

from __future__ import annotations

import math
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tracin_viz.errors import InputError

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.floating]

#: Representatives per cluster: one row of pictures.
EXEMPLARS = 12


@dataclass(frozen=True)
class Clustering:
    """Which cluster each example belongs to.

    Attributes:
        labels: (N,) int64 cluster, 0 = the largest; -1 = none (noise, or not on the map).
        probabilities: (N,) float32 strength of membership, 0–1; 0 where there is none.
        coordinates: (N, 2) the map they were found on.
    """

    labels: Rows
    probabilities: npt.NDArray[np.float32]
    coordinates: Floats


@dataclass(frozen=True)
class Name:
    """A cluster's name in parts, for pages in other languages.

    Attributes:
        kind: "only", "mostly" one class, "some" of a second one, "mixed", or "none" at all.
        classes: The classes that it names, most frequent first.
        model: What the model mostly predicts, where that is another class; else empty.
        number: Behind names that occur more than once, from 1; 0 = the only one of its name.
    """

    kind: str
    classes: tuple[str, ...]
    model: str = ""
    number: int = 0

    def words(self) -> str:
        """In English: "mostly 7, some 9 — model says 9 (2)"."""
        first, second = (*self.classes, "", "")[:2]
        words = {
            "none": "no class",
            "only": first,
            "mostly": f"mostly {first}",
            "some": f"mostly {first}, some {second}",
            "mixed": f"mixed: {', '.join(self.classes)}",
        }[self.kind]
        if self.model:
            words = f"{words} — model says {self.model}"
        return f"{words} ({self.number})" if self.number else words


@dataclass(frozen=True)
class ClusterSummary:
    """One cluster in words and numbers.

    Attributes:
        id: As in ``Clustering.labels``.
        parts: Its name, unique among the clusters.
        size: Examples.
        classes: Examples by name of the given class, most frequent first.
        suspect_share: Share of its examples that are suspects, 0–1.
        exemplars: Rows that stand for it, best first.
    """

    id: int
    parts: Name
    size: int
    classes: dict[str, int]
    suspect_share: float
    exemplars: list[int]

    @property
    def name(self) -> str:
        """Its name in English: "mostly 7, some 9"."""
        return self.parts.words()


def default_size(count: int) -> int:
    """Smallest cluster by default for ``count`` examples: a fifth of the square root, at least 5."""
    return max(5, round(math.sqrt(count) / 5))


def load() -> None:
    """Load HDBSCAN, which takes a second or two, before anybody waits for clusters."""
    import hdbscan  # noqa: F401


def cluster(
    coordinates: Floats, *, min_cluster_size: int | None = None, min_samples: int | None = None
) -> Clustering:
    """Find clusters with HDBSCAN (Campello et al. 2013).

    Args:
        coordinates: (N, 2) map; rows with NaN belong to no cluster.
        min_cluster_size: Smallest cluster, at least 2; by default ``default_size`` of those on the map.
        min_samples: How cautious to be; larger leaves more examples outside. By default the same.

    Raises:
        InputError: A size is too small.
    """
    for name, value, least in (("smallest cluster", min_cluster_size, 2), ("`min_samples`", min_samples, 1)):
        if value is not None and value < least:
            raise InputError(f"The {name} must be at least {least}, got {value}.")
    labels = np.full(len(coordinates), -1, dtype=np.int64)
    probabilities = np.zeros(len(coordinates), dtype=np.float32)
    placed = np.isfinite(coordinates).all(axis=1)
    smallest = min_cluster_size or default_size(int(placed.sum()))
    cautious = min_samples or smallest
    if placed.sum() > max(smallest, cautious):
        import hdbscan

        with warnings.catch_warnings():
            # hdbscan calls scikit-learn by parameter names that are on their way out.
            warnings.simplefilter("ignore", category=FutureWarning)
            found = hdbscan.HDBSCAN(min_cluster_size=smallest, min_samples=cautious, core_dist_n_jobs=1).fit(
                np.asarray(coordinates[placed], dtype=np.float64)
            )
        labels[placed] = _by_size(np.asarray(found.labels_, dtype=np.int64))
        probabilities[placed] = np.where(labels[placed] >= 0, found.probabilities_, 0.0)
    return Clustering(labels, probabilities, coordinates)


def describe(
    clustering: Clustering,
    *,
    classes: Sequence[str],
    given: Rows,
    suspects: npt.NDArray[np.bool_],
    predicted: Rows | None = None,
) -> list[ClusterSummary]:
    """The clusters in words, those with the largest share of suspects first, then by size.

    Args:
        clustering: From ``cluster``, or read back from the store.
        classes: Names by index.
        given: (N,) class index given to each example.
        suspects: (N,) True for suspects.
        predicted: (N,) class index predicted by the last checkpoint: names can then say "7 seen as 9".

    Raises:
        InputError: The arrays are not one entry per example.
    """
    count = len(clustering.labels)
    arrays = [given, suspects, *([] if predicted is None else [predicted])]
    if any(len(array) != count for array in arrays):
        raise InputError(f"{count} clustered examples do not fit {[len(array) for array in arrays]} entries.")
    summaries: list[ClusterSummary] = []
    for number in range(int(clustering.labels.max(initial=-1)) + 1):
        members = np.flatnonzero(clustering.labels == number)
        if not len(members):
            continue
        mix = _counts(given[members], classes)
        seen = {} if predicted is None else _counts(predicted[members], classes)
        summaries.append(
            ClusterSummary(
                number,
                _name(mix, seen),
                len(members),
                mix,
                float(np.mean(suspects[members])),
                _exemplars(clustering, members),
            )
        )
    summaries.sort(key=lambda one: (-one.suspect_share, -one.size, one.id))
    return _numbered(summaries)


def _by_size(labels: Rows) -> Rows:
    """The same clusters numbered by falling size, equal ones by their first example."""
    numbers, first, sizes = np.unique(labels[labels >= 0], return_index=True, return_counts=True)
    renumbered = np.full(int(numbers.max(initial=-1)) + 2, -1, dtype=np.int64)  # the last entry serves -1
    renumbered[numbers[np.lexsort((first, -sizes))]] = np.arange(len(numbers))
    return renumbered[labels]


def _counts(indices: Rows, classes: Sequence[str]) -> dict[str, int]:
    found = Counter(int(index) for index in indices)
    ranked = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
    return {classes[index]: number for index, number in ranked if 0 <= index < len(classes)}


def _name(given: dict[str, int], predicted: dict[str, int]) -> Name:
    """A name for a class mix; ``predicted`` speaks only where the model mostly disagrees."""
    total = sum(given.values())
    if not total:
        return Name("none", ())
    ranked = list(given)
    first, second = given[ranked[0]] / total, (given[ranked[1]] / total if len(ranked) > 1 else 0.0)
    if first < 0.5:
        return Name("mixed", tuple(ranked[:3]))
    model = next(iter(predicted), ranked[0])
    other = model if model != ranked[0] and predicted[model] * 2 > total else ""
    if second >= 0.05:
        return Name("some", (ranked[0], ranked[1]), other)
    return Name("mostly" if first < 1 else "only", (ranked[0],), other)


def _numbered(summaries: list[ClusterSummary]) -> list[ClusterSummary]:
    """The same with a number behind names that occur more than once."""
    often = Counter(one.parts for one in summaries)
    used: Counter[Name] = Counter()
    result: list[ClusterSummary] = []
    for one in summaries:
        used[one.parts] += 1
        number = used[one.parts] if often[one.parts] > 1 else 0
        result.append(replace(one, parts=replace(one.parts, number=number)))
    return result


def _exemplars(clustering: Clustering, members: Rows) -> list[int]:
    """Strongest members first; among the many with full membership those nearest to the middle."""
    strength = np.round(clustering.probabilities[members].astype(np.float64), 1)
    places = np.asarray(clustering.coordinates[members], dtype=np.float64)
    distance = np.linalg.norm(places - np.median(places, axis=0), axis=1)
    ranked = members[np.lexsort((members, distance, -strength))]
    return [int(row) for row in ranked[:EXEMPLARS]]
