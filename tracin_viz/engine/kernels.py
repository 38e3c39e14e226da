"""Which kernels a GPU may use: the exact and repeatable ones, whatever the caller's settings are.

By default CUDA's convolutions round their inputs to TF32 (10 bits of mantissa), which alone is an error of
1e-3 in a gradient, and pick an algorithm by a race, which changes the last bits from run to run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def exact_kernels(device: torch.device) -> Iterator[None]:
    """Full float32 products and deterministic convolutions on CUDA; the caller's settings come back after."""
    if device.type != "cuda":
        yield
        return
    cudnn: Any = torch.backends.cudnn
    precisions: list[Any] = [torch.backends.cuda.matmul, cudnn.conv, cudnn.rnn]
    before = [backend.fp32_precision for backend in precisions]
    deterministic, benchmark = cudnn.deterministic, cudnn.benchmark
    try:
        for backend in precisions:
            backend.fp32_precision = "ieee"
        cudnn.deterministic, cudnn.benchmark = True, False
        yield
    finally:
        for backend, precision in zip(precisions, before, strict=True):
            backend.fp32_precision = precision
        cudnn.deterministic, cudnn.benchmark = deterministic, benchmark
