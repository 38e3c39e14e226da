"""Which columns of a sketch belong to which layers and parameters."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod, sqrt
from typing import NamedTuple

import torch
from torch import Tensor

from tracin_viz.engine.precision import double
from tracin_viz.errors import InputError

GROUPS = 4  # layer groups with a column block of their own
OWN = 0.5  # share of the columns that go to one number each, where a basis says which numbers are large


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


@dataclass
class Room:
    """Columns of one parameter.

    Attributes:
        count: Numbers that its map leaves.
        start: First column that they are folded into.
        stop: One past the last of these; equal to ``start`` where nothing is folded.
        offset: Where among them its first number falls.
        own: Numbers with a column of their own, ascending.
        own_start: The first of those columns.
    """

    count: int
    start: int
    stop: int
    offset: int = 0
    own: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.long))
    own_start: int = 0


def even_rooms(
    shapes: dict[str, tuple[int, ...]], layers: dict[str, str], counts: dict[str, int], dim: int
) -> tuple[list[Block], dict[str, Room]]:
    """Blocks of equal width. Each parameter begins where the one before ended.

    If all began at the first column, the many short parameters (biases, norms) would pile up there; this way
    parameters that fit into their block together do not share a column and are kept exactly.
    """
    groups = layer_groups(shapes, layers, dim)
    edges = [round(i * dim / len(groups)) for i in range(len(groups) + 1)]
    blocks = [Block(group, edges[i], edges[i + 1]) for i, group in enumerate(groups)]
    place = {layer: block for block in blocks for layer in block.layers}
    reached: dict[Block, int] = {}
    rooms = {}
    for name, count in counts.items():
        block = place[layers[name]]
        rooms[name] = Room(count, block.start, block.stop, reached.get(block, 0) % (block.stop - block.start))
        reached[block] = reached.get(block, 0) + count
    return blocks, rooms


def fitted_rooms(
    shapes: dict[str, tuple[int, ...]], layers: dict[str, str], energy: dict[str, Tensor], dim: int
) -> tuple[list[Block], dict[str, Room]]:
    """Columns by energy: the largest numbers get one each, the others share the rest of their block.

    The error of folding numbers of energy E into w columns has the variance E²/w, so the sum over blocks is
    least where widths are proportional to E.
    """
    energy = {name: torch.nan_to_num(double(energy[name])) for name in shapes}
    everything = torch.cat(list(energy.values()))
    groups = layer_groups(shapes, layers, dim)
    held = len(everything) if len(everything) <= dim else min(int(dim * OWN), dim - len(groups))
    chosen = torch.zeros(len(everything), dtype=torch.bool)
    chosen[torch.argsort(everything, descending=True, stable=True)[:held]] = True
    masks = dict(zip(energy, torch.split(chosen, [len(values) for values in energy.values()]), strict=True))
    members = [[name for name in shapes if layers[name] in group] for group in groups]
    left = [sum(float(energy[name][~masks[name]].sum()) for name in names) for names in members]
    needed = [any(not bool(masks[name].all()) for name in names) for names in members]
    widths = _shares(left, needed, dim - held)
    blocks, rooms, column = [], {}, 0
    for group, names, width in zip(groups, members, widths, strict=True):
        first, reached = column, 0
        column += width
        for name in names:
            own = masks[name].nonzero()[:, 0]
            rooms[name] = Room(
                len(masks[name]),
                first,
                first + (0 if len(own) == len(masks[name]) else width),
                reached % max(width, 1),
                own,
                column,
            )
            reached += len(masks[name])
            column += len(own)
        blocks.append(Block(group, first, column))
    return blocks, rooms


def _shares(energy: list[float], needed: list[bool], columns: int) -> list[int]:
    """``columns`` divided in proportion to ``energy``, at least one where any is needed."""
    places = [i for i, wanted in enumerate(needed) if wanted]
    widths = [0] * len(energy)
    if not places:
        return widths
    spare, total = columns - len(places), sum(energy[i] for i in places)
    edge, running = 0, 0.0
    for i in places:
        running += energy[i] / total if total > 0 else 1 / len(places)
        upto = min(spare, round(spare * running))
        widths[i] = 1 + upto - edge
        edge = upto
    widths[places[-1]] += spare - edge
    return widths


def layer_groups(
    shapes: dict[str, tuple[int, ...]], layers: dict[str, str], dim: int
) -> list[tuple[str, ...]]:
    """Contiguous layers in at most ``GROUPS`` groups; the layer of the outputs (last) has its own.

    Layers are weighed by the root of their size, because gradient norms grow slower than parameter counts.

    Raises:
        InputError: There are fewer columns than groups.
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
    return [tuple(group) for group in groups if group]
