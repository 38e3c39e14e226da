"""Gradient sketches: linear maps to few numbers that keep inner products in expectation.

A parameter is seen as a matrix (out, in). Its per-example gradient is mapped to few rows on each side
(``maps``: random signs; ``basis``: directions of a pilot) and the result is folded with random signs into the
column block of its layer group. E⟨sketch(g), sketch(h)⟩ = ⟨g, h⟩ (DESIGN §3). With random signs the map
depends on the seed and on the parameter's name and shape alone, so it is the same at each checkpoint, on each
device and in each process; with a basis it depends on that too.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from tracin_viz.engine.basis import Basis
from tracin_viz.engine.columns import Room, even_rooms, fitted_rooms
from tracin_viz.engine.forms import Dense, Factors, Form, pieces
from tracin_viz.engine.maps import mapped_sides, random_sides, signs
from tracin_viz.engine.projection import mapped

CACHED = 1 << 20  # bytes of one outer product per example that are computed, signed and folded at once


@dataclass
class _Map:
    """One parameter's map, on the device.

    Attributes:
        left: (rows, out) or ``None``.
        right: (columns, in) or ``None``.
        flips: Signs of the fold, 0 for numbers with a column of their own; ``None`` where all have one.
        own: Places of those numbers; ``None`` where there are none.
    """

    left: Tensor | None
    right: Tensor | None
    flips: Tensor | None
    own: Tensor | None


class SketchMap:
    """The maps of all parameters and their places in the sketch.

    Args:
        shapes: Parameter shapes in model order.
        layers: Layer of each parameter.
        dim: Numbers per sketch.
        seed: Chooses the random maps.
        device: Where gradients are.
        basis: Fitted sides; ``None`` = random ones.

    Attributes:
        blocks: Column ranges by layer group.

    Raises:
        InputError: The basis belongs to other parameters or another seed.
    """

    def __init__(
        self,
        shapes: dict[str, tuple[int, ...]],
        layers: dict[str, str],
        *,
        dim: int,
        seed: int,
        device: torch.device,
        basis: Basis | None = None,
    ) -> None:
        self.dim = dim
        self.seed = seed
        self.device = device
        self._shapes = shapes
        self._basis = basis
        self._maps: dict[str, _Map] = {}
        self._rooms: dict[str, Room]
        if basis is None:
            counts = {name: prod(mapped_sides(shape)) for name, shape in shapes.items()}
            self.blocks, self._rooms = even_rooms(shapes, layers, counts, dim)
        else:
            basis.check(shapes, seed)
            self.blocks, self._rooms = fitted_rooms(shapes, layers, basis.energy, dim)

    def add(self, name: str, form: Form, rows: Tensor) -> None:
        """Adds the sketch of one parameter's gradients to ``rows`` (B, dim)."""
        known = self._map(name)
        if isinstance(form, Factors) and form.positions() == 1 and known.left is known.right is None:
            for few in pieces(form.examples, self._rooms[name].count * form.left.element_size(), CACHED):
                part = Factors(form.left[few], form.right[few], form.shape)
                self._add(known, self._rooms[name], part, rows[few])
        else:
            self._add(known, self._rooms[name], form, rows)

    @staticmethod
    def _add(known: _Map, room: Room, form: Form, rows: Tensor) -> None:
        values = mapped(form, known.left, known.right)
        if known.own is not None:
            rows[:, room.own_start : room.own_start + len(known.own)] += values.index_select(1, known.own)
        if known.flips is None:
            return
        flips = known.flips.to(values.dtype)
        theirs = isinstance(form, Dense)  # then the values may be the gradients themselves
        _fold(values * flips if theirs else values.mul_(flips), rows[:, room.start : room.stop], room.offset)

    def _map(self, name: str) -> _Map:
        """The map of a parameter.

        The fold needs a sign per number even where both sides are mapped: else whole rows fall onto each
        other, and rows of one gradient resemble each other, so the error would not average out.
        """
        if name not in self._maps:
            room, shape = self._rooms[name], self._shapes[name]
            pair = random_sides(shape, self.seed, name) if self._basis is None else self._basis.maps[name]
            left, right = (None if side is None else side.to(self.device) for side in pair)
            flips = None
            if room.stop > room.start:
                flips = signs(self.seed, f"{name}|fold", (room.count,))
                flips[room.own] = 0
                flips = flips.to(self.device)
            own = room.own.to(self.device) if len(room.own) else None
            self._maps[name] = _Map(left, right, flips, own)
        return self._maps[name]


def _fold(values: Tensor, columns: Tensor, start: int) -> None:
    """Adds ``values`` (B, n) to ``columns`` (B, width), from ``start`` on and around the end."""
    width = columns.shape[1]
    head = min(width - start, values.shape[1])
    columns[:, start : start + head] += values[:, :head]
    rest = values[:, head:]
    whole = rest.shape[1] // width * width
    if whole:
        columns += rest[:, :whole].reshape(len(rest), -1, width).sum(1)
    if whole < rest.shape[1]:
        columns[:, : rest.shape[1] - whole] += rest[:, whole:]
