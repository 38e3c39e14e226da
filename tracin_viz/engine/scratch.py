"""Memory that is used again and again for gradients which are written out, multiplied and forgotten.

A fresh tensor of tens of megabytes costs a page fault per 4 KiB, which took as long as computing its content.
"""

from __future__ import annotations

import threading
from math import prod

import numpy as np
import torch
from torch import Tensor

BYTES = 128 << 20  # of one buffer; larger requests are not kept

_KEPT = threading.local()


def temporary(shape: tuple[int, ...], like: Tensor, use: str) -> Tensor:
    """Memory of ``shape`` with the type of ``like``; valid until the next call for that use."""
    count = prod(shape)
    if like.device.type != "cpu" or count * like.element_size() > BYTES:
        return like.new_empty(shape)
    buffers: dict[tuple[str, torch.dtype], Tensor] = _KEPT.__dict__.setdefault("buffers", {})
    kept = buffers.get((use, like.dtype))
    if kept is None or kept.numel() < count:
        buffers.pop((use, like.dtype), None)
        kept = buffers[use, like.dtype] = like.new_empty(count)
    return kept[:count].view(shape)


def fresh(shape: tuple[int, ...], like: Tensor) -> Tensor:
    """New memory of ``shape`` for what is kept, with the type of ``like``.

    From NumPy, which asks Linux for pages of 2 MiB: large gradients are written as fast as into used memory.
    """
    if like.device.type != "cpu" or like.dtype != torch.float32:
        return like.new_empty(shape)
    return torch.from_numpy(np.empty(shape, np.float32))


def release() -> None:
    """Gives the memory of this thread back."""
    _KEPT.__dict__.pop("buffers", None)
