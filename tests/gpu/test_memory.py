"""Memory of a GPU: batches that fit, batches that do not, and copies that overlap."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset

from tests.gpu.device import needs_cuda
from tests.oracles import relative_error
from tracin_viz.engine import Checkpoint, InfluenceEngine
from tracin_viz.engine.feed import Feed, Source
from tracin_viz.engine.memory import free_memory

pytestmark = needs_cuda

WIDE = 1 << 20


class Wide(nn.Module):
    """Keeps 12 MiB per example for the backward pass."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits by way of a large tensor."""
        return torch.tanh(self.body(x)[:, :, None].expand(-1, -1, WIDE)).mean(2)


@pytest.fixture
def little_memory():
    """The process may take 1 GiB of the first GPU."""
    whole = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction((1 << 30) / whole, 0)
    yield
    torch.cuda.set_per_process_memory_fraction(1.0, 0)
    torch.cuda.empty_cache()


def wide(device: str, **options) -> InfluenceEngine:
    torch.manual_seed(0)
    model = Wide()
    state = {name: value.clone() for name, value in model.state_dict().items()}
    return InfluenceEngine(model, [Checkpoint(state, 0.1)], device=device, **options)


def data(count: int) -> TensorDataset:
    return TensorDataset(torch.randn(count, 8), torch.arange(count) % 3)


def test_a_batch_that_the_gpu_refuses_is_halved(little_memory):
    examples = data(150)
    subject = wide("cuda", batch_size=128)
    found = subject.self_influence(examples)
    assert max(subject.partition) < 128 and sum(subject.partition) == 150
    expected = wide("cpu", batch_size=8).self_influence(examples)
    assert relative_error(found[None], expected[None]) < 1e-4


def test_the_batch_found_fits():
    subject = wide("cuda")
    free = free_memory(torch.device("cuda", 0))
    subject.coverage(data(9))
    torch.cuda.reset_peak_memory_stats()
    subject.self_influence(data(3 * subject.batch_size))
    assert len(set(subject.partition)) == 1
    assert torch.cuda.max_memory_allocated() < free


def test_copies_by_pinned_memory_arrive_whole():
    examples = TensorDataset(torch.randn(64, 300_000), torch.arange(64))
    source = Source(examples, None, torch.device("cuda", 0), None)
    feed = Feed(source, np.arange(64))
    for first in range(0, 64, 8):
        batch = feed.take(first, 8)
        assert torch.equal(batch.inputs.cpu(), examples.tensors[0][first : first + 8])
    feed.close()
