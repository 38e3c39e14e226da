"""How fast stored sketches are searched."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from benchmarks.timing import interleaved
from tracin_viz.engine.search import Question, search


def search_speed(count: int = 200_000, dimension: int = 2048, *, repeats: int = 7) -> dict[str, Any]:
    """Seconds for one and for 32 queries over fp16 rows, and for summing the same bytes as int64."""
    rows, norms, queries = _stored(count, dimension)
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
    return {"count": count, "dimension": dimension} | {name: each.wall for name, each in timings.items()}


def gpu_search(count: int = 1_000_000, dimension: int = 2048, *, repeats: int = 7) -> dict[str, Any]:
    """Seconds for one query over fp16 rows in GPU memory, and whether the CPU gives the same answer."""
    rows, norms, queries = _stored(count, dimension)
    question = Question(queries[:1], [0.1])
    lengths = torch.from_numpy(norms).cuda()
    stored = [(slice(0, count), [(torch.from_numpy(rows).cuda(), lengths)])]
    timing = interleaved({"one": lambda: search(stored, question, k=100)}, repeats)["one"]
    here = search([(slice(0, count), [(rows, norms)])], question, k=100).proponents[0]
    there = search(stored, question, k=100).proponents[0]
    shared = len(set(here.indices.tolist()) & set(there.indices.tolist())) / 100
    return {"count": count, "dimension": dimension, "one": timing.wall, "shared": shared}


def _stored(count: int, dimension: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(count, d) fp16 rows of about unit norm, (count,) norms, (32, 1, d) queries."""
    generator = np.random.default_rng(0)
    few = (generator.standard_normal((2000, dimension)) / np.sqrt(dimension)).astype(np.float16)
    rows = np.tile(few, (-(-count // len(few)), 1))[:count]
    norms = np.exp(generator.standard_normal(count)).astype(np.float32)
    return rows, norms, generator.standard_normal((32, 1, dimension)).astype(np.float32)
