"""Per-example gradients of one parameter, kept in the cheapest form that is still exact.

A batch of B examples gives one gradient per example and parameter. Written out, that is B × P numbers; most
operations produce it as a sum of few outer products, from which norms and inner products are cheaper:

    ⟨Σ_t g_t a_tᵀ, Σ_s g'_s a'_sᵀ⟩ = Σ_{t,s} (g_t·g'_s)(a_t·a'_s)         ("ghost" product)

Each form offers both ways; ``products`` chooses by counting operations.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, cast

import torch
from torch import Tensor
from torch.nn import functional

from tracin_viz.engine.precision import double
from tracin_viz.engine.scratch import fresh, temporary

NORM_BYTES = 4 << 20  # gradients written out for their norms at once; more leaves the cache
SUMMED = 1024  # squares added up in the type of the gradients
BLOCK = 1 << 15  # products added up in the type of the gradients


class Order(Protocol):
    """Another order of the numbers of a gradient, cut into blocks."""

    def arrange(self, written: Tensor) -> list[Tensor]:
        """Gradients (B, P) as ``Form.written_out`` gives them, in blocks (B, P_i) of this order."""


class Form(ABC):
    """Per-example gradients of one parameter for one batch.

    Attributes:
        shape: Shape of the parameter.
    """

    shape: tuple[int, ...]

    @property
    @abstractmethod
    def examples(self) -> int:
        """Number of examples, B."""

    @abstractmethod
    def written_out(self) -> Tensor:
        """The gradients themselves, (B, P) with P = numbers in the parameter."""

    @property
    def order(self) -> Order | None:
        """How ``blocks`` orders the numbers of a gradient; ``None`` = as ``written_out``, in one block."""
        return None

    def blocks(self, limit: int = NORM_BYTES) -> Iterator[tuple[slice, list[Tensor]]]:
        """The gradients written out a few examples at a time, each in blocks of numbers, (rows, [(b, P_i)]).

        Blocks live in memory that the next ones take over, so they must not be kept.
        """
        yield slice(0, self.examples), [self.written_out()]

    def squared_norms(self) -> Tensor:
        """‖gradient‖² of each example, (B,) float64."""
        found = [sum(row_squares(block) for block in blocks) for _, blocks in self.blocks()]
        return torch.cat(cast(list[Tensor], found))

    def with_factors(self) -> Factors | None:
        """The same gradients as outer products, or ``None`` where that does not exist or never pays."""
        return None

    def positions(self) -> int:
        """Outer products per example, T; 0 where the form has none."""
        return 0

    @abstractmethod
    def part(self, place: int) -> Form:
        """The gradient of one example alone."""


@dataclass
class Dense(Form):
    """Gradients written out: ``values`` (B, *shape)."""

    values: Tensor
    shape: tuple[int, ...]

    @property
    def examples(self) -> int:
        """Number of examples, B."""
        return self.values.shape[0]

    def written_out(self) -> Tensor:
        """(B, P)."""
        return self.values.reshape(self.values.shape[0], -1)

    def part(self, place: int) -> Form:
        """One example."""
        return Dense(self.values[place : place + 1], self.shape)


@dataclass
class Factors(Form):
    """Gradient[o, i] = Σ_t left[t, o] · right[t, i]: ``left`` (B, T, out), ``right`` (B, T, in)."""

    left: Tensor
    right: Tensor
    shape: tuple[int, ...]

    @property
    def examples(self) -> int:
        """Number of examples, B."""
        return self.left.shape[0]

    def positions(self) -> int:
        """T."""
        return self.left.shape[1]

    def written_out(self) -> Tensor:
        """(B, out · in)."""
        if self.left.shape[1] == 1:
            return (self.left[:, 0, :, None] * self.right[:, 0, None, :]).flatten(1)
        whole = fresh((self.examples, self.left.shape[2], self.right.shape[2]), self.left)
        return torch.bmm(self.left.transpose(1, 2), self.right, out=whole).flatten(1)

    def blocks(self, limit: int = NORM_BYTES) -> Iterator[tuple[slice, list[Tensor]]]:
        """As ``Form``."""
        out, into = self.left.shape[2], self.right.shape[2]
        for rows in pieces(self.examples, out * into * self.left.element_size(), limit):
            left, right = self.left[rows], self.right[rows]
            whole = temporary((len(left), out, into), left, "gradients")
            torch.bmm(left.transpose(1, 2), right, out=whole)
            yield rows, [whole.flatten(1)]

    def squared_norms(self) -> Tensor:
        """(B,) float64, by whichever of the two ways costs fewer operations."""
        steps, out, into = self.left.shape[1], self.left.shape[2], self.right.shape[2]
        if steps * (out + into) < out * into:
            if steps == 1:
                return row_squares(self.left[:, 0]) * row_squares(self.right[:, 0])
            gram = torch.bmm(self.left, self.left.transpose(1, 2))
            other = torch.bmm(self.right, self.right.transpose(1, 2))
            return row_dots(gram.flatten(1), other.flatten(1))
        return super().squared_norms()

    def with_factors(self) -> Factors:
        """Itself."""
        return self

    def part(self, place: int) -> Form:
        """One example."""
        return Factors(self.left[place : place + 1], self.right[place : place + 1], self.shape)


@dataclass
class Lookup(Form):
    """Rows of a table: gradient[r] = Σ_{t: ids[t] = r} values[t]; ids (B, T), values (B, T, width)."""

    ids: Tensor
    values: Tensor
    shape: tuple[int, ...]

    @property
    def examples(self) -> int:
        """Number of examples, B."""
        return self.ids.shape[0]

    def positions(self) -> int:
        """T."""
        return self.ids.shape[1]

    def written_out(self) -> Tensor:
        """(B, rows · width): large; only for tables with few rows or where nothing else is exact."""
        batch, steps, width = self.values.shape
        table = self.values.new_zeros(batch, self.shape[0], width)
        index = self.ids[:, :, None].expand(batch, steps, width)
        return table.scatter_add_(1, index, self.values).flatten(1)

    def squared_norms(self) -> Tensor:
        """(B,) float64 from the Gram matrix of the positions that share a row."""
        gram = torch.bmm(self.values, self.values.transpose(1, 2))
        same = self.ids[:, :, None] == self.ids[:, None, :]
        return double(gram * same).sum((1, 2))

    def with_factors(self) -> Factors:
        """The rows as one-hot vectors; used where a table is also a matrix (tied output embeddings)."""
        hot = functional.one_hot(self.ids, self.shape[0]).to(self.values.dtype)
        return Factors(hot, self.values, self.shape)

    def part(self, place: int) -> Form:
        """One example."""
        return Lookup(self.ids[place : place + 1], self.values[place : place + 1], self.shape)


def pieces(count: int, each: int, limit: int) -> Iterator[slice]:
    """``count`` examples of ``each`` bytes in pieces of at most ``limit`` bytes and at least one example."""
    step = max(1, limit // max(1, each))
    for first in range(0, count, step):
        yield slice(first, min(first + step, count))


def row_squares(a: Tensor) -> Tensor:
    """Σ_j a[i, j]² for each row, (B,) float64.

    Blocks are summed in the type of ``a`` and their sums in float64: one float32 accumulator over a layer of
    a million parameters is wrong in the fourth digit.
    """
    whole = a.shape[1] // SUMMED * SUMMED
    blocks = torch.linalg.vector_norm(a[:, :whole].view(len(a), whole // SUMMED, SUMMED), dim=2)
    tail = torch.linalg.vector_norm(a[:, whole:], dim=1)
    return double(blocks).square().sum(1) + double(tail).square()


def row_dots(a: Tensor, b: Tensor) -> Tensor:
    """Σ_j a[i, j] · b[i, j] for each row, (B,) float64; summed in blocks as ``row_squares``."""
    if a.device.type != "cpu" or a.shape[1] <= BLOCK:
        return double((a * b).sum(1))
    # Not one batched product of rows with columns: that reads with one accumulator, 20 times slower.
    pairs = zip(torch.split(a, BLOCK, 1), torch.split(b, BLOCK, 1), strict=True)
    sums = [torch.stack([torch.dot(x, y) for x, y in zip(p, q, strict=True)]) for p, q in pairs]
    return double(torch.stack(sums)).sum(0)


def joined(forms: list[Form]) -> Form:
    """One form for all uses of a parameter in a forward pass: the sum of ``forms``.

    Tied and repeated uses must be summed before any norm or product, because those are not linear.
    """
    if len(forms) == 1:
        return forms[0]
    if all(isinstance(form, Lookup) for form in forms):
        lookups = [form for form in forms if isinstance(form, Lookup)]
        return Lookup(
            torch.cat([form.ids for form in lookups], 1),
            torch.cat([form.values for form in lookups], 1),
            forms[0].shape,
        )
    if all(isinstance(form, Factors | Lookup) for form in forms):
        factors = [form.with_factors() for form in forms]
        return Factors(
            torch.cat([form.left for form in factors if form], 1),
            torch.cat([form.right for form in factors if form], 1),
            forms[0].shape,
        )
    total = forms[0].written_out()
    for form in forms[1:]:
        total = total + form.written_out()
    return Dense(total.reshape(total.shape[0], *forms[0].shape), forms[0].shape)
