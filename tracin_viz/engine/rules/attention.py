"""``nn.MultiheadAttention`` arrives as one call; its decomposition is run here, each projection watched.

With need_weights the probabilities are formed, otherwise ``scaled_dot_product_attention`` is called, as
``torch.nn.functional.multi_head_attention_forward`` does. Data are (steps, examples, width).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from tracin_viz.engine.calls import Call
from tracin_viz.engine.capture import Capture
from tracin_viz.engine.forms import Dense, Factors, Form
from tracin_viz.engine.rules.free import copies
from tracin_viz.engine.rules.linear import product

_NAMES = (
    "query key value embed_dim_to_check num_heads in_proj_weight in_proj_bias bias_k bias_v add_zero_attn "
    "dropout_p out_proj_weight out_proj_bias training key_padding_mask need_weights attn_mask "
    "use_separate_proj_weight q_proj_weight k_proj_weight v_proj_weight static_k static_v "
    "average_attn_weights is_causal"
)
_DEFAULTS = {"training": True, "need_weights": True, "average_attn_weights": True}


@dataclass
class _Arguments:
    """The arguments of ``multi_head_attention_forward`` by name."""

    values: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        return self.values.get(name, _DEFAULTS.get(name))


def multi_head_attention(capture: Capture, call: Call) -> Any:
    """The decomposition of ``multi_head_attention_forward`` for (steps, examples, width) inputs."""
    a = _Arguments({**dict(zip(_NAMES.split(), call.args, strict=False)), **call.kwargs})
    data = [t for t in (a.query, a.key, a.value) if capture.source(t) is None]
    axes = {capture.axis(call, t) for t in data}
    if a.static_k is not None or a.static_v is not None or (a.training and a.dropout_p):
        return NotImplemented
    if len(data) != 3 or a.query.dim() != 3 or a.query.shape[1] != capture.batch or axes - {0, 1}:
        return NotImplemented
    queries, keys, values = _projected(capture, a)
    keys, values = _lengthened(capture, a, keys, values)
    mixed, probabilities = _attend(a, queries, keys, values)
    weight, bias = a.out_proj_weight, a.out_proj_bias
    output = product(
        capture,
        functional.linear(mixed, weight, bias),
        mixed,
        1,
        capture.source(weight),
        capture.source(bias),
    )
    return output, probabilities


def _projected(capture: Capture, a: _Arguments) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and values (steps, examples, width)."""
    width = a.query.shape[2]
    bias = a.in_proj_bias
    if a.use_separate_proj_weight:
        results = []
        for number, (data, weight) in enumerate(
            ((a.query, a.q_proj_weight), (a.key, a.k_proj_weight), (a.value, a.v_proj_weight))
        ):
            part = None if bias is None else bias[number * width : (number + 1) * width]
            output = product(
                capture, functional.linear(data, weight, part), data, 1, capture.source(weight), None
            )
            results.append(output if bias is None else _watch_slice(capture, output, None, bias, number))
        return results[0], results[1], results[2]
    weight = a.in_proj_weight
    if a.query is a.key and a.key is a.value:
        joint = functional.linear(a.query, weight, bias)
        joint = product(capture, joint, a.query, 1, capture.source(weight), capture.source(bias))
        queries, keys, values = joint.chunk(3, dim=-1)
        return queries, keys, values
    parts = []
    for number, data in enumerate((a.query, a.key, a.value)):
        rows = slice(number * width, (number + 1) * width)
        output = functional.linear(data, weight[rows], None if bias is None else bias[rows])
        output = _watch_slice(capture, output, (data, weight), bias, number)
        parts.append(output)
    return parts[0], parts[1], parts[2]


def _lengthened(capture: Capture, a: _Arguments, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
    """Keys and values with the learned and the zero row that ``add_bias_kv`` and ``add_zero_attn`` append."""
    found = []
    for rows, extra in ((keys, a.bias_k), (values, a.bias_v)):
        parts = [rows]
        if extra is not None:
            parts.append(copies(capture, extra, 1, rows.shape[1], 3))
        if a.add_zero_attn:
            parts.append(rows.new_zeros(1, *rows.shape[1:]))
        found.append(torch.cat(parts) if len(parts) > 1 else rows)
    return found[0], found[1]


def _watch_slice(
    capture: Capture, output: Tensor, pair: tuple[Tensor, Tensor] | None, bias: Tensor | None, number: int
) -> Tensor:
    """Watches a projection that uses rows ``number`` · width … of a joint weight and bias."""
    weight_source = capture.source(pair[1]) if pair else None
    bias_source = capture.source(bias)
    kept = pair[0].detach() if pair else None
    width = output.shape[2]

    def then(grad: Tensor) -> None:
        left = functional.pad(
            grad.transpose(0, 1), (number * width, (2 - number) * width)
        )  # (B, T, 3 · width)

        def of_weight() -> Form:
            if kept is None:
                raise ValueError("no weight is watched here")
            return Factors(left, kept.transpose(0, 1), (3 * width, kept.shape[2]))

        capture.emit(weight_source, of_weight)
        capture.emit(bias_source, lambda: Dense(left.sum(1), (3 * width,)))

    inputs = [] if kept is None else [kept]
    return capture.watch(output, inputs, [weight_source, bias_source], "attention", then)


def _attend(a: _Arguments, queries: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor | None]:
    """Mixed values (steps, examples, width) and, where asked for, the attention probabilities."""
    steps, batch, width = queries.shape
    heads = a.num_heads
    size = width // heads
    q, k, v = (t.reshape(t.shape[0], batch, heads, size).permute(1, 2, 0, 3) for t in (queries, keys, values))
    mask = _mask(a, batch, steps, keys.shape[0], queries)
    if not a.need_weights:
        mixed = functional.scaled_dot_product_attention(q, k, v, mask)
        return mixed.permute(2, 0, 1, 3).reshape(steps, batch, width), None
    scores = q @ k.transpose(-1, -2) / math.sqrt(size)
    probabilities = torch.softmax(scores if mask is None else scores + mask, -1)
    mixed = (probabilities @ v).permute(2, 0, 1, 3).reshape(steps, batch, width)
    return mixed, probabilities.mean(1) if a.average_attn_weights else probabilities


def _mask(a: _Arguments, batch: int, steps: int, sources: int, like: Tensor) -> Tensor | None:
    """Attention and padding masks as one additive mask (examples, heads or 1, steps, sources)."""
    total: Tensor | None = None
    attention = a.attn_mask
    if attention is None and a.is_causal:
        attention = torch.ones(steps, a.key.shape[0], dtype=torch.bool, device=like.device).triu(1)
    for mask, padding in ((attention, False), (a.key_padding_mask, True)):
        if mask is None:
            continue
        mask = functional.pad(mask, (0, sources - mask.shape[-1]))  # appended keys are seen by all
        if mask.dtype == torch.bool:
            mask = torch.zeros_like(mask, dtype=like.dtype).masked_fill_(mask, -math.inf)
        if padding:
            mask = mask.view(batch, 1, 1, sources)
        elif mask.dim() == 3:
            mask = mask.view(batch, -1, steps, sources)
        total = mask if total is None else total + mask
    return total


RULES = {"multi_head_attention_forward": multi_head_attention}
