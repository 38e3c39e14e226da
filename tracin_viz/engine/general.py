"""The general path: exact per-example gradients of any parameter from batches of one.

Slow (one backward pass per example) and complete. It serves the parameters that no rule covers, and it is the
judge of the start check.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from tracin_viz.engine.batches import Batch
from tracin_viz.engine.forms import Dense
from tracin_viz.engine.losses import PerExample, checked


@contextmanager
def requiring_gradients(parameters: Iterable[Tensor]) -> Iterator[None]:
    """Switches ``requires_grad`` of ``parameters`` on, and off again."""
    chosen = list(parameters)
    for parameter in chosen:
        parameter.requires_grad_(True)
    try:
        yield
    finally:
        for parameter in chosen:
            parameter.requires_grad_(False)


def one_by_one(
    model: nn.Module, parameters: dict[str, Tensor], names: Iterable[str], batch: Batch, objective: PerExample
) -> Iterator[tuple[str, Dense]]:
    """Per-example gradients of the parameters ``names``, (B, *shape) each."""
    chosen = {name: parameters[name] for name in names}
    rows: dict[str, list[Tensor]] = {name: [] for name in chosen}
    with requiring_gradients(chosen.values()), torch.enable_grad():
        for place in range(len(batch)):
            _, gradients = single(model, chosen, batch.part(place, place + 1), objective)
            for name, gradient in gradients.items():
                rows[name].append(gradient)
    for name in chosen:
        yield name, Dense(torch.stack(rows.pop(name)), tuple(chosen[name].shape))


def single(
    model: nn.Module, parameters: dict[str, Tensor], batch: Batch, objective: PerExample
) -> tuple[Tensor, dict[str, Tensor]]:
    """Objective and gradients of one example by plain automatic differentiation.

    The parameters must require gradients.
    """
    values = checked(objective(batch.call(model), batch.targets), 1)
    tensors = list(parameters.values())
    if not values.requires_grad:
        found: tuple[Tensor | None, ...] = (None,) * len(tensors)
    else:
        found = torch.autograd.grad(values.sum(), tensors, allow_unused=True)
    gradients = {
        name: torch.zeros_like(parameter) if gradient is None else gradient
        for (name, parameter), gradient in zip(parameters.items(), found, strict=True)
    }
    return values.detach(), gradients
