"""Memory that runs out for real, what is said then, and how large a batch is chosen."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset

from tests.oracles import relative_error
from tracin_viz.engine import Checkpoint, InfluenceEngine, memory
from tracin_viz.portable import available_memory, usable_cores

ROOT = Path(__file__).resolve().parents[2]
CPU = torch.device("cpu")

# The limit lies between what one half and the whole batch need, so that the allocator itself refuses.
STARVED = """
import resource, sys
import numpy as np
import torch
from torch import nn
from torch.utils.data import TensorDataset
from tracin_viz.engine import Checkpoint, InfluenceEngine

class Wide(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(8, 3)

    def forward(self, x):
        spread = self.body(x)[:, :, None].expand(-1, -1, 1 << 20).contiguous()  # 12 MiB per example
        return spread[:, :, 0]

torch.manual_seed(0)
torch.set_num_threads(1)
model = Wide()
state = {name: value.clone() for name, value in model.state_dict().items()}
data = TensorDataset(torch.randn(64, 8), torch.arange(64) % 3)
engine = InfluenceEngine(model, [Checkpoint(state, 0.1)], device="cpu", batch_size=32)
engine.coverage(data)
if sys.argv[1] == "starved":
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + (600 << 20), resource.RLIM_INFINITY))
found = engine.self_influence(data)
print(engine.partition, *[float.hex(value) for value in found])
"""


def run_starved(how: str) -> tuple[list[int], np.ndarray]:
    done = subprocess.run(
        [sys.executable, "-c", STARVED, how], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    sizes, values = done.stdout.split("] ")
    return [int(size) for size in sizes[1:].split(", ")], np.array([float.fromhex(v) for v in values.split()])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the address space of a process")
def test_a_real_allocation_failure_halves_the_batch_and_the_scores_are_the_same():
    sizes, starved = run_starved("starved")
    whole_sizes, whole = run_starved("whole")
    assert whole_sizes == [32, 32]
    assert max(sizes) < 32 and sum(sizes) == 64
    assert relative_error(starved[None], whole[None]) < 1e-5


def test_every_allocators_refusal_is_recognised():
    with pytest.raises(RuntimeError) as refused:
        torch.empty(1 << 60, dtype=torch.uint8)
    with pytest.raises(MemoryError) as numpys:
        np.empty(1 << 60, dtype=np.uint8)
    assert memory.is_out_of_memory(refused.value)
    assert memory.is_out_of_memory(numpys.value)
    assert memory.is_out_of_memory(torch.cuda.OutOfMemoryError("CUDA out of memory."))
    for said in (
        "[enforce fail] DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes.",
        "MPS backend out of memory (MPS allocated: 1 GB, max allowed: 2 GB)",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
    ):
        assert memory.is_out_of_memory(RuntimeError(said))


def test_other_errors_are_not_taken_for_a_lack_of_memory():
    assert not memory.is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    assert not memory.is_out_of_memory(OSError("not enough memory"))


def network() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 5))


def engine(**options) -> InfluenceEngine:
    model = network()
    state = {name: value.clone() for name, value in model.state_dict().items()}
    return InfluenceEngine(model, [Checkpoint(state, 0.1)], **options)


def data(count: int = 9) -> TensorDataset:
    return TensorDataset(torch.randn(count, 64), torch.arange(count) % 5)


def test_the_batch_shrinks_with_the_free_memory(monkeypatch):
    sizes = []
    for free in (None, 64 << 30, 4 << 20, 1 << 20, 0):
        monkeypatch.setattr(memory, "free_memory", lambda device, free=free: free)
        subject = engine(device="cpu")
        subject.coverage(data())
        sizes.append(subject.batch_size)
    assert sizes[0] == sizes[1] == memory.LARGEST_BATCH["cpu"]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[2] < sizes[1] and sizes[-1] == 1
    assert all(size & (size - 1) == 0 for size in sizes)


def test_an_asked_batch_size_is_kept():
    subject = engine(batch_size=7, device="cpu")
    subject.self_influence(data(20))
    assert subject.batch_size == 7
    assert subject.partition == [7, 7, 6]


def test_a_footprint_counts_what_is_kept_for_the_backward_pass():
    class Deep(nn.Module):
        """Keeps ``depth`` tensors of 100,000 numbers per example."""

        def __init__(self, depth: int) -> None:
            super().__init__()
            self.body, self.depth = nn.Linear(4, 3), depth

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            hidden = self.body(x)[:, :, None].expand(-1, -1, 100_000 // 3)
            for _ in range(self.depth):
                hidden = torch.tanh(hidden)
            return hidden.mean(2)

    sizes = []
    for depth in (1, 11):
        model = Deep(depth)
        state = {name: value.clone() for name, value in model.state_dict().items()}
        subject = InfluenceEngine(model, [Checkpoint(state, 0.1)], device="cpu")
        session = subject._session
        examples = TensorDataset(torch.randn(6, 4), torch.arange(6) % 3)
        with session.open():
            session.prepare(examples, subject.checkpoints[0])
            sizes.append(session._footprint(session._source(examples).read(np.arange(3))))
    assert sizes[1] - sizes[0] == pytest.approx(10 * 4 * 99_999, rel=0.01)


def test_the_machine_tells_what_is_free():
    assert usable_cores() >= 1
    free = available_memory()
    assert free is None or 1 << 20 < free < 1 << 50
    assert memory.free_memory(CPU) is None or memory.free_memory(CPU) > 0
