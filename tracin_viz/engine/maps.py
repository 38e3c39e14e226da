"""Random signs, and how many rows each side of a parameter keeps."""

from __future__ import annotations

import hashlib
from math import prod, sqrt

import numpy as np
import torch
from torch import Tensor

from tracin_viz.engine.projection import sides

# The error of a mapped gradient is about 1/√rows of each side. Rows of the input side cost a thin convolution
# each, rows of the output side almost nothing.
INPUT_SIDE = 128
OUTPUT_SIDE = 256
LARGEST_SIDE = 512  # input rows where the output side is small
WRITTEN = 16384  # a kernel's gradient of at most this many numbers is folded without mapping its sides
WRITTEN_MATRIX = 65536  # the same for a matrix with a side of at most SHORT numbers: it is cheap to write out
SHORT = 32


def signs(seed: int, name: str, shape: tuple[int, ...]) -> Tensor:
    """Random ±1 from a counter-based generator keyed by ``seed`` and ``name``; float32 on the CPU."""
    digest = hashlib.sha256(f"{seed}|{name}|{shape}".encode()).digest()
    generator = np.random.Philox(key=np.frombuffer(digest[:16], dtype=np.uint64))
    count = prod(shape)
    words = np.asarray(generator.random_raw((count + 63) // 64), dtype="<u8")
    bits = np.unpackbits(words.view(np.uint8), bitorder="little")[:count]
    return torch.from_numpy(bits.astype(np.float32) * 2 - 1).reshape(shape)


def mapped_sides(shape: tuple[int, ...]) -> tuple[int, int]:
    """Rows left of each side: small gradients and vectors stay whole; a small side leaves the other more."""
    out, into = sides(shape)
    limit = WRITTEN if len(shape) > 2 or min(out, into) > SHORT else WRITTEN_MATRIX
    if out == 1 or out * into <= limit:
        return out, into
    rows = min(out, OUTPUT_SIDE)
    if len(shape) > 2:  # a thin convolution must stay thin beside the convolution itself
        return rows, min(into, max(32, min(INPUT_SIDE, out // 2)))
    rows = min(out, INPUT_SIDE)
    return rows, min(into, max(INPUT_SIDE, min(LARGEST_SIDE, INPUT_SIDE * INPUT_SIDE // (2 * rows))))


def random_sides(shape: tuple[int, ...], seed: int, name: str) -> tuple[Tensor | None, Tensor | None]:
    """Random signs/√rows for each side, (rows, out) and (columns, in); ``None`` where it stays whole."""
    (out, into), (rows, columns) = sides(shape), mapped_sides(shape)
    left = right = None
    if rows < out:
        left = signs(seed, f"{name}|out", (rows, out)) / sqrt(rows)
    if columns < into:
        right = signs(seed, f"{name}|in", (columns, into)) / sqrt(columns)
    return left, right
