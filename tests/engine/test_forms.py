"""Each form of a per-example gradient against the same gradient written out in float64."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from tests.oracles import relative_error
from tracin_viz.engine.convolved import Convolved
from tracin_viz.engine.forms import Dense, Factors, Lookup, joined, row_dots, row_squares
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


def one_at_a_time(count, each, limit):
    return (slice(place, place + 1) for place in range(count))


GEOMETRIES = [
    {"stride": (1, 1), "dilation": (1, 1), "groups": 1, "padding": (1, 1)},
    {"stride": (2, 3), "dilation": (1, 2), "groups": 1, "padding": (0, 2)},
    {"stride": (2, 1), "dilation": (1, 1), "groups": 2, "padding": (2, 0)},
    {"stride": (1, 2), "dilation": (2, 1), "groups": 2, "padding": (2, 1)},
]


def convolved(geometry, examples=3):
    """A form and, in float64, what it stands for."""
    inputs, shape = torch.randn(examples, 4, 9, 8), (6, 4 // geometry["groups"], 3, 2)
    grads = torch.randn_like(functional.conv2d(inputs, torch.zeros(shape), **geometry))
    low, wide = geometry["padding"]
    settings = (geometry["stride"], geometry["dilation"], geometry["groups"], (wide, wide, low, low))
    form = Convolved(inputs, grads, examples, shape, *settings)
    return form, kernel_gradients(inputs, grads, shape, **geometry)


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_a_convolution_written_out_equals_automatic_differentiation(geometry):
    form, true = convolved(geometry)
    assert relative_error(form.written_out().numpy(), true.numpy()) < 1e-5
    arranged = torch.cat(form.order.arrange(true), 1)
    blocks = torch.cat([torch.cat(blocks, 1) for _, blocks in form.blocks()])
    assert relative_error(blocks.numpy(), arranged.numpy()) < 1e-5
    if geometry["groups"] == 1:
        assert relative_error(form.with_factors().written_out().numpy(), true.numpy()) < 1e-5


@pytest.mark.parametrize("geometry", GEOMETRIES)
@pytest.mark.parametrize("way", ["written out", "factors", "gram"])
def test_every_way_to_the_norms_of_a_convolution_gives_the_same(geometry, way, monkeypatch):
    form, true = convolved(geometry)
    if geometry["groups"] > 1:
        assert set(form._norm_costs()) == {"written out"}  # the others hold for one group only
        way = "written out"
    monkeypatch.setattr(Convolved, "_norm_costs", lambda self: {way: 0})
    assert relative_error(form.squared_norms().numpy(), true.square().sum(1).numpy()) < 1e-5


@pytest.mark.parametrize("kept", ["as it comes", "summed over a group"])
@pytest.mark.parametrize("asked", ["as it comes", "written out"])
@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_products_of_convolutions_do_not_depend_on_the_order_of_their_numbers(
    kept, asked, geometry, monkeypatch
):
    monkeypatch.setattr("tracin_viz.engine.convolved.pieces", one_at_a_time)
    (train, true), (queries, other) = (convolved(geometry, count) for count in (3, 2))
    held = Held(expected=2)
    held._ghost["w"] = False
    held.add("w", queries if kept == "as it comes" else Dense(queries.written_out(), queries.shape))
    held.count = 2
    held.close()
    form = train if asked == "as it comes" else Dense(train.written_out(), train.shape)
    for _ in range(2):  # the first product may put what is held into another order
        assert relative_error(held.dots("w", form).numpy(), (true @ other.t()).numpy()) < 1e-5


def test_norms_and_products_of_a_layer_of_a_million_parameters_keep_five_digits():
    a, b = torch.randn(2, 1_000_003) + 1, torch.randn(2, 1_000_003) + 1
    true, products = a.double().square().sum(1), (a.double() * b.double()).sum(1)
    assert relative_error(row_squares(a).numpy(), true.numpy()) < 1e-6
    assert relative_error(row_dots(a, b).numpy(), products.numpy()) < 1e-6
    assert torch.isnan(row_squares(torch.full((1, 5), torch.nan))).all()


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
