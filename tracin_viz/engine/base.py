"""What all products of the engine share: model, checkpoints, the session that goes through data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from tracin_viz.engine.arguments import chosen_device, module_of
from tracin_viz.engine.batches import Collate
from tracin_viz.engine.checkpoints import Checkpoint
from tracin_viz.engine.coverage import ParameterCoverage, coverage
from tracin_viz.engine.losses import PerExample, per_example
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

    @property
    def nonfinite(self) -> list[tuple[int, int]]:
        """(checkpoint index, row) of examples whose loss or gradient was not finite."""
        return list(self._session.nonfinite)

    @property
    def batch_size(self) -> int:
        """Examples per pass; 0 before "auto" has seen data."""
        return self._session.batch_size

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
