"""Rows in GPU memory are searched like rows in a memory map."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.gpu.device import needs_cuda
from tracin_viz.engine.search import Filter, Question, search

pytestmark = needs_cuda


@pytest.mark.parametrize("ranking", ["dot", "cosine", "relatif"])
def test_rows_in_gpu_memory_give_the_ranking_of_rows_in_ram(ranking):
    generator = np.random.default_rng(3)
    rows = generator.standard_normal((2, 5000, 128))
    rows = (rows / np.linalg.norm(rows, axis=2, keepdims=True)).astype(np.float16)
    norms = np.exp(generator.standard_normal((2, 5000))).astype(np.float32)
    queries = generator.standard_normal((4, 2, 128)).astype(np.float32)
    where = Filter(allowed=generator.random(5000) < 0.7)
    question = Question(queries, (0.1, 0.05), ranking, where)

    def blocks(place):
        for start in range(0, 5000, 1700):
            part = slice(start, min(start + 1700, 5000))
            yield part, [(place(r[part]), place(n[part])) for r, n in zip(rows, norms, strict=True)]

    on_gpu = search(blocks(lambda a: torch.from_numpy(a).cuda()), question, k=20)
    in_ram = search(blocks(lambda a: a), question, k=20)
    pairs = zip((*on_gpu.proponents, *on_gpu.opponents), (*in_ram.proponents, *in_ram.opponents), strict=True)
    for gpu, cpu in pairs:
        np.testing.assert_allclose(gpu.scores, cpu.scores, rtol=1e-4)
        assert len(set(gpu.indices) & set(cpu.indices)) >= 19  # scores a rounding apart may change places
