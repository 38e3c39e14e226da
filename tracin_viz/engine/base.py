"""What all products of the engine share: model, checkpoints, the session that goes through data."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from tracin_viz.engine.arguments import chosen_device, module_of
from tracin_viz.engine.basis import Basis
from tracin_viz.engine.batches import Collate
from tracin_viz.engine.checkpoints import Checkpoint
from tracin_viz.engine.coverage import ParameterCoverage, coverage
from tracin_viz.engine.directions import Direction, checked_preconditioner
from tracin_viz.engine.feed import AHEAD
from tracin_viz.engine.losses import PerExample, per_example
from tracin_viz.engine.optimizers import OptimizerReport, OptimizerState
from tracin_viz.engine.session import Session
from tracin_viz.engine.sketch import SketchMap
from tracin_viz.errors import InputError


class EngineBase:
    """A model with checkpoints; ``InfluenceEngine`` documents the arguments."""

    def __init__(
        self,
        model: nn.Module,
        checkpoints: Sequence[Checkpoint],
        *,
        loss: str | nn.Module | PerExample | None = None,
        layers: str | None = None,
        sketch_dim: int = 2048,
        sketch: str | Basis = "random",
        seed: int = 0,
        device: str | torch.device = "auto",
        batch_size: int | str = "auto",
        collate_fn: Collate | None = None,
        on_nonfinite: str = "raise",
        dtype: str | torch.dtype | None = None,
        read_ahead: int = AHEAD,
    ) -> None:
        if not checkpoints:
            raise InputError("At least one checkpoint is needed.")
        if on_nonfinite not in ("raise", "record"):
            raise InputError(
                f"on_nonfinite='{on_nonfinite}' is not known.", remedy="Possible: raise, record."
            )
        if batch_size != "auto" and (not isinstance(batch_size, int) or batch_size < 1):
            raise InputError(f"batch_size={batch_size!r} must be 'auto' or a positive number.")
        if not isinstance(sketch, Basis) and sketch not in ("random", "pca"):
            raise InputError(
                f"sketch={sketch!r} is not known.", remedy="Possible: 'random', 'pca', or a fitted Basis."
            )
        module = module_of(model)
        self._states = [_optimizer_of(checkpoint, module) for checkpoint in checkpoints]
        self.checkpoints = tuple(map(_with_named_rates, checkpoints, self._states))
        self.sketch_dim = sketch_dim
        self.seed = seed
        self._session = Session(
            model=module,
            device=chosen_device(device),
            dtype=getattr(torch, dtype) if isinstance(dtype, str) else dtype,
            objective=per_example(loss),
            collate=collate_fn,
            batch_size=0 if batch_size == "auto" else int(batch_size),
            layers=layers,
            raise_nonfinite=on_nonfinite == "raise",
            read_ahead=read_ahead,
        )
        self._basis = sketch if isinstance(sketch, Basis) else None
        self._fitted = sketch != "random"
        self._map: SketchMap | None = None

    @property
    def nonfinite(self) -> list[tuple[int, int]]:
        """(checkpoint index, row) of examples whose loss or gradient was not finite."""
        return list(self._session.nonfinite)

    @property
    def batch_size(self) -> int:
        """Examples per pass; 0 before "auto" has seen data."""
        return self._session.batch_size

    @property
    def optimizers(self) -> list[OptimizerReport | None]:
        """What trained each checkpoint, where its optimizer was given."""
        return [None if state is None else state.report() for state in self._states]

    @property
    def partition(self) -> list[int]:
        """Examples in each batch of the newest pass over data; some are fewer where memory ran out."""
        return list(self._session.batches)

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

    def _directions(self, kind: str | None) -> Callable[[int], Direction | None]:
        """Preconditioner of each checkpoint, by index; all are checked before any work is done.

        Raises:
            InputError: The kind is not known, or an optimizer's state is missing or does not fit.
        """
        if checked_preconditioner(kind) is None:
            return lambda checkpoint: None
        parameters = self._session.passes.parameters
        for checkpoint, state in zip(self.checkpoints, self._states, strict=True):
            if state is None:
                raise InputError(
                    f"preconditioner='{kind}' needs the optimizer's state, and the checkpoint of step "
                    f"{checkpoint.step} has none.",
                    remedy="Give Checkpoint(optimizer=optimizer.state_dict()), or no `preconditioner`.",
                )
            state.moments(list(parameters))

        def direction(checkpoint: int) -> Direction | None:
            state = self._states[checkpoint]
            if state is None or kind is None:
                return None
            like = next(iter(parameters.values()))
            moments = state.moments(list(parameters))
            return Direction(kind, {name: each.to(like.device, like.dtype) for name, each in moments.items()})

        return direction


def _optimizer_of(checkpoint: Checkpoint, model: nn.Module) -> OptimizerState | None:
    return None if checkpoint.optimizer is None else OptimizerState(checkpoint.optimizer, model)


def _with_named_rates(checkpoint: Checkpoint, state: OptimizerState | None) -> Checkpoint:
    """The checkpoint with one learning rate per parameter group replaced by rates per parameter."""
    if not isinstance(checkpoint.learning_rate, Sequence):
        return checkpoint
    if state is None:
        raise InputError(
            f"Checkpoint {checkpoint.step} has a list of learning rates, but no optimizer with groups.",
            remedy="Give `optimizer`, or a mapping {regular expression on parameter names: rate}.",
        )
    rates = state.rates(checkpoint.learning_rate)
    return replace(checkpoint, learning_rate={f"^{re.escape(name)}$": rate for name, rate in rates.items()})
