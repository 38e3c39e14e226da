"""Per-example gradients of a convolution's kernel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod

import torch
from torch import Tensor
from torch.nn import functional

from tracin_viz.engine.forms import NORM_BYTES, Factors, Form, pieces, row_dots
from tracin_viz.engine.scratch import temporary

NARROW = 4  # places in a row up to which copying row by row is slow


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

    def windows(self, first: int = 0) -> Tensor:
        """Input patches (B·m, channels, *kernel, *output space), a view of the padded inputs.

        Args:
            first: Spatial dimensions before this one stay as they are (cut to what the kernel reaches) and
                have no kernel dimension.
        """
        x, kernel = self.padded(), self.shape[2:]
        places, dims = self.grads.shape[2:], len(kernel)
        for axis, (size, step, gap, count) in enumerate(
            zip(kernel, self.stride, self.dilation, places, strict=True)
        ):
            reach = (size - 1) * gap + 1
            x = x.narrow(axis + 2, 0, (count - 1) * step + reach)
            if axis >= first:
                x = x.unfold(axis + 2, reach, step)[..., ::gap]
        return x.permute([0, 1, *range(2 + dims, 2 + 2 * dims - first), *range(2, 2 + dims)])

    def patches(self) -> Tensor:
        """Input patches (B·m, channels, kernel size, places), a view where the kernel allows it."""
        rows, channels = self.inputs.shape[:2]
        return self.windows().reshape(rows, channels, prod(self.shape[2:]), prod(self.grads.shape[2:]))

    def _columns(self) -> Tensor:
        """``patches`` in any shape: of narrow pictures by torch's own copy, three times faster there."""
        if len(self.shape) == 4 and self.grads.shape[-1] <= NARROW:
            kernel, steps = self.shape[2:], {"dilation": self.dilation, "stride": self.stride}
            found = functional.unfold(self.padded(), kernel, **steps)
            if found.shape[-1] == prod(self.grads.shape[2:]):  # a transposed convolution may use fewer
                return found
        return self.patches()

    def written_out(self) -> Tensor:
        """(B, P) as one batched matrix product of output gradients with input patches."""
        rows, per = self.inputs.shape[0], self.inputs.shape[0] // self.batch
        size = prod(self.shape[2:])
        patches = self.patches().reshape(rows * self.groups, -1, self.positions() // per)
        grads = self.grads.reshape(rows * self.groups, -1, self.positions() // per)
        weights = torch.bmm(grads, patches.transpose(1, 2))
        weights = weights.reshape(self.batch, per, self.shape[0] * self.shape[1] * size)
        return weights[:, 0] if per == 1 else weights.sum(1)

    @property
    def order(self) -> KernelOrder | None:
        """Place in the kernel's first dimension, then input, then output channel; see ``blocks``."""
        if self.inputs.shape[0] != self.batch:
            return None
        out, channels, *kernel = self.shape
        cut = kernel[0] if self.stride[0] == 1 else 1
        return KernelOrder(self.groups, out // self.groups, channels, cut, prod(kernel) // cut)

    def blocks(self, limit: int = NORM_BYTES) -> Iterator[tuple[slice, list[Tensor]]]:
        """As ``Form``; one block for each place of the kernel along the first dimension.

        With stride 1 there, patches that differ in that place only are the same numbers, moved: they are
        copied once for all of them, which was a third of the time.
        """
        order = self.order
        if order is None:
            yield from super().blocks(limit)
            return
        first = int(self.stride[0] == 1)
        places, across = self.positions(), prod(self.grads.shape[3:])
        for rows in pieces(self.batch, prod(self.shape) * self.inputs.element_size(), limit):
            count = rows.stop - rows.start
            windows = self.rows(rows).windows(first)
            columns = temporary(tuple(windows.shape), windows, "patches").copy_(windows)
            columns = columns.view(count * self.groups, order.channels * order.inner, -1)
            grads = self.grads[rows].reshape(count * self.groups, order.out, places).transpose(1, 2)
            size = (order.cut, count * self.groups, order.channels * order.inner, order.out)
            whole = temporary(size, grads, "gradients")
            for place in range(order.cut):
                start = place * self.dilation[0] * across
                torch.bmm(columns[:, :, start : start + places], grads, out=whole[place])
            yield rows, [block.view(count, -1) for block in whole]

    def rows(self, rows: slice) -> Convolved:
        """Some examples, where each is one row of the inputs."""
        geometry = (self.shape, self.stride, self.dilation, self.groups, self.pads)
        return Convolved(self.inputs[rows], self.grads[rows], rows.stop - rows.start, *geometry)

    def squared_norms(self) -> Tensor:
        """(B,) float64, by whichever of three ways costs fewer operations."""
        costs = self._norm_costs()
        cheapest = min(costs, key=lambda way: costs[way])
        if cheapest == "gram":
            area = prod(self.padded_space())
            each = area * area * self.inputs.element_size()
            return torch.cat([self.rows(rows).gram_norms() for rows in pieces(self.batch, each, NORM_BYTES)])
        factors = self.with_factors() if cheapest == "factors" else None
        return super().squared_norms() if factors is None else factors.squared_norms()

    def padded_space(self) -> tuple[int, ...]:
        """Extent of the padded inputs in each spatial dimension."""
        space = self.inputs.shape[2:]
        if not any(self.pads):
            return tuple(space)
        ends = [sum(self.pads[2 * place : 2 * place + 2]) for place in reversed(range(len(space)))]
        return tuple(size + more for size, more in zip(space, ends, strict=True))

    def _norm_costs(self) -> dict[str, int]:
        """Operations of each way to the norms of one example; see ``_moved``."""
        steps, out, into = self.positions(), self.shape[0], prod(self.shape[1:])
        patches = self._moved(steps * into)
        costs = {"written out": steps * out * into + patches}
        if self.groups == 1:
            costs["factors"] = steps * steps * (out + into) + patches
            if self.inputs.shape[0] == self.batch:
                area, kernel = prod(self.padded_space()), prod(self.shape[2:])
                sums = self._moved(kernel * steps * steps)
                costs["gram"] = area * area * self.shape[1] + steps * steps * out + sums
        return costs

    def _moved(self, numbers: int) -> int:
        """What moving numbers costs, in products of a matrix product: most where rows are short."""
        return numbers * (8 + 256 // self.grads.shape[-1])

    def gram_norms(self) -> Tensor:
        """‖Σ_t g_t ⊗ p_t‖² = Σ_{t,s} (g_t·g_s)(p_t·p_s) without a patch p ever being copied, (B,) float64.

        p_t·p_s is the sum, over the kernel's places, of products of single input places; those are the
        entries of one Gram matrix of the padded inputs, read once per place of the kernel.
        """
        flat, places = self.padded().flatten(2), self.grads.shape[2:]
        space, kernel = self.padded_space(), self.shape[2:]
        gram = torch.bmm(flat.transpose(1, 2), flat).view(self.batch, *space, *space)
        patches = gram.new_zeros(self.batch, *places, *places)
        for offset in product(*(range(size) for size in kernel)):
            window = tuple(
                slice(first * gap, first * gap + (count - 1) * step + 1, step)
                for first, gap, count, step in zip(offset, self.dilation, places, self.stride, strict=True)
            )
            patches += gram[(slice(None), *window, *window)]
        grads = self.grads.flatten(2)
        return row_dots(torch.bmm(grads.transpose(1, 2), grads).flatten(1), patches.flatten(1))

    def with_factors(self) -> Factors | None:
        """Patches and output gradients as (B, T, ·); ``None`` for grouped convolutions."""
        if self.groups != 1:
            return None
        into = prod(self.shape[1:])
        right = self._columns().reshape(self.inputs.shape[0], into, -1).transpose(1, 2)
        left = self.grads.flatten(2).transpose(1, 2)
        return Factors(
            left.reshape(self.batch, -1, self.shape[0]), right.reshape(self.batch, -1, into), self.shape
        )


@dataclass(frozen=True)
class KernelOrder:
    """The order in which ``Convolved.blocks`` gives the numbers of a kernel.

    Attributes:
        groups: Channel groups.
        out: Output channels of a group.
        channels: Input channels of a group.
        cut: Blocks, one for each place of the kernel along its first dimension; or 1.
        inner: Places of the kernel in a block.
    """

    groups: int
    out: int
    channels: int
    cut: int
    inner: int

    def arrange(self, written: Tensor) -> list[Tensor]:
        """As ``forms.Order``."""
        kernels = written.view(-1, self.groups, self.out, self.channels, self.cut, self.inner)
        return [block.flatten(1) for block in kernels.permute(4, 0, 1, 3, 5, 2)]
