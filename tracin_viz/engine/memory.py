"""Memory of a device: how much is free, how much a batch takes, and what is said when there is none left."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable
from math import prod
from typing import Any

import torch
from torch import Tensor

from tracin_viz.engine.forms import Lookup
from tracin_viz.portable import available_memory

#: Examples per pass beyond which nothing gets faster.
LARGEST_BATCH = {"cpu": 64, "cuda": 512, "mps": 128}
CPU_WORKING_SET = 1 << 30  # bytes; larger batches are no faster
#: Share of the free memory that a batch may take by the estimate below: the allocator needs room to breathe,
#: and other programs may start.
SHARE = 0.5
#: What allocators say. CUDA and Python have classes of their own; these are plain RuntimeErrors of the CPU
#: (Linux, Windows), MPS, and CUDA's libraries when they cannot get their workspace.
_WORDS = (
    "allocate memory",
    "not enough memory",
    "out of memory",
    "bad_alloc",
    "bad allocation",
    "STATUS_ALLOC_FAILED",
)

Consumer = Callable[[str, Any], None]


def is_out_of_memory(error: BaseException) -> bool:
    """Whether ``error`` is an allocator's refusal, of whatever device."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error) for word in _WORDS)


def release(device: torch.device) -> None:
    """Give back what a failed batch left behind, so that half of it finds room.

    The frames of the failed pass must be gone already: call it outside the ``except`` block.
    """
    gc.collect()  # a pass hangs in cycles of tensors and their hooks
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def free_memory(device: torch.device) -> int | None:
    """Bytes that new tensors on ``device`` may take; ``None`` where nobody tells."""
    if device.type == "cuda":
        with torch.cuda.device(device):
            cached = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
            return int(torch.cuda.mem_get_info()[0]) + int(cached)
    if device.type == "mps":
        return int(torch.mps.recommended_max_memory()) - int(torch.mps.driver_allocated_memory())
    return available_memory()


def footprint(run: Callable[[Consumer], object], parameters: Iterable[Tensor], examples: int) -> int:
    """Bytes that one example of a pass takes at its peak.

    Counted: all that automatic differentiation keeps between forward and backward pass, each storage once,
    the factors of the per-example gradients, and the largest gradient written out with its copy.

    Args:
        run: Makes a pass and gives each parameter's gradient to the consumer it is called with.
        parameters: The tracked ones; their own storage is no part of an example.
        examples: Examples in that pass.
    """
    owned = {tensor.untyped_storage().data_ptr() for tensor in parameters}
    kept: dict[int, int] = {}
    factors, largest = [0], [0]

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in owned:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    def consume(name: str, form: Any) -> None:
        tensors = [value for value in vars(form).values() if isinstance(value, Tensor)]
        factors[0] += sum(2 * tensor.numel() * tensor.element_size() for tensor in tensors)
        if not isinstance(form, Lookup):  # the gradient of a table is never written out
            largest[0] = max(largest[0], prod(form.shape))

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        run(consume)
    return (sum(kept.values()) + factors[0]) // examples + 8 * min(largest[0], 1 << 23) + 1


def fitting_batch(device: torch.device, bytes_per_example: int) -> int:
    """Examples per pass: as many as are of use, and fit into the free memory of ``device``."""
    wanted = LARGEST_BATCH.get(device.type, 64)
    if device.type == "cpu":
        wanted = min(wanted, CPU_WORKING_SET // bytes_per_example)
    free = free_memory(device)
    room = wanted if free is None else int(SHARE * free) // bytes_per_example
    if room < wanted:
        # A power of two: free memory is never the same twice, and runs should be alike where they can.
        wanted = 1 << max(0, room.bit_length() - 1)
    return max(1, wanted)
