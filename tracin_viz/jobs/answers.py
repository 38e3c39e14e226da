"""Answers of the query process: influence of one query, where it comes from, and clusters of a few points.

Two stages (DESIGN §3): the gradient sketches of all training examples are scanned for candidates, then the
exact score of the candidates is computed and the ranking is by that. Either may be asked for; what the first
found is kept for the second.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from tracin_viz.config import Home
from tracin_viz.errors import InputError
from tracin_viz.jobs.asked import read_query
from tracin_viz.jobs.evidence_settings import EstimateSettings
from tracin_viz.jobs.loading import Examples
from tracin_viz.jobs.opposing import opponents_of
from tracin_viz.jobs.proving import prove
from tracin_viz.jobs.query_side import Cancelled, QuerySide, stop_if
from tracin_viz.jobs.retrieval import (
    Candidates,
    Order,
    alike,
    candidates,
    divisor,
    error_of,
    for_and_against,
)
from tracin_viz.jobs.warm import Warm, WarmAudits
from tracin_viz.jobs.witnesses import keep_neighbours, taught_rows

Array = npt.NDArray[Any]
Answer = tuple[dict[str, Any], list[Array]]
Value = TypeVar("Value")

#: What a query side depends on, beside the audit.
SIDE = ("query", "label", "score")
KEPT = 8  # query sides, candidates and likenesses of the newest questions


class Answers:
    """Handler of the query process: one call per request, one request at a time."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._audits = WarmAudits(home)
        self._kept: dict[tuple[Any, ...], tuple[Warm, Any]] = {}

    def __call__(
        self, kind: str, header: dict[str, Any], arrays: list[Array], cancelled: Callable[[], bool]
    ) -> Answer:
        """Answer one request.

        Raises:
            InputError: The question cannot be answered as it is.
            CancelledError: A newer question of the same session arrived.
        """
        if kind == "influence":
            return self._influence(header, arrays, cancelled)
        if kind == "parts":
            return self._parts(header, arrays, cancelled)
        if kind == "words":
            return self._words(header, arrays, cancelled)
        if kind == "opponents":
            warm = self._audits.get(header["audit"], header.get("checkpoints"))
            wanted = {"ranking": header["ranking"], "each": header["each"], "cancelled": cancelled}
            return {}, list(opponents_of(warm, header["split"], arrays[0], **wanted))
        if kind == "estimate":
            return self._estimated(header, cancelled)
        if kind == "cluster":
            return _cluster(header, arrays[0])
        if kind == "warm clusters":
            from tracin_viz.explore.clusters import load

            load()
            return {}, []
        if kind == "neighbours":
            keep_neighbours(self._home, header["audit"], lambda: stop_if(cancelled))
            return {}, []
        if kind == "taught":
            return {}, taught_rows(self._home, header["audit"], arrays[0], int(header["top"]))
        if kind == "warm":
            return self._warmed(header["audit"])
        raise InputError(f"The query process does not know the request '{kind}'.")

    def _estimated(self, header: dict[str, Any], cancelled: Cancelled) -> Answer:
        """Estimate and keep what decisions would do; the façade reads it from where it is kept."""
        settings = EstimateSettings.from_dict(header["asked"])
        sources = self._audits.get(header["audit"]).sources
        prove(
            self._home,
            header["audit"],
            "estimate",
            settings,
            lambda *_: stop_if(cancelled),
            sources=sources,
        )
        return {}, []

    def _influence(self, header: dict[str, Any], arrays: list[Array], cancelled: Cancelled) -> Answer:
        began = time.monotonic()
        warm = self._audits.get(header["audit"], header.get("checkpoints"))
        asked = self._side(warm, header, arrays, cancelled)
        stop_if(cancelled)
        order = Order(header["ranking"], header["top"], header["same_class"])
        named = _named(header, arrays)
        found: Candidates = self._once(
            warm, ("candidates", *named, order), lambda: candidates(warm, asked, order, cancelled)
        )
        stop_if(cancelled)
        by = divisor(warm, asked, found.rows, order.ranking)
        exact, error = None, None
        if header["exact"] and asked.can_be_exact:
            exact = asked.scores(found.rows, cancelled)
            error = error_of(warm, asked, found, exact)
        scores = found.sketched if exact is None else exact
        lists = for_and_against(found.rows, scores / by, found.sketched / by, order.top)
        lists |= self._once(warm, ("alike", *named, order.top), lambda: alike(warm, asked, order.top))
        answer = {
            "predicted": asked.predicted,
            "value": asked.value,
            "confidence": asked.confidence,
            "target": asked.target.kind,
            "target_class": asked.target.class_index,
            "exact": exact is not None,
            "can_be_exact": asked.can_be_exact,
            "left_out": asked.left_out,
            "candidates": len(found.rows),
            "sketch_error": error,
            "checkpoints": _steps(warm),
            "seconds": time.monotonic() - began,
            "lists": list(lists),
        }
        return answer, [column for columns in lists.values() for column in columns]

    def _parts(self, header: dict[str, Any], arrays: list[Array], cancelled: Cancelled) -> Answer:
        """Where the influence of a few training rows (the last array) comes from: checkpoints and layers."""
        warm = self._audits.get(header["audit"], header.get("checkpoints"))
        rows = np.asarray(arrays[-1], dtype=np.int64)
        asked = self._side(warm, header, arrays[:-1], cancelled)
        stop_if(cancelled)
        parts, layers = asked.parts(rows, cancelled)
        by = divisor(warm, asked, rows, header["ranking"])
        return {"checkpoints": _steps(warm), "layers": layers}, [parts / by[:, None, None]]

    def _words(self, header: dict[str, Any], arrays: list[Array], cancelled: Cancelled) -> Answer:
        """Which words of a few training rows (the last array) carry their influence.

        Arrays: scores (c, T), first and past-the-last character of each token (c, T, 2; equal where it stands
        for no characters), and what belongs to no token (c,).
        """
        warm = self._audits.get(header["audit"])
        rows = np.asarray(arrays[-1], dtype=np.int64)
        asked = self._side(warm, header, arrays[:-1], cancelled)
        stop_if(cancelled)
        texts = [str(warm.sources.dataset.load("train", int(row))) for row in rows]
        places = [warm.sources.bundle.pieces(text) for text in texts]
        found = asked.tokens(rows)
        spans = np.zeros((*found.scores.shape, 2), dtype=np.int64)
        for number, (pieces, mask) in enumerate(zip(places, found.mask, strict=True)):
            if pieces is None or len(pieces) != mask.sum():
                raise InputError(
                    "The model's tokenizer does not say which characters its tokens stand for.",
                    remedy="A fast tokenizer (tokenizer.json) in the run folder does.",
                )
            spans[number, mask] = pieces
        by = divisor(warm, asked, rows, header["ranking"])
        return {}, [found.scores / by[:, None], spans, found.remainder.sum(axis=1) / by]

    def _side(
        self, warm: Warm, header: dict[str, Any], arrays: list[Array], cancelled: Cancelled
    ) -> QuerySide:
        def take() -> QuerySide:
            query = read_query(warm.sources.dataset, header["query"], arrays)
            return QuerySide(warm, query, header, cancelled)

        return self._once(warm, ("side", *_named(header, arrays)), take)

    def _once(self, warm: Warm, key: tuple[Any, ...], make: Callable[[], Value]) -> Value:
        """``make()``, remembered while it is among the newest and the audit stays as it is."""
        known = self._kept.pop(key, None)
        value: Value = known[1] if known is not None and known[0] is warm else make()
        self._kept[key] = (warm, value)
        while len(self._kept) > KEPT:
            self._kept.pop(next(iter(self._kept)))
        return value

    def _warmed(self, name: str) -> Answer:
        """Load an audit and measure one example: the first pass checks the model and makes random maps."""
        warm = self._audits.get(name)
        warm.engine.measure(Examples(warm.sources.dataset, "train", [0]), 0)
        warm.held("train")
        return {}, []


def _named(header: dict[str, Any], arrays: list[Array]) -> tuple[str, str]:
    """What a query side is remembered under: the question's words, and a digest of what came with it."""
    words = json.dumps(
        [header["audit"], header.get("checkpoints"), *(header[name] for name in SIDE)], sort_keys=True
    )
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return words, digest.hexdigest()


def _steps(warm: Warm) -> list[int]:
    return [checkpoint.step for checkpoint in warm.engine.checkpoints]


def _cluster(header: dict[str, Any], coordinates: npt.NDArray[np.float32]) -> Answer:
    from tracin_viz.explore.clusters import cluster  # HDBSCAN takes a second to load

    found = cluster(coordinates, min_cluster_size=header.get("smallest"), min_samples=header.get("cautious"))
    return {}, [found.labels, found.probabilities]
