"""What speaks for and against the labels of suspects beside their score: predictions and neighbours.

The neighbours of a few suspects are looked up here; those of many in the query process, once, and kept in the
store. Until they are there nothing is said about them.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tracin_viz.audit.results import Results
from tracin_viz.errors import TracinVizError
from tracin_viz.explore import rarity, suspects
from tracin_viz.explore.facets import Column
from tracin_viz.jobs.query_client import QueryClient
from tracin_viz.store import neighbours
from tracin_viz.store.registry import AuditRecord

#: Multiplications that this process does itself; more are asked of the query process.
FEW = 2_000_000_000
#: Seconds until a failed look-up is tried again.
AGAIN_SECONDS = 300.0

_log = logging.getLogger(__name__)
_lock = threading.Lock()
_begun: dict[str, float] = {}


@dataclass(frozen=True, eq=False)
class Witnesses:
    """What is known about each training example.

    Attributes:
        votes: (n,) rankings among whose most suspicious 10 % it is.
        signs: (n,) places in ``rarity.SIGNS``.
        agreement: (n,) share of its neighbours with its label; NaN where not asked.
    """

    votes: npt.NDArray[np.int64]
    signs: npt.NDArray[np.int8]
    agreement: npt.NDArray[np.float64]


def votes(results: Results) -> npt.NDArray[np.int64]:
    """(n,) in how many of the single rankings each example is among the most suspicious 10 %."""
    return results.kept_value(
        "votes",
        lambda: suspects.votes(
            [suspects.percentiles(results.suspect_scores(one)) for one in suspects.SINGLE]
        ),
    )


def witnesses(record: AuditRecord, results: Results) -> Witnesses | None:
    """All of it; ``None`` while the neighbours are looked up, and where labels are not one class each."""
    if record.target != "class":
        return None
    agreement = neighbour_agreement(record, results)
    if agreement is None:
        return None
    return results.kept_value("witnesses", lambda: _made(results, agreement))


def sign_column(record: AuditRecord, results: Results) -> Column | None:
    """The signs as a property to filter by; ``None`` as in ``witnesses``."""
    found = witnesses(record, results)
    return None if found is None else Column("signs", rarity.SIGNS, found.signs)


def neighbour_agreement(record: AuditRecord, results: Results) -> npt.NDArray[np.float64] | None:
    """(n,) share of each suspect's nearest examples that have its label; ``None`` while it is looked up."""
    if results.kept_value("neighbour work", lambda: _work(results)) <= FEW:
        return results.kept_value("neighbours", lambda: _looked_up(results))
    key = neighbours.key(results.plan(), results.learning_rates())
    if results.store.path(key).is_dir():
        return results.kept_value("neighbours", lambda: neighbours.read(results.store, key))
    _ask(record, results, key)
    return None


def _made(results: Results, agreement: npt.NDArray[np.float64]) -> Witnesses:
    labels = np.asarray(results.dataset().splits["train"].labels)
    predicted = results.measured("train")["predicted"]
    codes = rarity.signs(_percentiles(results), labels, predicted, agreement)
    return Witnesses(votes(results), codes, agreement)


def _percentiles(results: Results) -> npt.NDArray[np.float64]:
    return results.kept_value(
        "self-influence percentiles",
        lambda: suspects.percentiles(results.suspect_scores("self-influence")),
    )


def _work(results: Results) -> int:
    """Multiplications that the look-up takes."""
    percentiles = _percentiles(results)
    _, units = next(results.gradients("train").shards())
    asked = len(rarity.suspects_to_ask(percentiles))
    return asked * min(len(percentiles), rarity.REFERENCES) * int(units[-1].embedding.shape[1])


def _looked_up(results: Results) -> npt.NDArray[np.float64]:
    rows = rarity.suspects_to_ask(_percentiles(results))
    labels = np.asarray(results.dataset().splits["train"].labels)
    found = np.full(len(labels), np.nan)
    found[rows] = rarity.neighbour_agreement(results.gradients("train").embedding(-1), labels, rows)
    return found


def _ask(record: AuditRecord, results: Results, key: str) -> None:
    """Let the query process look the neighbours up; returns at once, and asks only once."""
    now = time.monotonic()
    with _lock:
        if now - _begun.get(key, -AGAIN_SECONDS) < AGAIN_SECONDS:
            return
        _begun[key] = now
    thread = threading.Thread(target=_asked, args=(results, record.name, key), name="neighbours", daemon=True)
    thread.start()


def _asked(results: Results, name: str, key: str) -> None:
    try:
        QueryClient(results.home).ask("neighbours", {"audit": name}, session=f"neighbours {key}")
    except (TracinVizError, OSError) as error:
        _log.info("the neighbours of audit %s could not be looked up: %s", name, error)
