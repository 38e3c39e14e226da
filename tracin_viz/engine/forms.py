"""Per-example gradients of one parameter, kept in the cheapest form that is still exact.

A batch of B examples gives one gradient per example and parameter. Written out, that is B × P numbers; most
operations produce it as a sum of few outer products, from which norms and inner products are cheaper:

    ⟨Σ_t g_t a_tᵀ, Σ_s g'_s a'_sᵀ⟩ = Σ_{t,s} (g_t·g'_s)(a_t·a'_s)         ("ghost" product)

Each form offers both ways; ``products`` chooses by counting operations.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor
from torch.nn import functional


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

    def squared_norms(self) -> Tensor:
        """‖gradient‖² of each example, (B,) float64."""
        written = self.written_out()
        return row_dots(written, written)

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
        return torch.bmm(self.left.transpose(1, 2), self.right).flatten(1)

    def squared_norms(self) -> Tensor:
        """(B,) float64, by whichever of the two ways costs fewer operations."""
        steps, out, into = self.left.shape[1], self.left.shape[2], self.right.shape[2]
        if steps * (out + into) < out * into:
            if steps == 1:
                return row_dots(self.left[:, 0], self.left[:, 0]) * row_dots(
                    self.right[:, 0], self.right[:, 0]
                )
            gram = torch.bmm(self.left, self.left.transpose(1, 2))
            other = torch.bmm(self.right, self.right.transpose(1, 2))
            return row_dots(gram.flatten(1), other.flatten(1))
        written = self.written_out()
        return row_dots(written, written)

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
        return (gram * same).double().sum((1, 2))

    def with_factors(self) -> Factors:
        """The rows as one-hot vectors; used where a table is also a matrix (tied output embeddings)."""
        hot = functional.one_hot(self.ids, self.shape[0]).to(self.values.dtype)
        return Factors(hot, self.values, self.shape)

    def part(self, place: int) -> Form:
        """One example."""
        return Lookup(self.ids[place : place + 1], self.values[place : place + 1], self.shape)


@dataclass
class Convolved(Form):
    """Gradient of a convolution's kernel: Σ over output places of (output gradient) ⊗ (input patch).

    Attributes:
        inputs: (B·m, channels, *space).
        grads: (B·m, out channels, *output space).
        batch: B; m consecutive rows belong to one example.
        stride: Per spatial dimension.
        dilation: Per spatial dimension.
        groups: Channel groups.
        pads: Zeros around ``inputs`` as ``functional.pad`` takes them (last dimension first, both ends).
    """

    inputs: Tensor
    grads: Tensor
    batch: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int = 1
    pads: tuple[int, ...] = ()

    @property
    def examples(self) -> int:
        """Number of examples, B."""
        return self.batch

    def positions(self) -> int:
        """Output places per example."""
        return prod(self.grads.shape[2:]) * (self.grads.shape[0] // self.batch)

    def part(self, place: int) -> Form:
        """One example."""
        per = self.inputs.shape[0] // self.batch
        rows = slice(place * per, (place + 1) * per)
        geometry = (self.shape, self.stride, self.dilation, self.groups, self.pads)
        return Convolved(self.inputs[rows], self.grads[rows], 1, *geometry)

    def padded(self) -> Tensor:
        """The inputs with their zeros."""
        return functional.pad(self.inputs, self.pads) if any(self.pads) else self.inputs

    def patches(self) -> Tensor:
        """Input patches (B·m, channels, kernel size, places), a view where the kernel allows it."""
        x, kernel = self.padded(), self.shape[2:]
        places = self.grads.shape[2:]
        for axis, (size, step, gap, count) in enumerate(
            zip(kernel, self.stride, self.dilation, places, strict=True)
        ):
            reach = (size - 1) * gap + 1
            x = x.narrow(axis + 2, 0, (count - 1) * step + reach)
            x = x.unfold(axis + 2, reach, step)[..., ::gap]
        dims = len(kernel)
        order = [0, 1, *range(2 + dims, 2 + 2 * dims), *range(2, 2 + dims)]
        return x.permute(order).reshape(x.shape[0], x.shape[1], prod(kernel), prod(places))

    def written_out(self) -> Tensor:
        """(B, P) as one batched matrix product of output gradients with input patches."""
        rows, per = self.inputs.shape[0], self.inputs.shape[0] // self.batch
        size = prod(self.shape[2:])
        patches = self.patches().reshape(rows * self.groups, -1, self.positions() // per)
        grads = self.grads.reshape(rows * self.groups, -1, self.positions() // per)
        weights = torch.bmm(grads, patches.transpose(1, 2))
        weights = weights.reshape(self.batch, per, self.shape[0] * self.shape[1] * size)
        return weights[:, 0] if per == 1 else weights.sum(1)

    def squared_norms(self) -> Tensor:
        """(B,) float64, by whichever of the two ways costs fewer operations."""
        steps, out, into = self.positions(), self.shape[0], prod(self.shape[1:])
        if self.groups == 1 and steps * (out + into) < out * into:
            factors = self.with_factors()
            if factors is not None:
                return factors.squared_norms()
        written = self.written_out()
        return row_dots(written, written)

    def with_factors(self) -> Factors | None:
        """Patches and output gradients as (B, T, ·); ``None`` for grouped convolutions."""
        if self.groups != 1:
            return None
        into = prod(self.shape[1:])
        right = self.patches().reshape(self.inputs.shape[0], into, -1).transpose(1, 2)
        left = self.grads.flatten(2).transpose(1, 2)
        return Factors(
            left.reshape(self.batch, -1, self.shape[0]), right.reshape(self.batch, -1, into), self.shape
        )


def row_dots(a: Tensor, b: Tensor) -> Tensor:
    """Σ_j a[i, j] · b[i, j] for each row, (B,) float64, without a (B, P) temporary."""
    return torch.bmm(a[:, None, :], b[:, :, None])[:, 0, 0].double()


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
