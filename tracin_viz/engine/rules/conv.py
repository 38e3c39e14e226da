"""Convolutions of one to three dimensions, plain and transposed, with groups, stride and dilation.

∇_K ℓ = Σ_places (output gradient) ⊗ (input patch). A transposed convolution exchanges the two roles: its
kernel gradient is that of the convolution from the output gradient to the input. Padding modes other than
zeros arrive as a separate ``pad`` call before the convolution and need nothing here.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from tracin_viz.engine.calls import Call
from tracin_viz.engine.capture import Capture
from tracin_viz.engine.convolved import Convolved
from tracin_viz.engine.forms import Dense, Form


def convolution(capture: Capture, call: Call) -> Any:
    """``convNd(input, weight, bias, stride, padding, dilation, groups)``."""
    data, weight, bias = call.get(0, "input"), call.get(1, "weight"), call.get(2, "bias")
    dims = weight.dim() - 2
    if capture.source(data) or data.dim() != dims + 2 or capture.axis(call, data) != 0:
        return NotImplemented
    stride, dilation = _each(call.get(3, "stride", 1), dims), _each(call.get(5, "dilation", 1), dims)
    padding, groups = call.get(4, "padding", 0), call.get(6, "groups", 1)
    kernel = tuple(weight.shape)
    kept = data.detach()
    sources = (capture.source(weight), capture.source(bias))
    output = call.run()
    capture.note_output(kept, output, tuple(name for s in sources if s for name in s.names))

    def then(grad: Tensor) -> None:
        def of_weight() -> Form:
            pads = _pads(padding, kernel[2:], dilation)
            return Convolved(kept, grad, capture.batch, kernel, stride, dilation, groups, pads)

        capture.emit(sources[0], of_weight)
        capture.emit(sources[1], lambda: _bias(capture, grad))

    return capture.watch(output, [kept], sources, f"conv{dims}d", then)


def transposed(capture: Capture, call: Call) -> Any:
    """``conv_transposeNd(input, weight, bias, stride, padding, output_padding, groups, dilation)``."""
    data, weight, bias = call.get(0, "input"), call.get(1, "weight"), call.get(2, "bias")
    dims = weight.dim() - 2
    if capture.source(data) or data.dim() != dims + 2 or capture.axis(call, data) != 0:
        return NotImplemented
    stride, dilation = _each(call.get(3, "stride", 1), dims), _each(call.get(7, "dilation", 1), dims)
    padding, groups = _each(call.get(4, "padding", 0), dims), call.get(6, "groups", 1)
    kernel = tuple(weight.shape)
    kept = data.detach()
    sources = (capture.source(weight), capture.source(bias))

    def then(grad: Tensor) -> None:
        def of_weight() -> Form:
            pads = _pads(padding, kernel[2:], dilation)
            return Convolved(grad, kept, capture.batch, kernel, stride, dilation, groups, pads)

        capture.emit(sources[0], of_weight)
        capture.emit(sources[1], lambda: _bias(capture, grad))

    return capture.watch(call.run(), [kept], sources, f"conv_transpose{dims}d", then)


def _bias(capture: Capture, grad: Tensor) -> Form:
    places = grad.flatten(2)
    per_row = places @ places.new_ones(places.shape[2])
    per_example = capture.split(per_row, 0).sum(1)
    return Dense(per_example, (per_example.shape[1],))


def _each(value: Any, dims: int) -> tuple[int, ...]:
    values = (value,) if isinstance(value, int) else tuple(value)
    return values * dims if len(values) == 1 else values


def _pads(padding: Any, kernel: tuple[int, ...], dilation: tuple[int, ...]) -> tuple[int, ...]:
    """Amounts for ``functional.pad`` (last dimension first, both ends)."""
    if padding == "valid":
        return (0,) * (2 * len(kernel))
    if padding == "same":
        totals = [(size - 1) * gap for size, gap in zip(kernel, dilation, strict=True)]
        return tuple(amount for total in reversed(totals) for amount in (total // 2, total - total // 2))
    return tuple(amount for amount in reversed(_each(padding, len(kernel))) for _ in range(2))


RULES = {
    **{f"conv{dims}d": convolution for dims in (1, 2, 3)},
    **{f"conv_transpose{dims}d": transposed for dims in (1, 2, 3)},
}
