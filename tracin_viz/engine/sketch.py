"""Gradient sketches: linear maps to few numbers that keep inner products in expectation.

A parameter is seen as a matrix (out, in). Its per-example gradient is mapped to few rows on each side by
random signs (a side that is small stays exact), and the result is folded with random signs into the column
block of its layer group. E⟨sketch(g), sketch(h)⟩ = ⟨g, h⟩ (DESIGN §3). The map depends on the seed and on the
parameter's name and shape alone, so it is the same at each checkpoint, on each device and in each process.
"""

from __future__ import annotations

import hashlib
from math import prod, sqrt
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from tracin_viz.engine.forms import Convolved, Factors, Form, Lookup
from tracin_viz.errors import InputError

# The error of a mapped gradient is about 1/√rows of each side. Rows of the input side cost a thin convolution
# each, rows of the output side almost nothing.
INPUT_SIDE = 128
OUTPUT_SIDE = 256
LARGEST_SIDE = 512  # input rows where the output side is small
WRITTEN = 16384  # a kernel's gradient of at most this many numbers is folded without mapping its sides
WRITTEN_MATRIX = 65536  # the same for a matrix, whose gradient needs no patches to be written out
GROUPS = 4  # layer groups with a column block of their own


class Block(NamedTuple):
    """Columns of a sketch that belong to some layers.

    Attributes:
        layers: Their names.
        start: First column.
        stop: One past the last column.
    """

    layers: tuple[str, ...]
    start: int
    stop: int


