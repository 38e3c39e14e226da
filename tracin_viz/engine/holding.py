"""The query side of exact scores: the gradients of as many queries or groups as may be held at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tracin_viz.engine.batches import Batch, length
from tracin_viz.engine.directions import Direction
from tracin_viz.engine.forms import Form
from tracin_viz.engine.groups import Groups, GroupSums
from tracin_viz.engine.losses import PerExample
from tracin_viz.engine.precision import double, zeros
from tracin_viz.engine.products import Held
from tracin_viz.engine.session import Session

HELD_BYTES = 1 << 30  # gradients of queries kept at once; more queries take another pass over the data


@dataclass
class Holding:
    """Gradients of consecutive queries (or groups).

    Attributes:
        held: The gradients.
        places: Their rows in the answer.
        bad: Which of them are not finite, (count,) bool.
        norms: Norm of the gradient of each over all tracked parameters, (count,) float64.
    """

    held: Held
    places: slice
    bad: np.ndarray
    norms: Tensor


@dataclass
class Asked:
    """What is asked at one checkpoint.

    Attributes:
        queries: Query data, or ``Groups``.
        objective: What is differentiated for queries.
        checkpoint: Index of the checkpoint.
        step: Its step, for messages.
        direction: Preconditioner of the training side; a linear one is applied to the queries instead, which
            gives the same products and leaves the training data the fast way.
    """

    queries: Any
    objective: PerExample
    checkpoint: int
    step: int
    direction: Direction | None = None


def holdings(session: Session, asked: Asked) -> Iterator[Holding]:
    """All queries (groups) in turn; each holding is to be used before the next is asked for."""
    if isinstance(asked.queries, Groups):
        yield from _of_groups(session, asked, asked.queries)
        return
    first = 0
    while first < length(asked.queries):
        found = _of_queries(session, asked, first)
        first = found.places.stop
        yield found
        del found  # before the next ones are made


def _of_queries(session: Session, asked: Asked, first: int) -> Holding:
    total = length(asked.queries)
    held, bad, norms = Held(total - first), [], []
    rows = np.arange(first, total)
    for piece in session.sweep(asked.queries, rows, _Gradients(session, asked.objective)):
        forms, values = piece.result
        squares = torch.zeros_like(values)
        for name, form in forms:
            directed = _directed(asked, name, form)
            kept = held.add(name, directed)  # its norm is cheaper where it is written out already
            squares += (kept if directed is form else form).squared_norms()
        norms.append(squares.sqrt())
        bad.append(_reported(session, asked, piece.rows, squares + values))
        held.count += len(piece.rows)
        if held.bytes() > HELD_BYTES:
            break
    held.close()
    return Holding(held, slice(first, first + held.count), np.concatenate(bad), torch.cat(norms))


def _of_groups(session: Session, asked: Asked, groups: Groups) -> Iterator[Holding]:
    numbers = sum(prod(parameter.shape) for parameter in session.passes.parameters.values())
    at_once = max(1, HELD_BYTES // (8 * numbers))
    for first in range(0, len(groups), at_once):
        last = min(len(groups), first + at_once)
        weights = None if groups.weights is None else groups.weights[first:last]
        few = Groups(groups.queries, groups.members[first:last], weights)
        sums, bad = group_sums(session, asked, few)
        forms = sums.forms()
        held = Held(last - first)
        squares = zeros(last - first, device=session.device)
        for name, form in forms.items():
            squares += form.squared_norms()
            held.add(name, _directed(asked, name, form))
        held.count = last - first
        held.close()
        yield Holding(held, slice(first, last), bad, squares.sqrt())
        del held, sums, forms


def group_sums(session: Session, asked: Asked, groups: Groups) -> tuple[GroupSums, np.ndarray]:
    """The gradient of each group, and which groups have a member whose gradient is not finite."""
    rows, matrix = groups.matrix()
    sums, bad = GroupSums(len(groups)), np.zeros(len(groups), bool)
    start = 0
    for piece in session.sweep(groups.queries, rows, _Gradients(session, asked.objective)):
        forms, values = piece.result
        squares = torch.zeros_like(values)
        for _, form in forms:
            squares += form.squared_norms()
        part = matrix[:, start : start + len(piece.rows)]
        start += len(piece.rows)
        broken = _reported(session, asked, piece.rows, squares + values)
        bad |= (part[:, broken] != 0).any(1)
        for name, form in forms:
            _add_finite(sums, name, form, part, broken)
    return sums, bad


def _add_finite(sums: GroupSums, name: str, form: Form, weights: np.ndarray, broken: np.ndarray) -> None:
    """Leaves out examples that are not finite: 0 · NaN would spoil groups that they do not belong to."""
    if not broken.any():
        sums.add(name, form, torch.from_numpy(weights))
        return
    for place in np.flatnonzero(~broken).tolist():
        sums.add(name, form.part(place), torch.from_numpy(weights[:, place : place + 1]))


class _Gradients:
    """One batch of queries: gradients by parameter, and the objective (B,) float64."""

    def __init__(self, session: Session, objective: PerExample) -> None:
        self._session = session
        self._objective = objective

    def __call__(self, batch: Batch) -> tuple[list[tuple[str, Form]], Tensor]:
        forms: list[tuple[str, Form]] = []
        outcome = self._session.passes.run(
            batch, self._objective, lambda name, form: forms.append((name, form))
        )
        return forms, double(outcome.values)


def _directed(asked: Asked, name: str, form: Form) -> Form:
    direction = asked.direction
    return form if direction is None or not direction.linear else direction.of(name, form)


def _reported(session: Session, asked: Asked, rows: np.ndarray, known: Tensor) -> np.ndarray:
    """Which queries are not finite; raises for them where the engine does."""
    bad = ~torch.isfinite(known).cpu().numpy()
    session.report_nonfinite(asked.checkpoint, asked.step, rows[bad], what="query")
    return bad
