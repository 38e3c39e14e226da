"""The general path: exact per-example gradients of any parameter, whatever operation uses it.

It serves the parameters that no rule covers, and batches of one are the judge of the start check. Where the
model can be vectorised, ``torch.func.vmap`` of ``grad`` runs several batches of one at once.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from tracin_viz.engine.batches import Batch
from tracin_viz.engine.forms import Dense
from tracin_viz.engine.losses import PerExample, checked
from tracin_viz.engine.precision import double

VECTORISED = 1 << 24  # numbers of per-example gradients that one vectorised call may hold


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
    """Per-example gradients of the parameters ``names``, (B, *shape) each, from batches of one."""
    chosen = {name: parameters[name] for name in names}
    rows: dict[str, list[Tensor]] = {name: [] for name in chosen}
    with requiring_gradients(chosen.values()), torch.enable_grad():
        for place in range(len(batch)):
            _, gradients = single(model, chosen, batch.part(place, place + 1), objective)
            for name, gradient in gradients.items():
                rows[name].append(gradient)
    for name in chosen:
        yield name, Dense(torch.stack(rows.pop(name)), tuple(chosen[name].shape))


def vectorised(
    model: nn.Module, parameters: dict[str, Tensor], names: Iterable[str], batch: Batch, objective: PerExample
) -> Iterator[tuple[str, Dense]]:
    """The same from ``vmap`` over examples, in pieces.

    Raises:
        RuntimeError, ValueError or another: The model cannot be vectorised (control flow that depends on
            data, packed sequences, in-place writes). Which type is up to torch and to the model.
    """
    chosen = {name: parameters[name].detach() for name in names}
    per_example = sum(parameter.numel() for parameter in chosen.values())

    def value(weights: dict[str, Tensor], inputs: Any, targets: Any) -> Tensor:
        one = Batch(batch.rows[:1], _alone(inputs), _alone(targets))
        outputs = one.call(lambda *args, **kwargs: functional_call(model, weights, args, kwargs))
        return checked(objective(outputs, one.targets), 1).sum()

    pieces = vmap(grad(value), in_dims=(None, 0, 0), chunk_size=max(1, VECTORISED // per_example))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns where an operation is not yet vectorised, only slow
        found = pieces(chosen, batch.inputs, batch.targets)
    for name, values in found.items():
        yield name, Dense(values.detach(), tuple(chosen[name].shape))


def judged(
    model: nn.Module, parameters: dict[str, Tensor], names: Iterable[str], batch: Batch, objective: PerExample
) -> str:
    """Why ``vectorised`` cannot be used; empty where it gives what batches of one give."""
    names = list(names)
    try:
        found = dict(vectorised(model, parameters, names, batch, objective))
    except Exception as error:  # torch names no common type; batches of one will say what is really wrong
        return f"torch.func.vmap cannot run it ({type(error).__name__}: {str(error).splitlines()[0][:100]})"
    for name, true in one_by_one(model, parameters, names, batch, objective):
        scale = float(double(true.values).norm())
        if float(double(found[name].values - true.values).norm()) > 1e-3 * scale:
            return "torch.func.vmap gives other gradients"
    return ""


def _alone(value: Any) -> Any:
    """One example as a batch of one."""
    if isinstance(value, Tensor):
        return value.unsqueeze(0)
    if isinstance(value, Mapping):
        return {key: _alone(entry) for key, entry in value.items()}
    if isinstance(value, tuple):
        return tuple(_alone(entry) for entry in value)
    return value


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
