"""Tables: ``embedding`` and ``embedding_bag``.

y_t = E[id_t]  ⇒  the gradient of row r is Σ_{t: id_t = r} g_t. Rows at ``padding_idx`` get none.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from tracin_viz.engine.calls import Call, Source
from tracin_viz.engine.capture import Capture
from tracin_viz.engine.forms import Lookup


def embedding(capture: Capture, call: Call) -> Any:
    """``embedding(ids, table, padding_idx)``; ids equal for all examples (positions) are kept as such."""
    ids, table = call.get(0, "input"), call.get(1, "weight")
    padding, plain = call.get(2, "padding_idx"), True
    if ids.is_floating_point():  # torch.embedding and aten: (table, ids, padding_idx=-1)
        ids, table, padding = table, ids, None if padding == -1 else padding
    else:
        plain = call.get(3, "max_norm") is None and not call.get(5, "scale_grad_by_freq", False)
    source = capture.source(table)
    if source is None or not plain:
        return NotImplemented
    padding = None if padding is None else padding % table.shape[0]
    axis = capture.axis(call, ids)
    if axis is None:
        if not capture.is_constant(ids) or source.shadow is not None:
            return NotImplemented
        return _shared(capture, call, ids, source, padding)
    kept, shape = ids.detach(), tuple(table.shape)

    def then(grad: Tensor) -> None:
        capture.emit(
            source, lambda: lookup(capture.split(kept, axis), capture.split(grad, axis), shape, padding)
        )

    return capture.watch(call.run(), [kept], [source], "embedding", then)


def _shared(capture: Capture, call: Call, ids: Tensor, source: Source, padding: int | None) -> Any:
    """Rows that are the same for all examples; the rule that adds them to data sees a source with ids."""
    flat = ids.reshape(-1)
    padded = padding is not None and bool((flat == padding).any())
    return capture.derive(call, ids=None if padded else flat)


def lookup(ids: Tensor, grad: Tensor, shape: tuple[int, ...], padding: int | None) -> Lookup:
    """The gradient of a table of ``shape`` from ids (B, …) and output gradients (B, …, width)."""
    values = grad.reshape(grad.shape[0], -1, grad.shape[-1])
    flat = ids.reshape(ids.shape[0], -1)
    if padding is not None:
        values = values * (flat != padding)[:, :, None]
    return Lookup(flat, values, shape)


def embedding_bag(capture: Capture, call: Call) -> Any:
    """``embedding_bag`` over (B, T) ids with mode sum or mean: y = Σ_t c_t E[id_t]."""
    ids, table, offsets = call.get(0, "input"), call.get(1, "weight"), call.get(2, "offsets")
    mode, weights = call.get(6, "mode", "mean"), call.get(8, "per_sample_weights")
    source, padding = capture.source(table), call.get(10, "padding_idx")
    plain = offsets is None and mode in ("sum", "mean") and call.get(3, "max_norm") is None
    plain = plain and ids.dim() == 2 and not call.get(5, "scale_grad_by_freq", False)
    if source is None or not plain or capture.axis(call, ids) != 0:
        return NotImplemented
    kept, shape = ids.detach(), tuple(table.shape)
    padding = None if padding is None else padding % shape[0]
    counted = torch.ones_like(kept) if padding is None else (kept != padding).long()
    scale = counted.to(table.dtype) if weights is None else counted * weights.detach()
    if mode == "mean":
        scale = scale / counted.sum(1, keepdim=True).clamp(min=1)

    def then(grad: Tensor) -> None:
        capture.emit(
            source,
            lambda: lookup(
                capture.split(kept, 0), capture.split(grad[:, None] * scale[:, :, None], 0), shape, None
            ),
        )

    return capture.watch(call.run(), [kept], [source], "embedding_bag", then)


RULES = {"embedding": embedding, "embedding_bag": embedding_bag}
