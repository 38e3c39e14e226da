"""Small models that between them use every kind of parameter that the engine claims to measure exactly.

Each is a :class:`Case`: a model, data, and how to batch them. They are tiny, because what is tested is
whether a gradient is right, and a wrong rule is as wrong on three channels as on three hundred.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from tests import oracles

CLASSES = 3
RATES = (0.1, 0.03)
ARCHITECTURES: dict[str, Callable[[], Case]] = {}


@dataclass
class Case:
    """A model with data.

    Attributes:
        model: What the engine gets.
        train: (inputs, target) pairs.
        queries: (inputs, target) pairs.
        reference: Model of the same parameters for the oracle, where that needs another form.
        collate: Batch of a list of pairs.
        loss: Name of the engine's loss, or None for its default.
        oracle_loss: The same loss for a batch of one.
        general: Beginnings of the names of parameters that must take the general path; all others must not.
    """

    model: nn.Module
    train: list[Any]
    queries: list[Any]
    reference: nn.Module | None = None
    collate: Callable[[list[Any]], Any] | None = None
    loss: str | None = None
    oracle_loss: oracles.Loss = oracles.cross_entropy
    general: tuple[str, ...] = ()

    def states(self) -> list[dict[str, Tensor]]:
        """Two checkpoints: as built, and with every trainable parameter and running statistic moved."""
        moved = copy.deepcopy(self.model)
        generator = torch.Generator().manual_seed(5)
        with torch.no_grad():
            for parameter in moved.parameters():
                parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
            for name, buffer in moved.named_buffers():
                if name.endswith(("running_mean", "running_var")):
                    buffer.add_(0.3 * torch.rand(buffer.shape, generator=generator))
        return [
            {name: value.clone() for name, value in model.state_dict().items()}
            for model in (self.model, moved)
        ]


def architecture(build: Callable[[], Case]) -> Callable[[], Case]:
    """Registers a case under its function's name, built with a fixed seed."""

    def seeded() -> Case:
        with torch.random.fork_rng():
            torch.manual_seed(11)
            return build()

    ARCHITECTURES[build.__name__] = seeded
    return seeded


def numbers(*shape: int, model: nn.Module, **options: Any) -> Case:
    """A case whose inputs are normal random numbers."""
    inputs = torch.randn(8, *shape)
    pairs = [(inputs[row], torch.tensor(row % CLASSES)) for row in range(8)]
    return Case(model, pairs[:6], pairs[6:], **options)


def tokens(length: int, vocabulary: int, *, model: nn.Module, **options: Any) -> Case:
    """A case whose inputs are token ids, with repeats and the id 0."""
    ids = torch.randint(0, vocabulary, (8, length))
    ids[:, -1] = 0
    ids[:, 1] = ids[:, 0]  # the same row of the table twice in one example
    pairs = [(ids[row], torch.tensor(row % CLASSES)) for row in range(8)]
    return Case(model, pairs[:6], pairs[6:], **options)


class Flow(nn.Module):
    """Modules in a row and a function of them, for models too small for a class of their own."""

    def __init__(self, function: Callable[[Any, Any], Any], **modules: Any) -> None:
        super().__init__()
        self.function = function
        for name, module in modules.items():
            setattr(self, name, module)

    def forward(self, inputs: Any) -> Any:
        """Runs the function."""
        return self.function(self, inputs)


def headed(*body: nn.Module, width: int) -> nn.Sequential:
    """A body, then mean over positions (or nothing), then a linear head."""
    return nn.Sequential(*body, nn.Flatten(), nn.Linear(width, CLASSES))
