"""What the colours of the map mean: clusters, classes, agreement, or how high a score ranks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas

from tracin_viz.audit import Audit, Grouping
from tracin_viz.ui import theme
from tracin_viz.ui.cards import signed
from tracin_viz.ui.clusters.names import cluster_words
from tracin_viz.ui.components.scatter import Category, Colouring, Label
from tracin_viz.ui.components.scatter.points import MOST_CATEGORIES, PLAIN, SHAPES
from tracin_viz.ui.language import later, tr
from tracin_viz.ui.short import class_words

NO_CLUSTER = later("no cluster")
UNKNOWN = later("unknown")
#: Names on the map; more would only lie over each other.
MOST_LABELS = 40
#: Shares of the ranking, from below: name, upper end, colour and shape.
BANDS: tuple[tuple[str, float, str, int], ...] = (
    (later("lower half"), 0.50, "", PLAIN),
    ("50–75 %", 0.75, "#56B4E9", 0),
    ("75–90 %", 0.90, "#0072B2", 1),
    ("90–95 %", 0.95, "#E69F00", 3),
    ("95–99 %", 0.99, "#D55E00", 2),
    (later("top 1 %"), 1.00, "#CC79A7", 5),
)

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Painted:
    """Colours of the map and the words on it."""

    colouring: Colouring
    labels: tuple[Label, ...]


def options(audit: Audit) -> dict[str, str]:
    """What the map can be coloured by, and its words, which ``tr`` translates."""
    found = {"cluster": later("Cluster")}
    if audit.target == "class":
        found |= {
            "class": later("Given label"),
            "predicted": later("Predicted label"),
            "agreement": later("Label and prediction"),
        }
    return {**found, "suspicion": later("Self-influence"), "loss": later("Loss")}


def paint(audit: Audit, found: Grouping, table: pandas.DataFrame, by: str) -> Painted:
    """Colours and words of the map, in the language of the visit.

    Args:
        audit: The audit.
        found: The points and their clusters.
        table: All training examples (``Audit.examples``).
        by: A key of ``options``.
    """
    rows = table.iloc[found.rows]
    columns: dict[str, Callable[[], Painted]] = {
        "cluster": lambda: by_cluster(found),
        "class": lambda: _by_class(audit, found, rows["label"].to_numpy(), tr("Given label")),
        "predicted": lambda: _by_class(audit, found, rows["predicted"].to_numpy(), tr("Predicted label")),
        "agreement": lambda: _agreement(rows["wrong"].to_numpy(dtype=bool)),
        "suspicion": lambda: by_rank(tr("Self-influence"), rows["self_influence"].to_numpy(dtype=float)),
        "loss": lambda: by_rank(tr("Loss"), rows["loss"].to_numpy(dtype=float)),
    }
    return columns[by]()


def by_cluster(found: Grouping) -> Painted:
    """The largest clusters in colour, the others in grey, all of them named on the map."""
    named = sorted(found.summaries, key=lambda one: one.id)
    names = [cluster_words(one) for one in named]
    codes = np.zeros(len(found.clusters), dtype=np.int64)
    for place, one in enumerate(named, start=1):
        codes[found.clusters == one.id] = place
    return _named(tr("Cluster"), names, codes, found.coordinates, without=tr(NO_CLUSTER), above=True)


def _by_class(audit: Audit, found: Grouping, values: npt.NDArray[np.object_], title: str) -> Painted:
    place = {name: number for number, name in enumerate(audit.classes, start=1)}
    codes = np.fromiter((place.get(str(value), 0) for value in values), dtype=np.int64, count=len(values))
    return _named(title, class_words(audit, audit.classes), codes, found.coordinates, without=tr(UNKNOWN))


def _named(
    title: str,
    names: Sequence[str],
    codes: Codes,
    coordinates: npt.NDArray[np.float32],
    *,
    without: str,
    above: bool = False,
) -> Painted:
    """Categories by name: code 0 is ``without``, then ``names``; those without a point are left out."""
    names = list(names)[: MOST_CATEGORIES - 1]
    counts = np.bincount(codes, minlength=len(names) + 1)
    colours = theme.class_colours([str(place) for place in range(len(names))])
    grey = theme.colour("neutral")
    categories = [Category(without, int(counts[0]))]
    for place, name in enumerate(names):
        colour = colours[str(place)]
        coloured = colour != grey
        categories.append(
            Category(
                name,
                int(counts[place + 1]),
                colour if coloured else "",
                place % SHAPES if coloured else PLAIN,
            )
        )
    kept = [number for number, category in enumerate(categories) if category.count and number]
    kept += [0] if counts[0] else []
    renumbered = np.zeros(len(categories), dtype=np.int64)
    renumbered[kept] = np.arange(len(kept))
    shown = [categories[number] for number in kept] or [Category(without, 0)]
    codes = renumbered[codes]
    named = [place for place, number in enumerate(kept) if number]
    return Painted(Colouring(title, codes, shown), _labels(shown, codes, coordinates, named, above=above))


def _labels(
    categories: Sequence[Category],
    codes: Codes,
    coordinates: npt.NDArray[np.float32],
    named: Sequence[int],
    *,
    above: bool,
) -> tuple[Label, ...]:
    """A name where each category mostly is, the largest first."""
    largest = sorted(named, key=lambda place: -categories[place].count)[:MOST_LABELS]
    labels = []
    for place in largest:
        there = coordinates[codes == place]
        there = there[np.isfinite(there).all(axis=1)]
        if len(there):
            x, y = np.median(there, axis=0)
            if above:
                y = np.quantile(there[:, 1], 0.98)
            labels.append(Label(categories[place].name, float(x), float(y), above))
    return tuple(labels)


def _agreement(wrong: npt.NDArray[np.bool_]) -> Painted:
    categories = [
        Category(tr("the same"), int((~wrong).sum())),
        Category(tr("they differ"), int(wrong.sum()), theme.colour("suspect"), 2),
    ]
    return Painted(Colouring(tr("Label and prediction"), wrong.astype(np.int64), categories), ())


def by_rank(title: str, scores: npt.NDArray[np.floating]) -> Painted:
    """Bands of the ranking, so that a heavy tail does not swallow all colours but one.

    Args:
        title: Of the scores.
        scores: (n,) higher = more; not finite ones are "unknown".
    """
    finite = np.isfinite(scores)
    codes = np.full(len(scores), len(BANDS), dtype=np.int64)
    edges = np.quantile(scores[finite], [end for _, end, _, _ in BANDS]) if finite.any() else []
    codes[finite] = np.minimum(np.searchsorted(edges, scores[finite], side="left"), len(BANDS) - 1)
    counts = np.bincount(codes, minlength=len(BANDS) + 1)
    categories = [
        Category(
            tr("{band} (up to {score})", band=tr(name), score=signed(float(edge)).lstrip("+")),
            int(count),
            colour,
            shape,
        )
        for (name, _, colour, shape), edge, count in zip(BANDS, edges, counts, strict=False)
    ] or [Category(tr(name), 0) for name, *_ in BANDS]
    categories.append(Category(tr(UNKNOWN), int(counts[len(BANDS)])))
    if not counts[len(BANDS)]:
        categories.pop()
    return Painted(Colouring(title, codes, categories), ())
