"""From a data set to batches on the device, in order and in the same partition each time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import TensorDataset, default_collate

from tracin_viz.engine.memory import is_out_of_memory
from tracin_viz.errors import InputError

Collate = Callable[[list[Any]], Any]


@dataclass
class Batch:
    """Examples that go through the model together.

    Attributes:
        rows: Their places in the data set.
        inputs: Tensor, tuple of tensors or dict of tensors, examples along axis 0.
        targets: What the loss compares with; ``None`` for unlabelled queries.
    """

    rows: np.ndarray
    inputs: Any
    targets: Any

    def __len__(self) -> int:
        return len(self.rows)

    def part(self, first: int, last: int) -> Batch:
        """Examples ``first`` … ``last`` − 1, padded as in the whole batch."""
        window = slice(first, last)
        return Batch(self.rows[window], _sliced(self.inputs, window), _sliced(self.targets, window))

    def take(self, places: list[int]) -> Batch:
        """The examples at ``places`` of this batch; a place may occur more than once."""
        parts = [self.part(place, place + 1) for place in places]
        inputs = _stacked([part.inputs for part in parts])
        targets = _stacked([part.targets for part in parts])
        return Batch(np.concatenate([part.rows for part in parts]), inputs, targets)

    def call(self, model: Any) -> Any:
        """The outputs of ``model``: dicts are passed by keyword, tuples by position."""
        if isinstance(self.inputs, Mapping):
            return model(**self.inputs)
        if isinstance(self.inputs, list | tuple):
            return model(*self.inputs)
        return model(self.inputs)


@dataclass(frozen=True)
class Unlabelled:
    """Inputs with chosen classes as a data set.

    Attributes:
        inputs: A tensor (N, …), a dict of such, or a data set of inputs (or of pairs that start with them).
        classes: (N,) class asked about for each.
    """

    inputs: Any
    classes: np.ndarray

    def __len__(self) -> int:
        return count_inputs(self.inputs)

    def __getitem__(self, row: int) -> tuple[Any, int]:
        if isinstance(self.inputs, Mapping):
            return {key: value[row] for key, value in self.inputs.items()}, int(self.classes[row])
        found = self.inputs[row]
        return (found[0] if isinstance(found, tuple) else found), int(self.classes[row])


def count_inputs(inputs: Any) -> int:
    """Number of examples in a tensor, a dict of tensors or a data set."""
    return len(next(iter(inputs.values()))) if isinstance(inputs, Mapping) else length(inputs)


def _is_batch(data: Any) -> bool:
    """Whether ``data`` holds tensors that need no collating by the user's function any more."""
    return isinstance(data, Unlabelled) and isinstance(data.inputs, Mapping | Tensor)


def length(data: Any) -> int:
    """Number of examples.

    Raises:
        InputError: ``data`` is not a map-style data set.
    """
    try:
        return len(data)
    except TypeError as error:
        raise InputError(
            f"{type(data).__name__} has no length, so its examples cannot be named by their row.",
            remedy="Give a map-style torch.utils.data.Dataset of (inputs, target).",
        ) from error


def collected(data: Any, rows: np.ndarray, collate: Collate | None) -> Batch:
    """The examples ``rows`` of ``data`` as one batch, where the data set left them (the CPU).

    Raises:
        InputError: The examples cannot be put into one batch.
    """
    if isinstance(data, TensorDataset) and collate is None:
        index = torch.from_numpy(rows)
        found: Any = tuple(tensor[index] for tensor in data.tensors)
    else:
        several = getattr(data, "__getitems__", None)
        pairs = several(rows.tolist()) if several else [data[row] for row in rows.tolist()]
        try:
            found = (default_collate if collate is None or _is_batch(data) else collate)(list(pairs))
        except (RuntimeError, TypeError, ValueError, KeyError) as error:
            if is_out_of_memory(error):
                raise
            raise InputError(
                f"Examples {rows[0]}–{rows[-1]} cannot be put into one batch: {error}",
                remedy="Give `collate_fn=`, which pads a list of (inputs, target) to one batch.",
            ) from error
    if not isinstance(found, list | tuple) or len(found) < 2:
        raise InputError(
            "Each example must be a pair (inputs, target).",
            remedy="Wrap the data set so that data[i] is one.",
        )
    inputs, targets = (found[0] if len(found) == 2 else tuple(found[:-1])), found[-1]
    return Batch(rows, inputs, targets)


def placed(batch: Batch, device: torch.device, dtype: torch.dtype | None, *, pinned: bool = False) -> Batch:
    """``batch`` on ``device``, its floating-point tensors as ``dtype`` (``None`` = as they are).

    Args:
        batch: A batch, anywhere.
        device: Where it is to be.
        dtype: Number type of the passes.
        pinned: Copy by way of pinned memory, without waiting for the copy (CUDA).
    """
    move = _Move(device, dtype, pinned)
    return Batch(batch.rows, move(batch.inputs), move(batch.targets))


def tensors_in(value: Any) -> Iterator[Tensor]:
    """All tensors inside nested tuples, lists and dicts."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for entry in value.values():
            yield from tensors_in(entry)
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from tensors_in(entry)


def partition(rows: np.ndarray, size: int) -> Iterator[np.ndarray]:
    """``rows`` in consecutive pieces of ``size``."""
    for first in range(0, len(rows), size):
        yield rows[first : first + size]


def even(count: int, size: int) -> int:
    """The smallest batch that takes no more passes than ``size``: a last batch of few is badly used."""
    passes = -(-count // size) if count else 1
    return max(1, -(-count // passes))


@dataclass(frozen=True)
class _Move:
    """Moves tensors inside nested containers."""

    device: torch.device
    dtype: torch.dtype | None
    pinned: bool

    def __call__(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            return self._tensor(value)
        if isinstance(value, Mapping):
            return {key: self(entry) for key, entry in value.items()}
        if isinstance(value, list | tuple):
            return tuple(self(entry) for entry in value)
        if isinstance(value, np.ndarray):
            return self(torch.from_numpy(value))
        return value

    def _tensor(self, value: Tensor) -> Tensor:
        kind = self.dtype if value.is_floating_point() else None
        if self.device.type == "mps" and (kind or value.dtype) == torch.float64:
            kind = torch.float32  # Metal has no float64
        if self.pinned and value.device.type == "cpu":
            value = value.to(dtype=kind or value.dtype).pin_memory()
        return value.to(self.device, kind, non_blocking=self.pinned)


def _sliced(value: Any, window: slice) -> Any:
    if isinstance(value, Tensor | Sequence) and not isinstance(value, tuple | str):
        return value[window]
    if isinstance(value, Mapping):
        return {key: _sliced(entry, window) for key, entry in value.items()}
    if isinstance(value, tuple):
        return tuple(_sliced(entry, window) for entry in value)
    return value


def _stacked(values: list[Any]) -> Any:
    first = values[0]
    if isinstance(first, Tensor):
        return torch.cat(values)
    if isinstance(first, Mapping):
        return {key: _stacked([value[key] for value in values]) for key in first}
    if isinstance(first, tuple):
        return tuple(_stacked([value[place] for value in values]) for place in range(len(first)))
    if isinstance(first, list):
        return [entry for value in values for entry in value]
    return first
