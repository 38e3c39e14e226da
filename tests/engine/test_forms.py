"""Each form of a per-example gradient against the same gradient written out in float64."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from tests.oracles import relative_error
from tracin_viz.engine.convolved import Convolved
from tracin_viz.engine.forms import Dense, Factors, Lookup, joined
from tracin_viz.engine.products import Held, ghost_pays


def factors(examples=4, steps=3, out=5, into=6):
    return Factors(torch.randn(examples, steps, out), torch.randn(examples, steps, into), (out, into))


def lookup(examples=4, steps=5, rows=7, width=6):
    return Lookup(
        torch.randint(0, rows, (examples, steps)), torch.randn(examples, steps, width), (rows, width)
    )


def kernel_gradients(inputs, grads, shape, **geometry):
    """∇_K of ⟨conv(x), g⟩ for each example, by automatic differentiation."""
    found = []
    for x, g in zip(inputs, grads, strict=True):
        kernel = torch.zeros(shape, dtype=torch.float64, requires_grad=True)
        output = functional.conv2d(x[None].double(), kernel, **geometry)
        (gradient,) = torch.autograd.grad((output * g.double()).sum(), kernel)
        found.append(gradient.flatten())
    return torch.stack(found)


GEOMETRIES = [
    {"stride": (1, 1), "dilation": (1, 1), "groups": 1, "padding": (1, 1)},
    {"stride": (2, 3), "dilation": (1, 2), "groups": 1, "padding": (0, 2)},
    {"stride": (2, 1), "dilation": (1, 1), "groups": 2, "padding": (2, 0)},
]


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_a_convolution_written_out_equals_automatic_differentiation(geometry):
    inputs, shape = torch.randn(3, 4, 9, 8), (6, 4 // geometry["groups"], 3, 2)
    grads = torch.randn_like(functional.conv2d(inputs, torch.zeros(shape), **geometry))
    low, wide = geometry["padding"]
    form = Convolved(
        inputs,
        grads,
        3,
        shape,
        geometry["stride"],
        geometry["dilation"],
        geometry["groups"],
        (wide, wide, low, low),
    )
    true = kernel_gradients(inputs, grads, shape, **geometry)
    assert relative_error(form.written_out().numpy(), true.numpy()) < 1e-5
    assert relative_error(form.squared_norms().numpy(), true.square().sum(1).numpy()) < 1e-5
    if geometry["groups"] == 1:
        assert relative_error(form.with_factors().written_out().numpy(), true.numpy()) < 1e-5


@pytest.mark.parametrize("form", [factors(), factors(steps=1), factors(steps=40), lookup(), lookup(steps=30)])
def test_norms_from_factors_equal_norms_of_gradients_written_out(form):
    true = form.written_out().double().square().sum(1)
    assert relative_error(form.squared_norms().numpy(), true.numpy()) < 1e-5


@pytest.mark.parametrize("held_by_ghost", [True, False])
@pytest.mark.parametrize("make", [factors, lookup])
def test_products_equal_those_of_gradients_written_out(make, held_by_ghost):
    train, queries = make(), make(examples=3)
    held = Held(expected=1)
    held._ghost["w"] = held_by_ghost
    held.add("w", queries)
    held.count = 3
    held.close()
    true = train.written_out().double() @ queries.written_out().double().t()
    assert relative_error(held.dots("w", train).numpy(), true.numpy()) < 1e-5


def test_products_of_a_table_used_as_a_matrix_include_the_cross_terms():
    train = joined([lookup(rows=5, width=6), factors()])
    queries = joined([lookup(examples=2, rows=5, width=6), factors(examples=2)])
    held = Held(expected=2)
    held.add("w", queries)
    held.count = 2
    held.close()
    true = train.written_out().double() @ queries.written_out().double().t()
    assert relative_error(held.dots("w", train).numpy(), true.numpy()) < 1e-5


def test_uses_are_summed_before_norms():
    parts = [factors(), factors(steps=2)]
    true = (parts[0].written_out() + parts[1].written_out()).double().square().sum(1)
    assert relative_error(joined(parts).squared_norms().numpy(), true.numpy()) < 1e-5
    dense = Dense(parts[0].written_out().reshape(4, 5, 6), (5, 6))
    mixed = joined([dense, parts[1]])
    assert relative_error(mixed.squared_norms().numpy(), true.numpy()) < 1e-5


def test_queries_of_other_lengths_and_without_a_gradient_are_padded_with_zeros():
    held = Held(expected=5)
    first, last = factors(examples=2, steps=2), factors(examples=1, steps=4)
    held._ghost["w"] = True
    held.add("w", first)
    held.count = 4  # two queries of this batch had no gradient for this parameter
    held.add("w", last)
    held.count = 5
    held.close()
    train = factors()
    true = torch.zeros(4, 5, dtype=torch.float64)
    true[:, :2] = train.written_out().double() @ first.written_out().double().t()
    true[:, 4:] = train.written_out().double() @ last.written_out().double().t()
    assert relative_error(held.dots("w", train).numpy(), true.numpy()) < 1e-5


def test_the_cheaper_form_is_held():
    assert ghost_pays(factors(steps=1, out=50, into=60), queries=10)
    assert not ghost_pays(factors(steps=60, out=5, into=6), queries=10)
    assert not ghost_pays(Dense(torch.ones(2, 3), (3,)), queries=10)
