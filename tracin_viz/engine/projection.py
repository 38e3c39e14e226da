"""L · gradient · Rᵀ of each example, without writing the gradient out where its factors are smaller."""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor
from torch.nn import functional

from tracin_viz.engine.convolved import Convolved
from tracin_viz.engine.forms import Factors, Form, Lookup
from tracin_viz.engine.scratch import temporary


def sides(shape: tuple[int, ...]) -> tuple[int, int]:
    """A parameter as a matrix (out, in); vectors are one row."""
    if len(shape) < 2:
        return 1, prod(shape)
    return shape[0], prod(shape[1:])


def mapped(form: Form, left: Tensor | None, right: Tensor | None) -> Tensor:
    """L · gradient · Rᵀ of each example, flattened; factors are mapped before they are multiplied.

    The result is the gradients' own memory where they are ``Dense`` and nothing is mapped, else memory that
    the next call may take over.
    """
    if left is None and right is None:
        return _product(form.left, form.right) if isinstance(form, Factors) else form.written_out()
    if isinstance(form, Convolved) and form.groups == 1:
        if right is None:
            form = form.with_factors() or form
        else:
            form = _thin(form, left, right)
            left = right = None
    if isinstance(form, Lookup) and left is not None:
        rows = left.t()[form.ids].to(form.values.dtype)
        form = Factors(rows, form.values, (left.shape[0], form.shape[1]))
        left = None
    if isinstance(form, Factors):
        a = form.left if left is None else form.left @ left.t().to(form.left.dtype)
        b = form.right if right is None else form.right @ right.t().to(form.right.dtype)
        return _product(a, b)
    values = form.written_out().reshape(form.examples, *sides(form.shape))
    if right is not None:
        values = values @ right.t().to(values.dtype)
    if left is not None:
        values = left.to(values.dtype) @ values
    return values.flatten(1)


def _product(left: Tensor, right: Tensor) -> Tensor:
    """Σ_t left_t ⊗ right_t of each example, (B, out · in): fresh memory took longer than what goes there."""
    whole = temporary((len(left), left.shape[2], right.shape[2]), left, "mapped")
    if left.shape[1] == 1:
        torch.mul(left[:, 0, :, None], right[:, 0, None, :], out=whole)
    else:
        torch.bmm(left.transpose(1, 2), right, out=whole)
    return whole.flatten(1)


def _thin(form: Convolved, left: Tensor | None, right: Tensor) -> Factors:
    """Projected patches by a convolution with few output channels: no patch is ever written out."""
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
