"""The engine: exact TracIn influence, self-influence, sketches and predictions of any PyTorch model.

``TracInCP(z, z') = Σ_i η_i ⟨∇ℓ(w_i, z), ∇ℓ(w_i, z')⟩`` (Pruthi et al., NeurIPS 2020, §3.3), summed over the
checkpoints w_i with learning rates η_i; ℓ is the loss of one example.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tracin_viz.engine import scores
from tracin_viz.engine.arguments import candidate_rows, chosen_device, module_of
from tracin_viz.engine.batches import Batch, Collate, Unlabelled, count_inputs, length
from tracin_viz.engine.checkpoints import Checkpoint
from tracin_viz.engine.coverage import ParameterCoverage, coverage
from tracin_viz.engine.forms import Form
from tracin_viz.engine.losses import PerExample, per_example, prediction_score
from tracin_viz.engine.measurements import BatchMeasurement, Measurements
from tracin_viz.engine.session import OnBatch, Session, layer_of
from tracin_viz.engine.sketch import Block, SketchMap
from tracin_viz.errors import InputError


class InfluenceEngine:
    """Influence of training examples on a model's predictions.

    Args:
        model: The architecture. While the engine works it holds checkpoint weights in evaluation mode;
            afterwards weights, flags, hooks and random states are as before, bit for bit.
        checkpoints: Weights with learning rates.
        loss: ``None`` (cross entropy), a name ("mse", "bce", "causal_lm", "masked_lm"), a module with a
            ``reduction``, or a callable (outputs, targets) → (B,).
        layers: ``None`` or "all", "last" (the layer that produces the outputs), or a regular expression on
            parameter names. Parameters with ``requires_grad=False`` are left out.
        sketch_dim: Numbers per sketch and checkpoint.
        seed: Chooses the random maps of the sketches.
        device: "auto", "cpu", "cuda", "mps", or a torch device.
        batch_size: Examples per pass, or "auto".
        collate_fn: Puts a list of (inputs, target) into one batch; pads token ids.
        on_nonfinite: "raise", or "record": ``nonfinite`` lists (checkpoint index, row), their scores are NaN.
        dtype: "float32", "float64" or a torch type for the passes; ``None`` = that of the model.

    Raises:
        InputError: An argument does not fit the model.
    """

    def __init__(
        self,
        model: nn.Module,
        checkpoints: Sequence[Checkpoint],
        *,
        loss: str | nn.Module | PerExample | None = None,
        layers: str | None = None,
        sketch_dim: int = 2048,
        seed: int = 0,
        device: str | torch.device = "auto",
        batch_size: int | str = "auto",
        collate_fn: Collate | None = None,
        on_nonfinite: str = "raise",
        dtype: str | torch.dtype | None = None,
    ) -> None:
        if not checkpoints:
            raise InputError("At least one checkpoint is needed.")
        if on_nonfinite not in ("raise", "record"):
            raise InputError(
                f"on_nonfinite='{on_nonfinite}' is not known.", remedy="Possible: raise, record."
            )
        if batch_size != "auto" and (not isinstance(batch_size, int) or batch_size < 1):
            raise InputError(f"batch_size={batch_size!r} must be 'auto' or a positive number.")
        self.checkpoints = tuple(checkpoints)
        self.sketch_dim = sketch_dim
        self.seed = seed
        self._session = Session(
            model=module_of(model),
            device=chosen_device(device),
            dtype=getattr(torch, dtype) if isinstance(dtype, str) else dtype,
            objective=per_example(loss),
            collate=collate_fn,
            batch_size=0 if batch_size == "auto" else int(batch_size),
            layers=layers,
            raise_nonfinite=on_nonfinite == "raise",
        )
        self._map: SketchMap | None = None

    # ---- exact scores -----------------------------------------------------------------------------------

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

    # ---- sketches and predictions -----------------------------------------------------------------------

    def measure(self, data: Any, checkpoint: int, *, on_batch: OnBatch | None = None) -> Measurements:
        """One pass over ``data`` at one checkpoint (by index); learning rates are not applied."""
        with self._session.open():
            self._prepare(data)
            chosen = self.checkpoints[checkpoint]
            self._session.load(chosen)
            maps = self._sketch_map()
            dtype = self._session.dtype or next(iter(self._session.passes.parameters.values())).dtype

            def work(batch: Batch) -> Measurements:
                consumer = BatchMeasurement(len(batch), maps, dtype)
                outcome = self._session.passes.run(batch, self._session.objective, consumer)
                return consumer.result(outcome, batch.targets)

            parts = []
            for piece in self._session.sweep(data, np.arange(length(data)), work, on_batch):
                number = checkpoint % len(self.checkpoints)
                self._session.report_nonfinite(number, chosen.step, piece.rows[~piece.result.finite])
                parts.append(piece.result)
        return Measurements.joined(parts)

    def sketches(self, data: Any, *, on_batch: OnBatch | None = None) -> np.ndarray:
        """Gradient sketches (K, N, sketch_dim) float32, not multiplied by learning rates.

        Rows of examples whose gradient is not finite are NaN (``on_nonfinite="record"``).
        """
        found = np.zeros((len(self.checkpoints), length(data), self.sketch_dim), np.float32)
        with self._session.open():
            self._prepare(data)
            maps = self._sketch_map()
            for number, checkpoint in enumerate(self.checkpoints):
                self._session.load(checkpoint)

                def work(batch: Batch) -> Tensor:
                    rows = torch.zeros(len(batch), maps.dim, device=self._session.device)
                    self._session.passes.run(
                        batch, self._session.objective, lambda name, form: maps.add(name, form, rows)
                    )
                    return rows

                for piece in self._session.sweep(data, np.arange(length(data)), work, on_batch):
                    values = piece.result.cpu().numpy()
                    bad = ~np.isfinite(values).all(1)
                    self._session.report_nonfinite(number, checkpoint.step, piece.rows[bad])
                    values[bad] = np.nan
                    found[number, piece.rows] = values
        return found

    def embeddings(self, data: Any, checkpoint: int = -1) -> np.ndarray:
        """Inputs of the last linear call that produces the outputs, (N, e) float32."""
        return self.measure(data, checkpoint).embedding

    # ---- what was done ----------------------------------------------------------------------------------

    @property
    def nonfinite(self) -> list[tuple[int, int]]:
        """(checkpoint index, row) of examples whose loss or gradient was not finite."""
        return list(self._session.nonfinite)

    @property
    def batch_size(self) -> int:
        """Examples per pass; 0 before "auto" has seen data."""
        return self._session.batch_size

    def sketch_blocks(self) -> list[Block]:
        """Column ranges of the sketches by layer group.

        Raises:
            InputError: ``layers="last"``, and no data were seen that show which layer that is.
        """
        if self._session.layers == "last" and not self._session.norms:
            raise InputError("Which layer is the last is known after data were seen.")
        return list(self._sketch_map().blocks)

    def coverage(self, data: Any = None) -> list[ParameterCoverage]:
        """Each tracked parameter, its rule or why it has none, and its share of the squared gradient norm.

        Raises:
            InputError: No data were seen yet and none are given.
        """
        if data is not None:
            with self._session.open():
                self._prepare(data)
        return coverage(self._session)

    def _prepare(self, data: Any) -> None:
        self._session.prepare(data, self.checkpoints[-1])

    def _sketch_map(self) -> SketchMap:
        if self._map is None:
            parameters = self._session.passes.parameters
            self._map = SketchMap(
                {name: tuple(p.shape) for name, p in parameters.items()},
                {name: layer_of(name) for name in parameters},
                dim=self.sketch_dim,
                seed=self.seed,
                device=self._session.device,
            )
        return self._map


def _norms_of(session: Session, checkpoint: Checkpoint) -> Callable[[Batch], Tensor]:
    """Self-influence of a batch at one checkpoint, learning rates applied, (B,); NaN where not finite."""

    def work(batch: Batch) -> Tensor:
        total = torch.zeros(len(batch), dtype=torch.float64, device=session.device)

        def consume(name: str, form: Form) -> None:
            total.add_(form.squared_norms(), alpha=checkpoint.rate(name))

        outcome = session.passes.run(batch, session.objective, consume)
        return torch.where(torch.isfinite(total + outcome.values), total, torch.nan)

    return work
