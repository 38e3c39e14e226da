"""Answers of the query process: exact influence of one query, and clusters of a few points.

Two stages (DESIGN §3): the gradient sketches of all training examples are scanned for candidates, then the
exact score of the candidates is computed and the ranking is by that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from tracin_viz.config import Home
from tracin_viz.data.dataset import Content
from tracin_viz.engine import InfluenceEngine, sketch_error
from tracin_viz.engine.search import Filter, Question, search
from tracin_viz.errors import CancelledError, InputError
from tracin_viz.explore.neighbors import similar
from tracin_viz.jobs.asked import Explained, blank, explained, minus_logit, read_query
from tracin_viz.jobs.devices import Machine
from tracin_viz.jobs.loading import Contents, Examples, Sources, build_engine, open_sources
from tracin_viz.store import plan as plans
from tracin_viz.store import registry
from tracin_viz.store.artifacts import ArtifactStore
from tracin_viz.store.checkpoint_choice import in_use
from tracin_viz.store.parts import GradientSet
from tracin_viz.store.plan import RunPlan

Answer = tuple[dict[str, Any], list[npt.NDArray[Any]]]

#: Candidates per side that are scored exactly, and per example asked for. Sketches had every true top-10
#: proponent and opponent within their first 100 (docs/benchmarks.md); this leaves room for harder models.
CANDIDATES = 150
CANDIDATES_EACH = 5
LOADED = 2  # audits kept warm


@dataclass(frozen=True)
class Warm:
    """An audit that is ready to answer."""

    sources: Sources
    plan: RunPlan
    store: ArtifactStore
    engine: InfluenceEngine
    gradients: GradientSet


class Answers:
    """Handler of the query process: one call per request, one request at a time."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._warm: dict[tuple[Any, ...], Warm] = {}

    def __call__(
        self, kind: str, header: dict[str, Any], arrays: list[npt.NDArray[Any]], cancelled: Callable[[], bool]
    ) -> Answer:
        """Answer one request.

        Raises:
            InputError: The question cannot be answered as it is.
            CancelledError: A newer question of the same session arrived.
        """
        if kind == "influence":
            return self._influence(header, arrays, cancelled)
        if kind == "cluster":
            return _cluster(header, arrays[0])
        if kind == "warm":
            return self._warmed(header["audit"])
        raise InputError(f"The query process does not know the request '{kind}'.")

    def _influence(
        self, header: dict[str, Any], arrays: list[npt.NDArray[Any]], cancelled: Callable[[], bool]
    ) -> Answer:
        warm = self._loaded(header["audit"])
        dataset = warm.sources.dataset
        query = read_query(dataset, header["query"], arrays)
        known = blank(dataset) if query.target is None else query.target
        seen = warm.engine.measure(Contents([query.content], [known]), len(warm.plan.checkpoints) - 1)
        target = explained(dataset, header, query, int(seen.predicted[0]))
        asked = _QuerySide(warm, query.content, target)
        _stop_if(cancelled)
        rates = np.array([checkpoint.learning_rate for checkpoint in warm.engine.checkpoints])
        rows, sketched = _candidates(
            warm, asked, rates, self_row=query.row, ranking=header["ranking"], top=header["top"]
        )
        _stop_if(cancelled)
        exact = asked.scores(rows)  # (c,)
        error = _sketch_error(warm, asked, rates, rows, exact, sketched)
        exact, sketched = _normalise(warm, asked, rates, rows, (exact, sketched), header["ranking"])
        lists = _for_and_against(rows, exact, sketched, header["top"])
        embedding = warm.gradients.embedding(len(warm.plan.checkpoints) - 1)
        alike = similar(embedding, seen.embedding[0], top=header["top"], exclude=query.row)
        lists["most_similar"] = (alike.most, alike.most_cosine, alike.most_cosine)
        lists["least_similar"] = (alike.least, alike.least_cosine, alike.least_cosine)
        answer = {
            "predicted": int(seen.predicted[0]),
            "value": float(seen.value[0]),
            "confidence": float(seen.probability[0]),
            "target": target.kind,
            "target_class": target.class_index,
            "candidates": len(rows),
            "sketch_error": error,
            "checkpoints": [checkpoint.step for checkpoint in warm.engine.checkpoints],
            "lists": list(lists),
        }
        return answer, [column for columns in lists.values() for column in columns]

    def _warmed(self, name: str) -> Answer:
        """Load an audit and measure one example: the first pass checks the model and makes random maps."""
        warm = self._loaded(name)
        warm.engine.measure(Examples(warm.sources.dataset, "train", [0]), 0)
        return {}, []

    def _loaded(self, name: str) -> Warm:
        record = registry.read(self._home, name)
        plan = in_use(record, plans.require(self._home, name))
        key = (name, record.version(), plan.map_key, *plan.units)
        if key not in self._warm:
            torch.set_num_threads(Machine.here().threads(1))
            sources = open_sources(record)
            keys = [list(row) for row in plan.splits["train"].keys]
            store = ArtifactStore(self._home.artifacts)
            while len(self._warm) >= LOADED:
                self._warm.pop(next(iter(self._warm)))
            self._warm[key] = Warm(
                sources, plan, store, build_engine(sources, plan, store), GradientSet(store, keys)
            )
        return self._warm[key]


