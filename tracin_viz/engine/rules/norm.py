"""Affine parts of the normalisations: y = γ · x̂ + β  ⇒  ∇_γ ℓ = Σ g · x̂ and ∇_β ℓ = Σ g.

x̂ is computed again from the input. Batch normalisation in train mode has no per-example gradient (each
example moves the statistics of the others) and takes no rule: the start check then refuses the model.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from tracin_viz.engine.calls import Call
from tracin_viz.engine.capture import Capture
from tracin_viz.engine.forms import Dense, Form


def layer_norm(capture: Capture, call: Call) -> Any:
    """``layer_norm(input, normalized_shape, weight, bias, eps)``."""
    data, shape, eps = call.get(0, "input"), call.get(1, "normalized_shape"), call.get(4, "eps", 1e-5)
    return _trailing(capture, call, len(shape), lambda: functional.layer_norm(data, shape, eps=eps))


def rms_norm(capture: Capture, call: Call) -> Any:
    """``rms_norm(input, normalized_shape, weight, eps)``."""
    data, shape, eps = call.get(0, "input"), call.get(1, "normalized_shape"), call.get(3, "eps")
    return _trailing(capture, call, len(shape), lambda: functional.rms_norm(data, shape, eps=eps))


def _trailing(capture: Capture, call: Call, dims: int, normalized: Callable[[], Tensor]) -> Any:
    """Normalisation over the last ``dims`` dimensions, with parameters of that shape."""
    data, weight = call.get(0, "input"), call.get(2, "weight")
    bias = call.get(3, "bias") if call.name == "layer_norm" else None
    axis = None if capture.source(data) else capture.axis(call, data)
    if axis is None or axis >= data.dim() - dims:
        return NotImplemented

    def reduced(values: Tensor) -> Form:
        split = capture.split(values, axis)
        shape = tuple(split.shape[split.dim() - dims :])
        return Dense(split.reshape(split.shape[0], -1, *shape).sum(1), shape)

    return _affine(capture, call, (weight, bias), lambda grad: reduced(normalized().mul_(grad)), reduced)


def batch_norm(capture: Capture, call: Call) -> Any:
    """``batch_norm(input, mean, var, weight, bias, training, momentum, eps)`` in eval mode."""
    data = call.get(0, "input")
    if hasattr(call.func, "__code__"):  # torch.nn.functional
        mean, var = call.get(1, "running_mean"), call.get(2, "running_var")
        weight, bias = call.get(3, "weight"), call.get(4, "bias")
    else:  # torch.batch_norm and aten
        weight, bias, mean, var = (call.get(i, "") for i in range(1, 5))
    if call.get(5, "training", False) or mean is None or var is None or capture.source(data):
        return NotImplemented
    if capture.axis(call, data) != 0:
        return NotImplemented
    eps = call.get(7, "eps", 1e-5)

    def weighted(grad: Tensor) -> Form:
        per_channel = (1, -1, *([1] * (data.dim() - 2)))
        centred = data.detach() - mean.view(per_channel)
        summed = _per_channel(capture, centred.mul_(grad))
        return Dense(summed.values * torch.rsqrt(var + eps), summed.shape)

    return _affine(capture, call, (weight, bias), weighted, lambda grad: _per_channel(capture, grad))


def group_norm(capture: Capture, call: Call) -> Any:
    """``group_norm(input, num_groups, weight, bias, eps)``."""
    data, groups, eps = call.get(0, "input"), call.get(1, "num_groups"), call.get(4, "eps", 1e-5)
    if capture.source(data) or capture.axis(call, data) != 0:
        return NotImplemented
    return _affine(
        capture,
        call,
        (call.get(2, "weight"), call.get(3, "bias")),
        lambda grad: _per_channel(capture, functional.group_norm(data, groups, eps=eps).mul_(grad)),
        lambda grad: _per_channel(capture, grad),
    )


def instance_norm(capture: Capture, call: Call) -> Any:
    """``instance_norm(input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps)``."""
    data, mean, var = call.get(0, "input"), call.get(1, "running_mean"), call.get(2, "running_var")
    own, eps = call.get(5, "use_input_stats", True), call.get(7, "eps", 1e-5)
    if capture.source(data) or capture.axis(call, data) != 0:
        return NotImplemented

    def normalized() -> Tensor:
        if own:
            return functional.instance_norm(data, eps=eps)
        return functional.instance_norm(data, mean, var, use_input_stats=False, eps=eps)

    parameters = (call.get(3, "weight"), call.get(4, "bias"))
    return _affine(
        capture,
        call,
        parameters,
        lambda grad: _per_channel(capture, normalized().mul_(grad)),
        lambda grad: _per_channel(capture, grad),
    )


def _per_channel(capture: Capture, values: Tensor) -> Dense:
    """Sums over places and rows per example; a product with ones is the fastest sum over short rows."""
    per_row = values
    if values.dim() > 2:
        places = values.flatten(2)
        per_row = places @ places.new_ones(places.shape[2])
    per_example = capture.split(per_row, 0).sum(1)
    return Dense(per_example, (per_example.shape[1],))


def _affine(
    capture: Capture,
    call: Call,
    parameters: tuple[Any, Any],
    weighted: Callable[[Tensor], Form],
    summed: Callable[[Tensor], Form],
) -> Any:
    """Watches a normalisation; ``weighted`` gives Σ g · x̂ and ``summed`` Σ g from the output gradient."""
    data = call.get(0, "input").detach()
    weight, bias = capture.source(parameters[0]), capture.source(parameters[1])

    def then(grad: Tensor) -> None:
        with torch.no_grad():
            capture.emit(weight, lambda: weighted(grad))
            capture.emit(bias, lambda: summed(grad))

    return capture.watch(call.run(), [data], [weight, bias], call.name, then)


RULES = {
    "layer_norm": layer_norm,
    "rms_norm": rms_norm,
    "batch_norm": batch_norm,
    "group_norm": group_norm,
    "instance_norm": instance_norm,
}