def signs(seed: int, name: str, shape: tuple[int, ...]) -> Tensor:
    """Random ±1 from a counter-based generator keyed by ``seed`` and ``name``; float32 on the CPU."""
    digest = hashlib.sha256(f"{seed}|{name}|{shape}".encode()).digest()
    generator = np.random.Philox(key=np.frombuffer(digest[:16], dtype=np.uint64))
    count = prod(shape)
    words = np.asarray(generator.random_raw((count + 63) // 64), dtype="<u8")
    bits = np.unpackbits(words.view(np.uint8), bitorder="little")[:count]
    return torch.from_numpy(bits.astype(np.float32) * 2 - 1).reshape(shape)


class SketchMap:
    """The random maps of all parameters and their places in the sketch.

    Args:
        shapes: Parameter shapes in model order.
        layers: Layer of each parameter.
        dim: Numbers per sketch.
        seed: Chooses the maps.
        device: Where gradients are.

    Attributes:
        blocks: Column ranges by layer group.
    """

    def __init__(
        self,
        shapes: dict[str, tuple[int, ...]],
        layers: dict[str, str],
        *,
        dim: int,
        seed: int,
        device: torch.device,
    ) -> None:
        self.dim = dim
        self.seed = seed
        self.device = device
        self._shapes = shapes
        self.blocks = _blocks(shapes, layers, dim)
        place = {layer: block for block in self.blocks for layer in block.layers}
        self._block = {name: place[layers[name]] for name in shapes}
        self._offset = _offsets(shapes, self._block)
        self._maps: dict[str, tuple[Tensor | None, Tensor | None, Tensor]] = {}

    def add(self, name: str, form: Form, rows: Tensor) -> None:
        """Adds the sketch of one parameter's gradients to ``rows`` (B, dim)."""
        left, right, flips = self._map(name)
        values = _mapped(form, left, right)
        exact = left is None and right is None  # then the values may be the gradients themselves
        values = values * flips.to(values.dtype) if exact else values.mul_(flips.to(values.dtype))
        block = self._block[name]
        width = block.stop - block.start
        columns = rows[:, block.start : block.stop]
        start = self._offset[name]
        head = min(width - start, values.shape[1])
        columns[:, start : start + head] += values[:, :head]
        rest = values[:, head:]
        whole = rest.shape[1] // width * width
        if whole:
            columns += rest[:, :whole].reshape(len(rest), -1, width).sum(1)
        if whole < rest.shape[1]:
            columns[:, : rest.shape[1] - whole] += rest[:, whole:]

    def _map(self, name: str) -> tuple[Tensor | None, Tensor | None, Tensor]:
        """Maps of both sides and the signs of the fold, each on the device.

        The fold needs a sign per number even where both sides are mapped: else whole rows fall onto each
        other, and rows of one gradient resemble each other, so the error would not average out.
        """
        if name not in self._maps:
            shape = self._shapes[name]
            (out, into), (rows, columns) = sides(shape), mapped_sides(shape)
            left = right = None
            if rows < out:
                left = signs(self.seed, f"{name}|out", (rows, out)).to(self.device) / sqrt(rows)
            if columns < into:
                right = signs(self.seed, f"{name}|in", (columns, into)).to(self.device) / sqrt(columns)
            flips = signs(self.seed, f"{name}|fold", (rows * columns,)).to(self.device)
            self._maps[name] = (left, right, flips)
        return self._maps[name]


def sides(shape: tuple[int, ...]) -> tuple[int, int]:
    """A parameter as a matrix (out, in); vectors are one row."""
    if len(shape) < 2:
        return 1, prod(shape)
    return shape[0], prod(shape[1:])


def mapped_sides(shape: tuple[int, ...]) -> tuple[int, int]:
    """Rows left of each side: small gradients and vectors stay whole; a small side leaves the other more."""
    out, into = sides(shape)
    if out == 1 or out * into <= (WRITTEN if len(shape) > 2 else WRITTEN_MATRIX):
        return out, into
    rows = min(out, OUTPUT_SIDE)
    if len(shape) > 2:  # a thin convolution must stay thin beside the convolution itself
        return rows, min(into, max(32, min(INPUT_SIDE, out // 2)))
    return rows, min(into, max(INPUT_SIDE, min(LARGEST_SIDE, INPUT_SIDE * OUTPUT_SIDE // (4 * rows))))


def _mapped(form: Form, left: Tensor | None, right: Tensor | None) -> Tensor:
    """L · gradient · Rᵀ of each example, flattened; factors are mapped before they are multiplied."""
    if left is None and right is None:
        return form.written_out()
    if isinstance(form, Convolved) and form.groups == 1:
        form = _thin(form, left, right)
        left = right = None
    if isinstance(form, Lookup) and left is not None:
        rows = left.t()[form.ids].to(form.values.dtype)
        form = Factors(rows, form.values, (left.shape[0], form.shape[1]))
        left = None
    if isinstance(form, Factors):
        a = form.left if left is None else form.left @ left.t().to(form.left.dtype)
        b = form.right if right is None else form.right @ right.t().to(form.right.dtype)
        return Factors(a, b, (a.shape[2], b.shape[2])).written_out()
    values = form.written_out().reshape(form.examples, *sides(form.shape))
    if right is not None:
        values = values @ right.t().to(values.dtype)
    if left is not None:
        values = left.to(values.dtype) @ values
    return values.flatten(1)


def _thin(form: Convolved, left: Tensor | None, right: Tensor | None) -> Form:
    """Projected patches by a convolution with few output channels: no patch is ever written out."""
    if right is None:
        return form.with_factors() or form
    kernel = right.to(form.inputs.dtype).reshape(right.shape[0], *form.shape[1:])
    run = (functional.conv1d, functional.conv2d, functional.conv3d)[len(form.shape) - 3]
    lower, upper = form.pads[::2], form.pads[1::2]
    even = lower == upper  # then the convolution pads by itself
    inputs, padding = (form.inputs, lower[::-1]) if even else (form.padded(), (0,) * len(form.stride))
    found = run(inputs, kernel, stride=form.stride, padding=padding or 0, dilation=form.dilation)
    for axis, size in enumerate(form.grads.shape[2:]):
        found = found.narrow(axis + 2, 0, size)  # output padding of a transposed convolution adds places
    patches = found.flatten(2)
    places = form.grads.flatten(2)
    if left is not None:
        places = torch.matmul(left.to(places.dtype), places)
    a = places.transpose(1, 2).reshape(form.batch, -1, places.shape[1])
    b = patches.transpose(1, 2).reshape(form.batch, -1, patches.shape[1])
    return Factors(a, b, (a.shape[2], b.shape[2]))


def _offsets(shapes: dict[str, tuple[int, ...]], blocks: dict[str, Block]) -> dict[str, int]:
    """Column of its block at which each parameter's numbers begin: where the one before ended.

    If all began at the first column, the many short parameters (biases, norms) would pile up there; this way
    parameters that fit into their block together do not share a column and are kept exactly.
    """
    reached: dict[Block, int] = {}
    offsets = {}
    for name, shape in shapes.items():
        block = blocks[name]
        offsets[name] = reached.get(block, 0) % (block.stop - block.start)
        reached[block] = reached.get(block, 0) + prod(mapped_sides(shape))
    return offsets


def _blocks(shapes: dict[str, tuple[int, ...]], layers: dict[str, str], dim: int) -> list[Block]:
    """Contiguous layers in at most ``GROUPS`` groups; the layer of the outputs (last) has its own.

    Layers are weighed by the root of their size, because gradient norms grow slower than parameter counts.
    """
    weight: dict[str, float] = {}
    for name, shape in shapes.items():
        weight[layers[name]] = weight.get(layers[name], 0.0) + sqrt(prod(shape))
    names = list(weight)
    count = min(GROUPS, len(names))
    if dim < count:
        raise InputError(f"A sketch needs at least {count} numbers for this model, got {dim}.")
    groups: list[list[str]] = [[] for _ in range(count)]
    body = names[:-1] if count > 1 else names
    total, running = sum(weight[name] for name in body), 0.0
    for name in body:
        middle = (running + weight[name] / 2) / total
        groups[min(int(middle * max(count - 1, 1)), max(count - 2, 0))].append(name)
        running += weight[name]
    if count > 1:
        groups[-1] = names[-1:]
    groups = [group for group in groups if group]
    edges = [round(i * dim / len(groups)) for i in range(len(groups) + 1)]
    return [Block(tuple(g), edges[i], edges[i + 1]) for i, g in enumerate(groups)]