class _QuerySide:
    """The query's gradients: sketches, squared norms, and exact scores against training rows."""

    def __init__(self, warm: Warm, content: Content, target: Explained) -> None:
        self._warm = warm
        self._target = target
        self._data = Contents([content], [target.target])
        engine = (
            warm.engine
            if target.kind == "loss"
            else build_engine(warm.sources, warm.plan, warm.store, loss=minus_logit)
        )
        measured = [engine.measure(self._data, place) for place in range(len(engine.checkpoints))]
        self.sketches = np.stack([found.rows for found in measured], axis=1)  # (1, K, d)
        self.squared_norms = np.stack([found.self_influence[0] for found in measured])  # (K,)
        if not all(bool(found.finite[0]) for found in measured):
            raise InputError(
                "The gradient of this query is not a finite number, so it has no influence scores.",
                remedy="Choose another query, or leave out the checkpoint that diverged.",
            )

    def scores(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Exact TracInCP of the query with training ``rows``; (c,) float64."""
        train = Examples(self._warm.sources.dataset, "train", rows.tolist(), keep=True)
        engine = self._warm.engine
        if self._target.kind == "loss":
            found = engine.influence(train, self._data)  # (1, c)
        else:
            found = engine.score_influence(train, self._data, [int(self._target.target)])
        scores: npt.NDArray[np.float64] = found[0]
        return scores


def _candidates(
    warm: Warm,
    asked: _QuerySide,
    rates: npt.NDArray[np.float64],
    *,
    self_row: int | None,
    ranking: str,
    top: int,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Rows worth an exact score by the sketches, ascending, and their sketched TracInCP scores."""
    allowed = np.ones(warm.gradients.n, dtype=bool)
    if self_row is not None:
        allowed[self_row] = False  # a training example is always its own strongest proponent
    blocks = ((part, [(unit.rows, unit.norm) for unit in units]) for part, units in warm.gradients.shards())
    question = Question(asked.sketches, rates, ranking, Filter(allowed=allowed))
    rows = search(blocks, question, k=max(CANDIDATES, CANDIDATES_EACH * top)).candidates()
    vectors = warm.gradients.vectors(rates.tolist(), rows=rows)  # (c, K·d)
    query = (np.sqrt(rates)[:, None] * asked.sketches[0]).reshape(-1)  # (K·d,)
    return rows, vectors.astype(np.float64) @ query


def _normalise(
    warm: Warm,
    asked: _QuerySide,
    rates: npt.NDArray[np.float64],
    rows: npt.NDArray[np.int64],
    scores: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]],
    ranking: str,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Divide by the exact norms that the ranking asks for (RelatIF: the training example's; cosine: both)."""
    if ranking == "dot":
        return scores
    squared = np.zeros(len(rows))
    for place, rate in enumerate(rates):
        squared += rate * warm.gradients.examples(place)["self_influence"].to_numpy()[rows]
    divisor = np.sqrt(squared)
    if ranking == "cosine":
        divisor = divisor * np.sqrt(float(rates @ asked.squared_norms))
    divisor[divisor == 0] = np.inf  # a zero gradient has no direction: its score stays 0
    return scores[0] / divisor, scores[1] / divisor


def _sketch_error(
    warm: Warm,
    asked: _QuerySide,
    rates: npt.NDArray[np.float64],
    rows: npt.NDArray[np.int64],
    exact: npt.NDArray[np.float64],
    sketched: npt.NDArray[np.float64],
) -> dict[str, Any]:
    """The error of the sketched scores of the candidates, which were computed exactly anyway."""
    own = [warm.gradients.examples(place)["self_influence"].to_numpy()[rows] for place in range(len(rates))]
    norms = np.sqrt(rates @ np.stack(own))  # (c,)
    query = np.sqrt([float(rates @ asked.squared_norms)])
    found = sketch_error(sketched[None], exact[None], norms, query)
    return {name: value if np.isfinite(value) else None for name, value in asdict(found).items()}


def _for_and_against(
    rows: npt.NDArray[np.int64], exact: npt.NDArray[np.float64], sketched: npt.NDArray[np.float64], top: int
) -> dict[str, tuple[npt.NDArray[Any], ...]]:
    falling = np.lexsort((rows, -exact))
    rising = np.lexsort((rows, exact))
    falling = falling[exact[falling] > 0][:top]
    rising = rising[exact[rising] < 0][:top]
    return {
        name: (rows[order], exact[order], sketched[order])
        for name, order in (("proponents", falling), ("opponents", rising))
    }


def _cluster(header: dict[str, Any], coordinates: npt.NDArray[np.float32]) -> Answer:
    from tracin_viz.explore.clusters import cluster  # HDBSCAN takes a second to load

    found = cluster(coordinates, min_cluster_size=header.get("smallest"), min_samples=header.get("cautious"))
    return {}, [found.labels, found.probabilities]


def _stop_if(cancelled: Callable[[], bool]) -> None:
    if cancelled():
        raise CancelledError("A newer question took the place of this one.")
