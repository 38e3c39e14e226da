"""Exact products: influence on losses and on prediction scores, self-influence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tracin_viz.engine import scores
from tracin_viz.engine.arguments import candidate_rows
from tracin_viz.engine.base import EngineBase
from tracin_viz.engine.batches import Batch, Unlabelled, count_inputs, length
from tracin_viz.engine.checkpoints import Checkpoint
from tracin_viz.engine.forms import Form
from tracin_viz.engine.losses import PerExample, prediction_score
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
        out: np.ndarray | None = None,
        on_batch: OnBatch | None = None,
    ) -> Any:
        """Exact TracInCP of training examples on the loss of queries.

        Args:
            train: Data set of (inputs, target), N examples.
            queries: Data set of (inputs, target), Q examples.
            by: ``("checkpoint", "layer")`` for a ``Decomposition``.
            candidates: Rows of ``train``: one array for all queries, or one per query, of equal length.
            out: Filled and returned where given; needed where the result is larger than 4 GiB.
            on_batch: Called after each batch with the training examples done, over all
                checkpoints; may raise.

        Returns:
            (Q, N) float64, or (Q, c) with candidates; positive = proponent. With ``by`` a ``Decomposition``.

        Raises:
            EngineError: The model cannot be measured, or a gradient is not finite (``on_nonfinite="raise"``).
        """
        return self._scores(train, queries, self._session.objective, by, candidates, out, on_batch)

    def score_influence(
        self,
        train: Any,
        inputs: Any,
        target_class: int | Sequence[int] | np.ndarray,
        *,
        score: str = "logit",
        by: Sequence[str] | None = None,
        candidates: Any = None,
        on_batch: OnBatch | None = None,
    ) -> Any:
        """Exact influence on a prediction score of unlabelled queries.

        The query side is the gradient of −score, so a proponent *raises* the score (DESIGN §2).

        Args:
            train: Data set of (inputs, target).
            inputs: Tensor (Q, …), dict of tensors, or data set of inputs.
            target_class: The class, for all queries or one each.
            score: "logit", "log_probability" or "margin" (logit − largest other logit).
            by: As in ``influence``.
            candidates: As in ``influence``.
            on_batch: As in ``influence``.

        Returns:
            As ``influence``.
        """
        classes = np.broadcast_to(np.asarray(target_class, dtype=np.int64), (count_inputs(inputs),))
        queries = Unlabelled(inputs, classes)
        return self._scores(train, queries, prediction_score(score), by, candidates, None, on_batch)

    def _scores(
        self,
        train: Any,
        queries: Any,
        objective: PerExample,
        by: Sequence[str] | None,
        candidates: Any,
        out: np.ndarray | None,
        on_batch: OnBatch | None,
    ) -> Any:
        rows, pick = candidate_rows(candidates, length(train), length(queries))
        with self._session.open():
            self._prepare(train)
            shape = scores.result_shape(self._session, len(self.checkpoints), length(queries), len(rows), by)
            values = scores.allocate(shape, out if pick is None else None)
            request = scores.Request(train, rows, queries, objective, by is not None, on_batch)
            scores.compute(self._session, self.checkpoints, request, values)
        if pick is not None:
            values = values[np.arange(len(pick))[:, None], pick]
        if by is None:
            return values
        steps = tuple(checkpoint.step for checkpoint in self.checkpoints)
        return scores.Decomposition(values, steps, scores.layers_of(self._session))

    def self_influence(
        self, train: Any, *, by_checkpoint: bool = False, on_batch: OnBatch | None = None
    ) -> np.ndarray:
        """Exact self-influence Σ_i η_i ‖∇ℓ(w_i, z)‖².

        Returns:
            (N,) float64, or (K, N) with ``by_checkpoint``; learning rates applied.
        """
        found = np.zeros((len(self.checkpoints), length(train)))
        with self._session.open():
            self._prepare(train)
            for number, checkpoint in enumerate(self.checkpoints):
                self._session.load(checkpoint)
                work = _norms_of(self._session, checkpoint)
                for piece in self._session.sweep(train, np.arange(length(train)), work, on_batch):
                    values = piece.result.cpu().numpy()
                    bad = piece.rows[~np.isfinite(values)]
                    self._session.report_nonfinite(number, checkpoint.step, bad)
                    found[number, piece.rows] = values
        return found if by_checkpoint else found.sum(0)


def _norms_of(session: Session, checkpoint: Checkpoint) -> Callable[[Batch], Tensor]:
    """Self-influence of a batch at one checkpoint, learning rates applied, (B,); NaN where not finite."""

    def work(batch: Batch) -> Tensor:
        total = torch.zeros(len(batch), dtype=torch.float64, device=session.device)

        def consume(name: str, form: Form) -> None:
            total.add_(form.squared_norms(), alpha=checkpoint.rate(name))

        outcome = session.passes.run(batch, session.objective, consume)
        return torch.where(torch.isfinite(total + outcome.values), total, torch.nan)

    return work
