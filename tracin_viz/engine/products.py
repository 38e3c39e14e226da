"""What is made of per-example gradients: norms, inner products with queries, sketches."""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor
from torch.nn import functional

from tracin_viz.engine.convolved import Convolved
from tracin_viz.engine.forms import Dense, Factors, Form, Lookup, Order
from tracin_viz.engine.precision import double, zeros
from tracin_viz.engine.scratch import BYTES, fresh
from tracin_viz.errors import EngineError

CHUNK = 1 << 23  # numbers of a Gram matrix held at once


def outer_shape(form: Form) -> tuple[int, int]:
    """(out, in) of the outer products of a form."""
    if isinstance(form, Factors):
        return form.left.shape[2], form.right.shape[2]
    return form.shape[0], prod(form.shape[1:])


def ghost_pays(form: Form, queries: int) -> bool:
    """Whether inner products from factors cost fewer operations than from gradients written out.

    m · T² · (out + in) against T · out · in + m · out · in; grouped convolutions have no factors.
    """
    if isinstance(form, Lookup):
        return True
    if isinstance(form, Dense) or (isinstance(form, Convolved) and form.groups != 1):
        return False
    steps, (out, into) = form.positions(), outer_shape(form)
    return queries * steps * steps * (out + into) < steps * out * into + queries * out * into


class Held:
    """Per-example gradients of some queries, in the form that makes products with others cheap.

    Args:
        expected: Number of queries that will be held, for the choice of form.
    """

    def __init__(self, expected: int) -> None:
        self.expected = expected
        self.count = 0
        self._ghost: dict[str, bool] = {}
        self._parts: dict[str, list[tuple[int, Form]]] = {}
        self._ready: dict[str, Form] = {}
        self._tables: dict[str, tuple[Tensor, Tensor]] = {}
        self._orders: dict[str, Order | None] = {}

    def add(self, name: str, form: Form) -> Form:
        """Keeps one parameter's gradients of the batch that starts at ``count``; returns what it kept."""
        if name not in self._ghost:
            self._ghost[name] = ghost_pays(form, self.expected)
        kept: Form
        if not self._ghost[name]:
            kept = Dense(self._in_order(name, form), form.shape)
        elif isinstance(form, Lookup):
            kept = form
        else:
            kept = form.with_factors() or Dense(form.written_out(), form.shape)
        self._parts.setdefault(name, []).append((self.count, kept))
        return kept

    def _in_order(self, name: str, form: Form) -> Tensor:
        """The gradients written out, (B, P), in the order in which training examples will come."""
        order = self._orders.setdefault(name, form.order)
        if order is None or form.order != order:
            blocks = _written(form, order)
            return blocks[0] if len(blocks) == 1 else torch.cat(blocks, 1)
        whole = torch.empty(0)
        for rows, blocks in form.blocks():  # whose memory the next ones take over
            if not whole.numel():
                whole = fresh((form.examples, sum(block.shape[1] for block in blocks)), blocks[0])
            torch.cat(blocks, 1, out=whole[rows])
        return whole

    def bytes(self) -> int:
        """Memory that is held."""
        return sum(_bytes(form) for parts in self._parts.values() for _, form in parts)

    def close(self) -> None:
        """Joins the batches; queries without a gradient for a parameter hold zeros."""
        for name, parts in self._parts.items():
            self._ready[name] = _stacked(parts, self.count)
        self._parts.clear()

    def dots(self, name: str, form: Form) -> Tensor | None:
        """Inner products (B, queries) float64 with the queries' gradients; ``None`` if those have none."""
        held = self._ready.get(name)
        if held is None:
            return None
        if isinstance(held, Lookup):
            if isinstance(form, Lookup):
                if name not in self._tables:
                    self._tables[name] = _used_rows(held)
                return _lookup_dots(form, *self._tables[name])
            held = held.with_factors()
        if isinstance(held, Factors):
            factors = form.with_factors()
            if factors is not None:
                return _factor_dots(factors, held)
            held = Dense(held.written_out(), held.shape)
            return _block_dots([form.written_out()], held.written_out())
        if form.order is not None and self._orders.get(name) is None:
            held = Dense(torch.cat(form.order.arrange(held.written_out()), 1), held.shape)
            self._ready[name], self._orders[name] = held, form.order
        order, queries = self._orders.get(name), held.written_out()
        if form.order != order:
            return _block_dots(_written(form, order), queries)
        return torch.cat([_block_dots(blocks, queries) for _, blocks in form.blocks(BYTES)])


