"""What the query process looks up about suspects: the labels around them, and who taught them.

Both need stored gradients and embeddings only; no model is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tracin_viz.config import Home
from tracin_viz.engine.search import Question, Ranked, search
from tracin_viz.explore import rarity, suspects
from tracin_viz.store import neighbours, registry
from tracin_viz.store import plan as plans
from tracin_viz.store.artifacts import ArtifactStore
from tracin_viz.store.checkpoint_choice import in_use
from tracin_viz.store.parts import GradientSet
from tracin_viz.store.plan import RunPlan
from tracin_viz.store.registry import AuditRecord, open_registered

Rows = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Taught:
    """The strongest proponents or opponents of some training examples.

    Attributes:
        rows: (m, top) training rows, strongest first; -1 = there are no more.
        scores: (m, top) sketched TracInCP scores; NaN where there are no more.
    """

    rows: Rows
    scores: Scores


def keep_neighbours(home: Home, name: str, stop: Callable[[], None]) -> None:
    """Look up the labels of the suspects' neighbours of audit ``name`` and keep them in the store."""
    record = registry.read(home, name)
    write_neighbours(ArtifactStore(home.artifacts), record, _plan(home, record), stop=stop)


def taught_rows(home: Home, name: str, rows: npt.NDArray[Any], top: int) -> list[npt.NDArray[Any]]:
    """Proponents and their scores, opponents and theirs, (m, top) each, of training rows of an audit."""
    record = registry.read(home, name)
    plan = _plan(home, record)
    keys = [list(row) for row in plan.splits["train"].keys]
    gradients = GradientSet(ArtifactStore(home.artifacts), keys)
    rates = [record.checkpoints[index].learning_rate for index in plan.checkpoints]
    proponents, opponents = taught(gradients, rates, rows.astype(np.int64), top)
    return [proponents.rows, proponents.scores, opponents.rows, opponents.scores]


def _plan(home: Home, record: AuditRecord) -> RunPlan:
    return in_use(record, plans.require(home, record.name))


def write_neighbours(
    store: ArtifactStore, record: AuditRecord, plan: RunPlan, *, stop: Callable[[], None]
) -> None:
    """Look up how many of each suspect's neighbours have its label, and keep that in the store.

    Args:
        store: Where units are and the answer goes.
        record: The audit.
        plan: Of its newest run, without checkpoints that are switched off.
        stop: Called now and then; may raise.
    """
    rates = [record.checkpoints[index].learning_rate for index in plan.checkpoints]
    key = neighbours.key(plan, rates)
    if store.path(key).is_dir():
        return
    gradients = GradientSet(store, [list(row) for row in plan.splits["train"].keys])
    tables = [gradients.examples(place) for place in range(gradients.checkpoints)]
    measured = {name: np.stack([t[name].to_numpy() for t in tables]) for name in _MEASURED}
    scores = suspects.scores("self-influence", learning_rates=rates, **measured)
    rows = rarity.suspects_to_ask(suspects.percentiles(scores))
    labels = np.asarray(open_registered(record).splits["train"].labels)
    found = np.full(len(labels), np.nan)
    found[rows] = rarity.neighbour_agreement(gradients.embedding(-1), labels, rows, stop=stop)
    neighbours.write(store, key, found)


_MEASURED = ("self_influence", "loss", "margin")


def taught(gradients: GradientSet, rates: Sequence[float], rows: Rows, top: int) -> tuple[Taught, Taught]:
    """Strongest proponents and opponents of training examples by their gradient sketches, without themselves.

    Args:
        gradients: Of the training split.
        rates: Learning-rate weight of each checkpoint.
        rows: (m,) training rows asked about.
        top: How many of each.

    Returns:
        Proponents (positive scores) and opponents (negative ones).
    """
    ones = [1.0] * gradients.checkpoints
    queries = gradients.vectors(ones, rows=rows).reshape(len(rows), gradients.checkpoints, -1)
    blocks = ((part, [(unit.rows, unit.norm) for unit in units]) for part, units in gradients.shards())
    # One more than asked for: a training example is always its own strongest proponent.
    found = search(blocks, Question(queries, np.asarray(rates)), k=top + 1)
    return (
        _without_self(found.proponents, rows, top, sign=1.0),
        _without_self(found.opponents, rows, top, sign=-1.0),
    )


def _without_self(ranked: Sequence[Ranked], rows: Rows, top: int, *, sign: float) -> Taught:
    taken = np.full((len(rows), top), -1, dtype=np.int64)
    scores = np.full((len(rows), top), np.nan)
    for place, (one, row) in enumerate(zip(ranked, rows.tolist(), strict=True)):
        kept = np.flatnonzero((one.indices != row) & (sign * one.scores > 0))[:top]
        taken[place, : len(kept)] = one.indices[kept]
        scores[place, : len(kept)] = one.scores[kept]
    return Taught(taken, scores)
