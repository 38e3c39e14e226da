"""From a query to its lists: candidates by sketches, their scores, for and against (DESIGN §3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tracin_viz.engine import sketch_error
from tracin_viz.engine.bounded import search_bounded
from tracin_viz.engine.search import Block, Filter, Question
from tracin_viz.errors import InputError
from tracin_viz.jobs.query_side import Cancelled, QuerySide, stop_if
from tracin_viz.jobs.warm import Warm

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Lists = dict[str, tuple[npt.NDArray[Any], ...]]

#: Candidates per side that are scored exactly, and per example asked for. Sketches had every true top-10
#: proponent and opponent within their first 100 (docs/benchmarks.md).
CANDIDATES = 100
CANDIDATES_EACH = 5


@dataclass(frozen=True)
class Order:
    """How answers are ranked.

    Attributes:
        ranking: "dot", "cosine" or "relatif".
        top: Examples per list.
        same_class: Only training examples labelled as the class that is explained.
    """

    ranking: str
    top: int
    same_class: bool


@dataclass(frozen=True, eq=False)
class Candidates:
    """Training examples worth an exact score.

    Attributes:
        rows: (c,) ascending.
        sketched: (c,) sketched TracInCP.
    """

    rows: Rows
    sketched: Floats


def candidates(warm: Warm, asked: QuerySide, order: Order, cancelled: Cancelled) -> Candidates:
    """The strongest by the sketches on either side.

    Raises:
        InputError: The same class is asked for where no single class is explained.
    """
    held = warm.held("train")
    allowed = np.ones(held.n, dtype=bool)
    allowed[asked.query.own_training_rows] = False  # each is always its own strongest proponent
    if order.same_class:
        allowed &= np.asarray(warm.sources.dataset.splits["train"].labels) == _class_of(asked)
    question = Question(asked.sketches, warm.rates, order.ranking, Filter(allowed=allowed))
    number = max(CANDIDATES, CANDIDATES_EACH * order.top)
    found = search_bounded(held.blocks, question, k=number, on_piece=lambda: stop_if(cancelled))
    rows = found.candidates()
    weighted = (warm.rates[:, None] * asked.sketches[0]).reshape(-1)  # (K·d,)
    return Candidates(rows, held.sketches(rows).reshape(len(rows), -1).astype(np.float64) @ weighted)


def watched(blocks: list[Block], cancelled: Cancelled) -> Iterator[Block]:
    """The blocks, until a newer question comes."""
    for block in blocks:
        stop_if(cancelled)
        yield block


def divisor(warm: Warm, asked: QuerySide, rows: Rows, ranking: str) -> Floats:
    """(c,) what the ranking divides TracInCP by: RelatIF the training example's ‖φ‖, cosine both."""
    if ranking == "dot":
        return np.ones(len(rows))
    found = warm.held("train").norms(warm.rates, rows)
    if ranking == "cosine":
        found = found * np.sqrt(float(warm.rates @ asked.squared_norms))
    found[found == 0] = np.inf  # a zero gradient has no direction: its score stays 0
    return found


def error_of(warm: Warm, asked: QuerySide, found: Candidates, exact: Floats) -> dict[str, Any]:
    """The error of the sketched scores of the candidates, which were computed exactly anyway."""
    norms = warm.held("train").norms(warm.rates, found.rows)
    query = np.sqrt([float(warm.rates @ asked.squared_norms)])
    error = sketch_error(found.sketched[None], exact[None], norms, query)
    return {name: value if np.isfinite(value) else None for name, value in asdict(error).items()}


def for_and_against(rows: Rows, scores: Floats, sketched: Floats, top: int) -> Lists:
    """The strongest positive and the strongest negative scores; ties go to the lower row."""
    falling = np.lexsort((rows, -scores))
    rising = np.lexsort((rows, scores))
    falling = falling[scores[falling] > 0][:top]
    rising = rising[scores[rising] < 0][:top]
    return {
        name: (rows[order], scores[order], sketched[order])
        for name, order in (("proponents", falling), ("opponents", rising))
    }


def alike(warm: Warm, asked: QuerySide, top: int) -> Lists:
    """The most and the least similar training examples by embedding."""
    own = asked.query.own_training_rows
    found = warm.held("train").likeness.similar(asked.embedding, top=top, exclude=own)
    return {
        "most_similar": (found.most, found.most_cosine, found.most_cosine),
        "least_similar": (found.least, found.least_cosine, found.least_cosine),
    }


def _class_of(asked: QuerySide) -> int:
    if asked.target.class_index < 0:
        raise InputError(
            "No single class is explained here, so there is no “same class”.",
            remedy="Explain one class, or look at all training examples.",
        )
    return asked.target.class_index
