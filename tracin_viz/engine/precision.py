"""Sums in float64, on every device: Apple's Metal has no float64, so there they are kept on the CPU."""

from __future__ import annotations

import torch
from torch import Tensor


def accumulating(device: torch.device) -> torch.device:
    """Where float64 sums over results of ``device`` are kept."""
    return torch.device("cpu") if device.type == "mps" else device


def double(values: Tensor) -> Tensor:
    """``values`` in float64, where sums over its device's results are kept."""
    return values.to(accumulating(values.device)).double()


def zeros(*shape: int, device: torch.device) -> Tensor:
    """Float64 zeros to add up results of ``device`` in."""
    return torch.zeros(*shape, dtype=torch.float64, device=accumulating(device))
