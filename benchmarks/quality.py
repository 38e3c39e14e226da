"""How good sketches are on a trained network: their ranking against the exact one, also after re-ranking."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import spearmanr

from benchmarks.digits import Trained, trained_digits
from benchmarks.methods import KINDS, SKETCH_DIM, engine_of
from benchmarks.workloads import Workload
from tests import oracles
from tracin_viz.engine.search import Question, search

CANDIDATES = 100


def sketch_quality(trained: Trained | None = None) -> dict[str, Any]:
    """Sketched against exact scores of all training examples for each query."""
    trained = trained or trained_digits()
    work = trained.work
    exact = engine_of(work).influence(work.train, work.queries)  # (Q, N)
    return {
        "accuracy": trained.accuracy,
        "losses": trained.losses,
        "examples": len(work.train),
        "queries": len(exact),
        "dimension": SKETCH_DIM,
        "kinds": {kind: _quality(work, kind, exact) for kind in KINDS},
    }


def _quality(work: Workload, kind: str, exact: np.ndarray) -> dict[str, float]:
    engine = engine_of(work, sketch=kind)
    rows = engine.sketches(work.train)  # (K, N, d)
    asked = engine.sketches(work.queries)  # (K, Q, d)
    norms = np.linalg.norm(rows, axis=2)
    unit = (rows / np.where(norms > 0, norms, 1)[..., None]).astype(np.float16)
    block = (slice(0, rows.shape[1]), [(unit[k], norms[k]) for k in range(len(unit))])
    question = Question(asked.transpose(1, 0, 2), work.rates)
    result = search([block], question, k=CANDIDATES)
    sketched = oracles.sketch_scores(unit, norms, question.queries, work.rates, "dot")
    inside, equal = [], []
    for query, scores in enumerate(exact):
        best, worst = oracles.ranked_by_sorting(scores, 10)
        for truth, found, sign in (
            (best, result.proponents[query].indices, -1),
            (worst, result.opponents[query].indices, 1),
        ):
            inside.append(set(truth) <= set(found))
            equal.append(np.array_equal(found[np.argsort(sign * scores[found], kind="stable")][:10], truth))
    ranks = [spearmanr(scores, sketched[query]).statistic for query, scores in enumerate(exact)]
    return {
        "spearman": float(np.mean(ranks)),
        "worst spearman": float(np.min(ranks)),
        "error": float((np.abs(sketched - exact).max(1) / np.abs(exact).max(1)).mean()),
        "inside": float(np.mean(np.array(inside).reshape(-1, 2).all(1))),
        "reranked": float(np.mean(np.array(equal).reshape(-1, 2).all(1))),
    }
