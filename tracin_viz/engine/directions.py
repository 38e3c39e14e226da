"""Preconditioned training gradients: in which direction Adam would have moved, instead of SGD.

TracIn describes a step −η ∇ℓ(z). Adam's step on z is −η Γ(z), and LESS (Xia et al. 2024, arXiv 2402.04333,
§3) replaces the training side by it; the query side stays ∇ℓ(z'). For the stored state (m, v after t steps),
element by element, with g = ∇ℓ(z):

* ``"adam"``: Γ(z) = m̂ / (√v̂ + ε), m̂ = (β₁ m + (1 − β₁) g) / (1 − β₁ᵗ⁺¹),
  v̂ = (β₂ v + (1 − β₂) g²) / (1 − β₂ᵗ⁺¹): the step t + 1 that ``torch.optim.Adam`` would take on z alone,
  divided by −η, without weight decay. It is not linear in g, and the momentum m belongs to earlier examples.
* ``"less"``: η_i · cos(∇ℓ(z'), Γ(z)) instead of η_i · ⟨∇ℓ(z'), Γ(z)⟩: the influence of LESS.
* ``"second_moment"``: g / (√v̂ + ε) with v̂ = v / (1 − β₂ᵗ): linear in g, momentum left out, at the cost of a
  plain score.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from math import prod, sqrt

import torch
from torch import Tensor

from tracin_viz.engine.forms import Dense, Form, Lookup
from tracin_viz.engine.optimizers import Moments
from tracin_viz.errors import InputError

PRECONDITIONERS = ("second_moment", "adam", "less")
WRITTEN = 1 << 24  # numbers of a gradient written out at once


def checked_preconditioner(kind: str | None) -> str | None:
    """``kind``, if it is known.

    Raises:
        InputError: It is not.
    """
    if kind is not None and kind not in PRECONDITIONERS:
        raise InputError(
            f"`preconditioner` '{kind}' is not known.", remedy=f"Possible: {', '.join(PRECONDITIONERS)}."
        )
    return kind


class Direction:
    """Γ at one checkpoint.

    Args:
        kind: One of ``PRECONDITIONERS``.
        moments: Adam's state by parameter, where the gradients are.

    Attributes:
        linear: Whether Γ is linear in the gradient.
        cosine: Whether scores are cosines.
    """

    def __init__(self, kind: str, moments: dict[str, Moments]) -> None:
        self.linear = kind == "second_moment"
        self.cosine = kind == "less"
        self._moments = moments
        self._scales: dict[str, Tensor] = {}

    def of(self, name: str, form: Form) -> Form:
        """Γ of the per-example gradients of one parameter."""
        if not self.linear:
            return Dense(self._step(form.written_out(), self._moments[name]), form.shape)
        scale = self._scale(name)
        if isinstance(form, Lookup):
            return Lookup(form.ids, form.values * scale.reshape(form.shape)[form.ids], form.shape)
        return Dense(form.written_out() * scale, form.shape)

    def _scale(self, name: str) -> Tensor:
        """1 / (√v̂ + ε), (P,)."""
        if name not in self._scales:
            state = self._moments[name]
            second = state.second if state.largest is None else state.largest
            root = (second / (1 - state.betas[1] ** state.step)).sqrt()
            self._scales[name] = (root + state.eps).reciprocal().flatten()
        return self._scales[name]

    @staticmethod
    def _step(gradients: Tensor, state: Moments) -> Tensor:
        """Adam's step from gradients (B, P), in the order of operations of torch."""
        (one, two), count = state.betas, state.step + 1
        second = gradients.square().mul_(1 - two).add_(two * state.second.flatten())
        if state.largest is not None:
            second = torch.maximum(second, state.largest.flatten())
        divisor = second.sqrt_().div_(sqrt(1 - two**count)).add_(state.eps)
        first = (gradients * (1 - one)).add_(one * state.first.flatten())
        return first.div_(divisor).div_(1 - one**count)


def unused(parameters: dict[str, Tensor], seen: Container[str], batch: int) -> Iterator[tuple[str, Form]]:
    """Gradients of zero for parameters that a batch did not use: momentum moves those too."""
    for name, parameter in parameters.items():
        if name not in seen:
            shape = tuple(parameter.shape)
            yield name, Dense(parameter.new_zeros(batch, *shape), shape)


def parts(form: Form) -> Iterator[tuple[slice, Form]]:
    """``form`` in pieces that may be written out: all at once, or example by example."""
    if form.examples * prod(form.shape) <= WRITTEN or form.examples == 1:
        yield slice(0, form.examples), form
        return
    for place in range(form.examples):
        yield slice(place, place + 1), form.part(place)
