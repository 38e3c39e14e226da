"""Matrix products with a parameter: ``linear``, ``addmm`` (Hugging Face's Conv1D), ``x @ W``.

y_t = W a_t + b  ⇒  ∇_W ℓ = Σ_t g_t a_tᵀ and ∇_b ℓ = Σ_t g_t, with g_t the gradient of the loss in y_t.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from tracin_viz.engine.calls import Call, Source
from tracin_viz.engine.capture import Capture
from tracin_viz.engine.forms import Dense, Factors, Form


def linear(capture: Capture, call: Call) -> Any:
    """``linear(input, weight, bias)``, weight (out, in)."""
    data, weight, bias = call.get(0, "input"), call.get(1, "weight"), call.get(2, "bias")
    axis = None if capture.source(data) else capture.axis(call, data)
    if axis is None or axis == data.dim() - 1:
        return NotImplemented
    return product(capture, call.run(), data, axis, capture.source(weight), capture.source(bias))


def addmm(capture: Capture, call: Call) -> Any:
    """``addmm(bias, input, weight)``, weight (in, out)."""
    bias, data, weight = call.get(0, "input"), call.get(1, "mat1"), call.get(2, "mat2")
    scaled = call.kwargs.get("alpha", 1) != 1 or call.kwargs.get("beta", 1) != 1
    if scaled or capture.source(data) or bias.dim() != 1:
        return NotImplemented
    axis = capture.axis(call, data)
    if axis != 0:
        return NotImplemented
    return product(
        capture, call.run(), data, axis, capture.source(weight), capture.source(bias), transposed=True
    )


def matmul(capture: Capture, call: Call) -> Any:
    """``input @ weight``, weight (in, out)."""
    data, weight = call.get(0, "input"), call.get(1, "other")
    source = capture.source(weight)
    if source is None or capture.source(data) or weight.dim() != 2 or data.dim() < 2:
        return NotImplemented
    axis = capture.axis(call, data)
    if axis is None or axis == data.dim() - 1:
        return NotImplemented
    return product(capture, call.run(), data, axis, source, None, transposed=True)


def product(
    capture: Capture,
    output: Tensor,
    data: Tensor,
    axis: int,
    weight: Source | None,
    bias: Source | None,
    *,
    transposed: bool = False,
) -> Tensor:
    """Watches ``output`` = ``data`` times a matrix (+ bias), with the examples of ``data`` along ``axis``."""
    kept = data.detach()
    names = tuple(name for source in (weight, bias) if source for name in source.names)
    capture.note_output(kept, output, names)

    def then(grad: Tensor) -> None:
        left = _positions(capture, grad, axis)

        def of_weight() -> Form:
            right = _positions(capture, kept, axis)
            pair = (right, left) if transposed else (left, right)
            return Factors(*pair, (pair[0].shape[2], pair[1].shape[2]))

        capture.emit(weight, of_weight)
        capture.emit(bias, lambda: Dense(left.sum(1), (left.shape[2],)))

    return capture.watch(output, [kept], [weight, bias], "linear", then)


def _positions(capture: Capture, data: Tensor, axis: int) -> Tensor:
    split = capture.split(data, axis)
    return split.reshape(split.shape[0], -1, split.shape[-1])


RULES = {
    "linear": linear,
    "addmm": addmm,
    "matmul": matmul,
    "__matmul__": matmul,
    "mm": matmul,
}
