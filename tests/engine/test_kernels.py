"""Kernel settings are borrowed like the model: exact while the engine works, the caller's afterwards."""

from __future__ import annotations

import pytest
import torch

from tracin_viz.engine.kernels import exact_kernels


def settings() -> tuple:
    cudnn = torch.backends.cudnn
    return (
        torch.backends.cuda.matmul.fp32_precision,
        cudnn.conv.fp32_precision,
        cudnn.rnn.fp32_precision,
        cudnn.deterministic,
        cudnn.benchmark,
    )


def test_cuda_computes_in_full_float32_and_repeatably_inside_and_as_before_outside():
    before = settings()
    with pytest.raises(KeyError), exact_kernels(torch.device("cuda")):
        assert settings() == ("ieee", "ieee", "ieee", True, False)
        raise KeyError
    assert settings() == before


def test_other_devices_are_left_alone():
    before = settings()
    with exact_kernels(torch.device("cpu")):
        assert settings() == before