def _written(form: Form, order: Order | None) -> list[Tensor]:
    """The gradients in blocks of an order that is not their own."""
    return [form.written_out()] if order is None else order.arrange(form.written_out())


def _block_dots(blocks: list[Tensor], queries: Tensor) -> Tensor:
    """Inner products (B, queries) float64 of gradients in blocks with queries (queries, P) in that order."""
    parts = torch.split(queries, [block.shape[1] for block in blocks], 1)
    total = double(blocks[0] @ parts[0].t())
    for block, part in zip(blocks[1:], parts[1:], strict=True):
        total += double(block @ part.t())
    return total


def _bytes(form: Form) -> int:
    tensors = (value for value in vars(form).values() if isinstance(value, Tensor))
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def _stacked(parts: list[tuple[int, Form]], count: int) -> Form:
    """All queries in one form, padded with zeros along positions and for queries without a gradient."""
    first = parts[0][1]
    kinds = {type(form) for _, form in parts}
    if len(kinds) > 1:
        parts = [(start, Dense(form.written_out(), form.shape)) for start, form in parts]
        first = parts[0][1]
    if isinstance(first, Dense):
        return Dense(_filled([(s, f.written_out()) for s, f in parts], count), first.shape)
    steps = max(form.positions() for _, form in parts)
    names = ("ids", "values") if isinstance(first, Lookup) else ("left", "right")
    joined = [
        _filled([(start, _padded(getattr(form, name), steps)) for start, form in parts], count)
        for name in names
    ]
    return type(first)(joined[0], joined[1], first.shape)  # type: ignore[call-arg]


def _padded(values: Tensor, steps: int) -> Tensor:
    missing = steps - values.shape[1]
    return (
        functional.pad(values, (0, missing) if values.dim() == 2 else (0, 0, 0, missing))
        if missing
        else values
    )


def _filled(parts: list[tuple[int, Tensor]], count: int) -> Tensor:
    if len(parts) == 1 and len(parts[0][1]) == count:
        return parts[0][1].contiguous()
    if sum(len(values) for _, values in parts) == count:
        return torch.cat([values for _, values in parts]).contiguous()
    whole = parts[0][1].new_zeros(count, *parts[0][1].shape[1:])
    for start, values in parts:
        whole[start : start + len(values)] = values
    return whole


def _factor_dots(form: Factors, held: Factors) -> Tensor:
    """Σ_{t,s} (left_t · left'_s)(right_t · right'_s) for each pair, (B, queries) float64."""
    if form.left.shape[2] != held.left.shape[2]:
        raise EngineError("Gradients of two shapes were compared.")
    batch, steps = form.left.shape[:2]
    queries, others = held.left.shape[:2]
    left, right = held.left.reshape(queries * others, -1).t(), held.right.reshape(queries * others, -1).t()
    rows = max(1, CHUNK // max(1, steps * queries * others))
    found = []
    for first in range(0, batch, rows):
        a = form.left[first : first + rows].reshape(-1, left.shape[0]) @ left
        b = form.right[first : first + rows].reshape(-1, right.shape[0]) @ right
        pairs = a.mul_(b).view(-1, steps, queries, others)
        found.append(double(pairs.sum(1).sum(2)))
    return torch.cat(found)


def _used_rows(held: Lookup) -> tuple[Tensor, Tensor]:
    """Rows that some query uses, ascending, and the queries' gradients there (queries, rows, width)."""
    queries, width = held.ids.shape[0], held.values.shape[2]
    rows, place = torch.unique(held.ids, return_inverse=True)
    table = held.values.new_zeros(queries, len(rows), width)
    return rows, table.scatter_add_(1, place[:, :, None].expand(-1, -1, width), held.values)


def _lookup_dots(form: Lookup, rows: Tensor, table: Tensor) -> Tensor:
    """Only positions whose row some query uses are multiplied, (B, queries) float64."""
    queries = len(table)
    where = torch.searchsorted(rows, form.ids.contiguous()).clamp(max=len(rows) - 1)
    hit = rows[where] == form.ids
    example, position = hit.nonzero(as_tuple=True)
    found = zeros(form.examples, queries, device=form.values.device)
    order = torch.argsort(where[example, position], stable=True)
    example, position = example[order], position[order]
    values, rows_used = form.values[example, position], where[example, position]
    used, counts = torch.unique_consecutive(rows_used, return_counts=True)
    start = 0
    products = values.new_empty(len(values), queries)
    for row, count in zip(used.tolist(), counts.tolist(), strict=True):
        products[start : start + count] = values[start : start + count] @ table[:, row].t()
        start += count
    return found.index_add_(0, example.to(found.device), double(products))
