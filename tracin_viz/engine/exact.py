"""Exact products: influence on losses and on prediction scores, self-influence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tracin_viz.engine import scores
from tracin_viz.engine.arguments import candidate_rows
from tracin_viz.engine.base import EngineBase
from tracin_viz.engine.batches import Batch, Unlabelled, count_inputs, length
from tracin_viz.engine.checkpoints import Checkpoint
from tracin_viz.engine.directions import Direction, parts, unused
from tracin_viz.engine.forms import Form, row_dots
from tracin_viz.engine.groups import Groups
from tracin_viz.engine.losses import prediction_score
from tracin_viz.engine.precision import double, zeros
from tracin_viz.engine.session import OnBatch, Session


class ExactProducts(EngineBase):
    """What is exact to the rounding of the passes, for every tracked parameter."""

    def influence(
        self,
        train: Any,
        queries: Any,
        *,
        by: Sequence[str] | None = None,
        candidates: Any = None,
        preconditioner: str | None = None,
        out: np.ndarray | None = None,
        on_batch: OnBatch | None = None,
    ) -> Any:
        """Exact TracInCP of training examples on the loss of queries.

        Args:
            train: Data set of (inputs, target), N examples.
            queries: Data set of (inputs, target), Q examples; or ``Groups``, each answered as one query.
            by: ``("checkpoint", "layer")`` for a ``Decomposition``.
            candidates: Rows of ``train``: one array for all queries, or one per query, of equal length.
            preconditioner: "second_moment", "adam" or "less" for the direction in which Adam would have moved
                on the training side (``directions``); the checkpoints need ``optimizer``.
            out: Filled and returned where given; needed where the result is larger than 4 GiB.
            on_batch: Called after each batch with the training examples done, over all
                checkpoints; may raise.

        Returns:
            (Q, N) float64, or (Q, c) with candidates; positive = proponent. With ``by`` a ``Decomposition``.

        Raises:
            EngineError: The model cannot be measured, or a gradient is not finite (``on_nonfinite="raise"``).
            InputError: The optimizer's state is missing or does not fit.
        """
        request = scores.Request(
            train, np.arange(0), queries, self._session.objective, by is not None, on_batch
        )
        return self._scores(request, by, candidates, preconditioner, out)

    def score_influence(
        self,
        train: Any,
        inputs: Any,
        target_class: int | Sequence[int] | np.ndarray,
        *,
        score: str = "logit",
        by: Sequence[str] | None = None,
        candidates: Any = None,
        preconditioner: str | None = None,
        on_batch: OnBatch | None = None,
    ) -> Any:
        """Exact influence on a prediction score of unlabelled queries.

        The query side is the gradient of −score, so a proponent *raises* the score (DESIGN §2).

        Args:
            train: Data set of (inputs, target).
            inputs: Tensor (Q, …), dict of tensors, or data set of inputs; or ``Groups`` of one.
            target_class: The class, for all queries or one each.
            score: "logit", "log_probability" or "margin" (logit − largest other logit).
            by: As in ``influence``.
            candidates: As in ``influence``.
            preconditioner: As in ``influence``.
            on_batch: As in ``influence``.

        Returns:
            As ``influence``.
        """
        queries: Any
        if isinstance(inputs, Groups):
            queries = replace(inputs, queries=_with_classes(inputs.queries, target_class))
        else:
            queries = _with_classes(inputs, target_class)
        request = scores.Request(
            train, np.arange(0), queries, prediction_score(score), by is not None, on_batch
        )
        return self._scores(request, by, candidates, preconditioner, None)

    def _scores(
        self,
        request: scores.Request,
        by: Sequence[str] | None,
        candidates: Any,
        preconditioner: str | None,
        out: np.ndarray | None,
    ) -> Any:
        count = length(request.queries)
        rows, pick = candidate_rows(candidates, length(request.train), count)
        with self._session.open():
            self._prepare(request.train)
            shape = scores.result_shape(self._session, len(self.checkpoints), count, len(rows), by)
            values = scores.allocate(shape, out if pick is None else None)
            request.rows, request.direction = rows, self._directions(preconditioner)
            scores.compute(self._session, self.checkpoints, request, values)
        if pick is not None:
            values = values[np.arange(len(pick))[:, None], pick]
        if by is None:
            return values
        steps = tuple(checkpoint.step for checkpoint in self.checkpoints)
        return scores.Decomposition(values, steps, scores.layers_of(self._session))

    def self_influence(
        self,
        train: Any,
        *,
        by_checkpoint: bool = False,
        preconditioner: str | None = None,
        on_batch: OnBatch | None = None,
    ) -> np.ndarray:
        """Exact self-influence Σ_i η_i ‖∇ℓ(w_i, z)‖²; with a preconditioner Σ_i η_i ⟨∇ℓ(w_i, z), Γ_i(z)⟩.

        Returns:
            (N,) float64, or (K, N) with ``by_checkpoint``; learning rates applied.
        """
        found = np.zeros((len(self.checkpoints), length(train)))
        with self._session.open():
            self._prepare(train)
            directions = self._directions(preconditioner)
            for number, checkpoint in enumerate(self.checkpoints):
                self._session.load(checkpoint)
                work = _norms_of(self._session, checkpoint, directions(number))
                for piece in self._session.sweep(train, np.arange(length(train)), work, on_batch):
                    values = piece.result.cpu().numpy()
                    bad = piece.rows[~np.isfinite(values)]
                    self._session.report_nonfinite(number, checkpoint.step, bad)
                    found[number, piece.rows] = values
        return found if by_checkpoint else found.sum(0)


def _with_classes(inputs: Any, target_class: int | Sequence[int] | np.ndarray) -> Unlabelled:
    return Unlabelled(inputs, np.broadcast_to(np.asarray(target_class, np.int64), (count_inputs(inputs),)))


def _norms_of(
    session: Session, checkpoint: Checkpoint, direction: Direction | None
) -> Callable[[Batch], Tensor]:
    """Self-influence of a batch at one checkpoint, learning rates applied, (B,); NaN where not finite."""

    def work(batch: Batch) -> Tensor:
        total = zeros(len(batch), device=session.device)
        seen: set[str] = set()
        lengths = zeros(2, len(batch), device=session.device)

        def consume(name: str, form: Form) -> None:
            rate = checkpoint.rate(name)
            seen.add(name)
            if direction is None:
                total.add_(form.squared_norms(), alpha=rate)
                return
            for rows, part in parts(form):
                directed = direction.of(name, part)
                total[rows] += rate * row_dots(part.written_out(), directed.written_out())
                if direction.cosine:
                    lengths[0, rows] += part.squared_norms()
                    lengths[1, rows] += directed.squared_norms()

        outcome = session.passes.run(batch, session.objective, consume)
        if direction is not None and direction.cosine:
            for name, form in unused(session.passes.parameters, seen, len(batch)):
                lengths[1] += direction.of(name, form).squared_norms()
            divisor = lengths.sqrt().prod(0)
            total /= torch.where(divisor == 0, 1.0, divisor)
        return torch.where(torch.isfinite(total + double(outcome.values)), total, torch.nan)

    return work
