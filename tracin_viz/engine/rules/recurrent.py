"""LSTM, GRU and plain RNN layers and cells, stepped through time with each product watched.

The input products of all steps are one matrix product; the recurrent product of each step is one more use of
the same matrix, and uses are summed (``forms.joined``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from tracin_viz.engine.calls import Call
from tracin_viz.engine.capture import Capture
from tracin_viz.engine.rules.linear import product

State = tuple[Tensor, ...]


class _Weights(NamedTuple):
    """Parameters of one direction of one layer."""

    into: Tensor
    recurrent: Tensor
    into_bias: Tensor | None = None
    recurrent_bias: Tensor | None = None
    projection: Tensor | None = None

    @classmethod
    def of(cls, flat: Sequence[Tensor], *, biased: bool) -> _Weights:
        """From the flat list that the call gets."""
        return cls(*flat) if biased else cls(flat[0], flat[1], None, None, *flat[2:])


def layer(capture: Capture, call: Call) -> Any:
    """``lstm/gru/rnn_*(input, hx, weights, biases, layers, dropout, train, bidirectional, batch_first)``."""
    if len(call.args) < 9 or not isinstance(call.args[2], list | tuple):
        return NotImplemented  # packed sequences
    data, start, flat, biased, layers, dropout, training, both, batch_first = call.args[:9]
    states = tuple(start) if isinstance(start, list | tuple) else (start,)
    fixed = any(capture.source(tensor) for tensor in (data, *states))
    if fixed or data.dim() != 3 or (training and dropout):
        return NotImplemented
    axis = capture.axis(call, data)
    if axis not in (0, 1) or data.shape[0 if batch_first else 1] != capture.batch:
        return NotImplemented
    directions = 2 if both else 1
    size = len(flat) // (layers * directions)
    steps = data.transpose(0, 1) if batch_first else data
    ends: list[State] = []
    for number in range(layers):
        results = []
        for direction in range(directions):
            place = number * directions + direction
            weights = _Weights.of(flat[place * size : (place + 1) * size], biased=biased)
            first = tuple(state[place] for state in states)
            outputs, end = _run(capture, call.name, steps, first, weights, backwards=direction == 1)
            results.append(outputs)
            ends.append(end)
        steps = torch.cat(results, -1) if both else results[0]
    output = steps.transpose(0, 1) if batch_first else steps
    return (output, *(torch.stack([end[i] for end in ends]) for i in range(len(states))))


def cell(capture: Capture, call: Call) -> Any:
    """``lstm_cell/gru_cell/rnn_*_cell(input, hx, w_ih, w_hh, b_ih, b_hh)``."""
    data, start, *flat = call.args
    lstm = call.name == "lstm_cell"
    states = tuple(start) if lstm else (start,)
    if capture.source(data) or any(capture.source(s) for s in states) or data.dim() != 2:
        return NotImplemented
    if capture.axis(call, data) != 0 or data.shape[0] != capture.batch:
        return NotImplemented
    weights = _Weights(*flat)
    gates = _watched(capture, data, 0, weights.into, weights.into_bias)
    end = _step(capture, call.name.removesuffix("_cell"), gates, states, weights)
    return end if lstm else end[0]


def _run(
    capture: Capture, kind: str, steps: Tensor, start: State, weights: _Weights, *, backwards: bool
) -> tuple[Tensor, State]:
    """Outputs (steps, examples, hidden) and last state of one direction of one layer."""
    gates = _watched(capture, steps, 1, weights.into, weights.into_bias)
    order = range(steps.shape[0])
    state, outputs = start, {}
    for step in reversed(order) if backwards else order:
        state = _step(capture, kind, gates[step], state, weights)
        outputs[step] = state[0]
    return torch.stack([outputs[step] for step in order]), state


def _step(capture: Capture, kind: str, gates: Tensor, state: State, weights: _Weights) -> State:
    hidden = state[0]
    recurrent = _watched(capture, hidden, 0, weights.recurrent, weights.recurrent_bias)
    if kind == "lstm":
        into, forget, cell_gate, out = (gates + recurrent).chunk(4, -1)
        memory = torch.sigmoid(forget) * state[1] + torch.sigmoid(into) * torch.tanh(cell_gate)
        shown = torch.sigmoid(out) * torch.tanh(memory)
        if weights.projection is not None:
            shown = _watched(capture, shown, 0, weights.projection, None)
        return shown, memory
    if kind == "gru":
        reset_x, update_x, new_x = gates.chunk(3, -1)
        reset_h, update_h, new_h = recurrent.chunk(3, -1)
        update = torch.sigmoid(update_x + update_h)
        new = torch.tanh(new_x + torch.sigmoid(reset_x + reset_h) * new_h)
        return (new + update * (hidden - new),)
    total = gates + recurrent
    return (torch.relu(total) if kind == "rnn_relu" else torch.tanh(total),)


def _watched(capture: Capture, data: Tensor, axis: int, weight: Tensor, bias: Tensor | None) -> Tensor:
    output = functional.linear(data, weight, bias)
    return product(capture, output, data, axis, capture.source(weight), capture.source(bias))


RULES = {
    **dict.fromkeys(("lstm", "gru", "rnn_tanh", "rnn_relu"), layer),
    **dict.fromkeys(("lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell"), cell),
}
