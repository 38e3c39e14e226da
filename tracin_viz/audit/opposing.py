"""The opposing document: training examples that push against many query examples at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tracin_viz.audit.influence import Place, check_ranking, entries, needs_scores
from tracin_viz.errors import InputError
from tracin_viz.jobs.query_client import QueryClient

#: Query examples looked at unless more are asked for; each costs a scan's share over all training sketches.
MOST = 500
#: Query examples per request: between requests a newer question gets its turn, and progress is told.
AT_ONCE = 64
NAMED = 10  # query examples named for each opponent

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Many:
    """What is counted (arguments of ``Audit.opposing``)."""

    among: str
    each: int
    ranking: str
    top: int
    most: int

    def check(self) -> None:
        """Refuse what cannot be counted.

        Raises:
            InputError: A number is out of range, or a word unknown.
        """
        check_ranking(self.ranking)
        if self.among not in ("wrong", "all"):
            raise InputError(f"'{self.among}' names no query examples.", remedy="Possible: wrong, all.")
        if not (1 <= self.each <= 100 and 1 <= self.top <= 1000 and 1 <= self.most <= 100_000):
            raise InputError(
                f"Opponents cannot be counted with each={self.each}, top={self.top}, most={self.most}.",
                remedy="each lies between 1 and 100, top between 1 and 1000, most between 1 and 100000.",
            )


def opposing_document(
    place: Place, many: Many, *, progress: Callable[[int, int], None], session: str
) -> dict[str, Any]:
    """Count top opponents over many queries (see ``Audit.opposing``)."""
    many.check()
    wanted = _queries(place, many.among)
    rows = wanted[: many.most]
    found = np.full((len(rows), many.each), -1, dtype=np.int64)
    client, split = QueryClient(place.home), place.query_split
    header = {"audit": place.record.name, "split": split, "ranking": many.ranking, "each": many.each}
    progress(0, len(rows))
    for start in range(0, len(rows), AT_ONCE):
        part = rows[start : start + AT_ONCE]
        _, (opponents, _) = client.ask("opponents", header, [part], session=session)
        found[start : start + len(part)] = opponents
        progress(start + len(part), len(rows))
    return {
        "audit": place.record.name,
        "split": split,
        "among": many.among,
        "each": many.each,
        "ranking": many.ranking,
        "looked_at": len(rows),
        "of": len(wanted),
        "opponents": _counted(place, rows, found, many.top),
    }


def _queries(place: Place, among: str) -> Rows:
    """Rows of the query split to look at, those with the largest loss first."""
    if among == "wrong" and place.record.target == "number":
        raise InputError(
            "A predicted number is never simply wrong, so there are no wrong predictions to look at.",
            remedy="Ask for all query examples; those with the largest loss come first.",
        )
    needs_scores(place.results)
    table = place.results.examples(place.query_split)
    loss = table["loss"].to_numpy(dtype=np.float64)
    keep = np.isfinite(loss)  # an example without a label has no loss, and so no opponents
    if among == "wrong":
        keep &= table["wrong"].to_numpy(dtype=bool)
    rows = np.flatnonzero(keep)
    return rows[np.argsort(-loss[rows], kind="stable")].astype(np.int64)


def _counted(place: Place, rows: Rows, found: Rows, top: int) -> list[dict[str, Any]]:
    """Training examples by how many queries they are a top opponent of; ties to the lower row."""
    hits = found[found >= 0]
    counts = np.bincount(hits, minlength=1)
    order = np.lexsort((np.arange(len(counts)), -counts))[:top]
    rows_found = order[counts[order] > 0].tolist()
    listed = []
    for row, known in zip(rows_found, entries(place.results, rows_found), strict=True):
        asked = rows[(found == row).any(axis=1)]
        ids = [f"{place.query_split}:{number}" for number in asked[:NAMED].tolist()]
        listed.append({**known, "count": int(counts[row]), "examples": ids})
    return listed
