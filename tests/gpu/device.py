"""Where there is no CUDA device, these tests are skipped, and say so."""

from __future__ import annotations

import pytest
import torch

COUNT = torch.cuda.device_count() if torch.cuda.is_available() else 0

needs_cuda = [
    pytest.mark.gpu,
    pytest.mark.skipif(COUNT < 1, reason="there is no CUDA device on this machine"),
]
needs_two = pytest.mark.skipif(COUNT < 2, reason=f"needs two CUDA devices, this machine has {COUNT}")
