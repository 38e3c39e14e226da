"""Parameters used as data: class tokens, position embeddings, layer scales, prompt vectors, plain biases.

An elementwise operation with a parameter is run with a copy of it per example; automatic differentiation then
brings one gradient per example. ``expand`` over the batch is such a copy already.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from tracin_viz.engine.calls import Call, Source
from tracin_viz.engine.capture import Capture
from tracin_viz.engine.forms import Dense, Form, Lookup
from tracin_viz.engine.layouts import Interleaved


def elementwise(capture: Capture, call: Call) -> Any:
    """``x + p`` and its kin: each source among the arguments is replaced by one row per example."""
    data = [t for t in (*call.args, *call.kwargs.values()) if isinstance(t, Tensor)]
    if any(isinstance(t, list | tuple) for t in (*call.args, *call.kwargs.values())):
        return NotImplemented
    free = [t for t in data if capture.source(t) is None]
    shape = torch.broadcast_shapes(*[t.shape for t in data])  # type: ignore[no-untyped-call]
    widest = max(free, key=lambda t: (t.dim(), t.numel()))
    axis = capture.axis(call, widest)
    if axis is None or widest.dim() != len(shape):
        return NotImplemented
    rows = widest.shape[axis]
    if any(t.dim() == len(shape) and t.shape[axis] != 1 for t in data if capture.source(t)):
        return NotImplemented
    replaced = {id(t): copies(capture, t, axis, rows, len(shape)) for t in data if capture.source(t)}
    args = [replaced.get(id(value), value) if isinstance(value, Tensor) else value for value in call.args]
    kwargs = {k: replaced.get(id(v), v) if isinstance(v, Tensor) else v for k, v in call.kwargs.items()}
    return call.func(*args, **kwargs)


def copies(capture: Capture, parameter: Tensor, axis: int, rows: int, dims: int) -> Tensor:
    """``parameter`` once per example, shaped to meet ``rows`` (a multiple of B) along ``axis``."""
    source = capture.source(parameter)
    if source is None or not torch.is_grad_enabled():
        return parameter
    target = source if source.ids is None else capture.parameter(source.names[0])
    batch, shape = capture.batch, tuple(parameter.shape)
    leaf = parameter.detach().expand(batch, *shape).clone().requires_grad_()

    def then(grad: Tensor) -> None:
        capture.emit(target, lambda: _form(capture, source, grad))

    each = capture.watch(leaf, [], [target], "free parameter" if target is source else "embedding", then)
    aligned = each.reshape(batch, *[1] * (dims - len(shape)), *shape)  # batch in front, then dims axes
    if isinstance(axis, Interleaved):
        repeated = aligned.unsqueeze(0).expand(rows // batch, batch, *aligned.shape[1:])
    else:
        repeated = aligned.unsqueeze(1).expand(batch, rows // batch, *aligned.shape[1:])
    along = repeated.reshape(rows, *aligned.shape[1:])  # (rows, d_0, …); d_axis is 1
    return along.squeeze(axis + 1).movedim(0, axis)


def _form(capture: Capture, source: Source, grad: Tensor) -> Form:
    """Per-example gradients of a source; rows looked up by constant ids stay a lookup."""
    if source.ids is None:
        return Dense(grad, tuple(grad.shape[1:]))
    ids = source.ids[None].expand(capture.batch, -1)
    table = tuple(capture.parameters[source.names[0]].shape)
    return Lookup(ids, grad.reshape(capture.batch, -1, grad.shape[-1]), table)


def expanded(capture: Capture, call: Call) -> Any:
    """``p.expand(B, …)`` and ``p.repeat(B, …)``: one copy per example where their number follows B."""
    parameter = call.args[0]
    source = capture.source(parameter)
    if source is None:
        return NotImplemented
    output = call.run()
    axis = capture.axis(call, output)
    if axis is None:
        return NotImplemented
    shape = (1,) * (output.dim() - parameter.dim()) + tuple(parameter.shape)
    if shape[axis] != 1 or any(
        a != b and a != 1 for i, (a, b) in enumerate(zip(shape, output.shape, strict=True))
    ):
        return NotImplemented
    summed = [i for i, (a, b) in enumerate(zip(shape, output.shape, strict=True)) if a != b and i != axis]

    def then(grad: Tensor) -> None:
        def form() -> Form:
            reduced = grad.sum(summed, keepdim=True) if summed else grad
            per_example = capture.split(reduced, axis).sum(1)
            return Dense(per_example.reshape(capture.batch, *parameter.shape), tuple(parameter.shape))

        capture.emit(source, form)

    return capture.watch(output, [], [source], "free parameter", then)


_ELEMENTWISE = (
    "add add_ sub sub_ rsub mul mul_ div div_ true_divide __add__ __radd__ __iadd__ __sub__ __rsub__ "
    "__isub__ __mul__ __rmul__ __imul__ __truediv__ __rtruediv__ __itruediv__ pow __pow__ __rpow__ "
    "maximum minimum where lerp addcmul addcdiv atan2 clamp"
)
RULES = {
    **dict.fromkeys(_ELEMENTWISE.split(), elementwise),
    **dict.fromkeys(("expand", "expand_as", "repeat", "broadcast_to", "tile"), expanded),
}
