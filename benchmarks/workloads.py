"""The workloads on which influence engines are compared.

W1–W3 have random inputs: how long a gradient takes does not depend on what is in the picture. BatchNorm is
in evaluation mode. "real" is a pretrained sentence encoder, fine-tuned.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.networks import SmallBert, SmallNet, resnet18


class Sizes(NamedTuple):
    """How much of a workload is measured.

    Attributes:
        examples: Training examples.
        queries: Queries.
        checkpoints: Checkpoints.
        batch: Examples per batch of FLOOR-A and of the other tools.
    """

    examples: int
    queries: int
    checkpoints: int
    batch: int


@dataclass
class Workload:
    """A model, its checkpoints and data.

    Attributes:
        model: In evaluation mode; called with all but the last tensor of an example.
        states: State dicts of the checkpoints.
        rates: Learning rates.
        train: N examples (inputs …, label).
        queries: Q examples.
        batch: Batch size of the plain training epoch (FLOOR-A) and of the other tools.
        last: Name of the layer that produces the outputs.
        note: What else a reader should know.
    """

    model: nn.Module
    states: list[dict[str, Tensor]]
    rates: tuple[float, ...]
    train: TensorDataset
    queries: TensorDataset
    batch: int
    last: str
    note: str = ""

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.model.parameters()).device

    def on(self, device: str) -> Workload:
        """The same with the model on a device; data stay in main memory, as in training."""
        return replace(self, model=self.model.to(device))

    def first(self, examples: int, queries: int) -> Workload:
        """The same model with fewer training examples and queries."""
        train = TensorDataset(*(tensor[:examples] for tensor in self.train.tensors))
        return replace(
            self, train=train, queries=TensorDataset(*(tensor[:queries] for tensor in self.queries.tensors))
        )

    def batches(self, data: Any) -> Iterator[tuple[list[Tensor], Tensor]]:
        """Inputs and labels of ``data`` in batches, on the device."""
        for *inputs, labels in DataLoader(data, batch_size=self.batch):
            yield [each.to(self.device) for each in inputs], labels.to(self.device)


SIZES = {
    "W1": Sizes(300, 50, 3, 50),
    "W2": Sizes(60, 20, 2, 30),
    "W3": Sizes(80, 20, 2, 20),
    "real": Sizes(40, 10, 2, 20),
}
TINY = {name: Sizes(6, 3, sizes.checkpoints, 3) for name, sizes in SIZES.items()}
NAMES = {
    "W1": "CNN, 32×32, 0.6 M parameters",
    "W2": "ResNet-18, 64×64, 11 M parameters",
    "W3": "BERT-like, 64 tokens, 8.4 M parameters",
    "real": "a real model: all-MiniLM-L6-v2 (22.7 M parameters), fine-tuned on voice commands",
}


def build(name: str, sizes: Sizes | None = None, *, device: str = "cpu") -> Workload:
    """A workload with a fixed seed.

    Args:
        name: "W1", "W2", "W3" or "real".
        sizes: How much of it; the usual size where none is given.
        device: Where the model goes.
    """
    sizes = sizes or SIZES[name]
    if name == "real":
        from benchmarks.sentences import commands_workload  # only this one needs transformers

        return commands_workload(sizes).on(device)
    torch.manual_seed(0)
    total = sizes.examples + sizes.queries
    if name == "W3":
        model: nn.Module = SmallBert()
        inputs, labels = torch.randint(0, 20000, (total, 64)), torch.randint(0, 4, (total,))
    else:
        model = SmallNet() if name == "W1" else resnet18()
        side = 32 if name == "W1" else 64
        inputs, labels = torch.randn(total, 3, side, side), torch.randint(0, 10, (total,))
    states = _first_steps(model, inputs[: sizes.batch], labels[: sizes.batch], sizes.checkpoints)
    data = TensorDataset(inputs, labels)
    last = str(len(model) - 1) if isinstance(model, nn.Sequential) else "head"
    rates = (0.1, 0.05, 0.01)[: sizes.checkpoints]
    return Workload(model, states, rates, *_split(data, sizes.examples), sizes.batch, last).on(device)


def _first_steps(model: nn.Module, inputs: Tensor, labels: Tensor, count: int) -> list[dict[str, Tensor]]:
    """Weights after each of the first steps of plain SGD; the model is left in evaluation mode."""
    states = []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for _ in range(count):
        model.train()
        optimizer.zero_grad()
        functional.cross_entropy(model(inputs), labels).backward()
        optimizer.step()
        states.append(copy.deepcopy(model.state_dict()))
    optimizer.zero_grad()
    model.eval()
    return states


def _split(data: TensorDataset, count: int) -> tuple[TensorDataset, TensorDataset]:
    tensors = data.tensors
    return TensorDataset(*(t[:count] for t in tensors)), TensorDataset(*(t[count:] for t in tensors))
