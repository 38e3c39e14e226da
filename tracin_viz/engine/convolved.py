"""Per-example gradients of a convolution's kernel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor
from torch.nn import functional

from tracin_viz.engine.forms import NORM_BYTES, Factors, Form, pieces
from tracin_viz.engine.scratch import temporary


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

    def in_pieces(self, limit: int = NORM_BYTES) -> Iterator[tuple[slice, Tensor]]:
        """As ``Form``."""
        if self.inputs.shape[0] != self.batch:
            yield from super().in_pieces(limit)
            return
        groups, places = self.groups, self.positions()
        out, into = self.shape[0] // groups, prod(self.shape[1:])
        for rows in pieces(self.batch, prod(self.shape) * self.inputs.element_size(), limit):
            count = rows.stop - rows.start
            grads = self.grads[rows].reshape(count * groups, out, places)
            patches = self.rows(rows).patches()
            columns = temporary(tuple(patches.shape), patches, "patches").copy_(patches)
            whole = temporary((count * groups, out, into), grads, "gradients")
            torch.bmm(grads, columns.view(count * groups, into, places).transpose(1, 2), out=whole)
            yield rows, whole.view(count, -1)

    def rows(self, rows: slice) -> Convolved:
        """Some examples, where each is one row of the inputs."""
        geometry = (self.shape, self.stride, self.dilation, self.groups, self.pads)
        return Convolved(self.inputs[rows], self.grads[rows], rows.stop - rows.start, *geometry)

    def squared_norms(self) -> Tensor:
        """(B,) float64, by whichever of the two ways costs fewer operations."""
        steps, out, into = self.positions(), self.shape[0], prod(self.shape[1:])
        if self.groups == 1 and steps * (out + into) < out * into:
            factors = self.with_factors()
            if factors is not None:
                return factors.squared_norms()
        return super().squared_norms()

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
