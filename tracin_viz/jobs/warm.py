"""Audits that the query process keeps ready: data, model, engine and stored gradients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from tracin_viz.config import Home
from tracin_viz.engine import InfluenceEngine
from tracin_viz.jobs.asked import minus_logit
from tracin_viz.jobs.devices import Machine
from tracin_viz.jobs.held import Held
from tracin_viz.jobs.loading import Sources, build_engine, open_sources
from tracin_viz.store import plan as plans
from tracin_viz.store import registry
from tracin_viz.store.artifacts import ArtifactStore
from tracin_viz.store.checkpoint_choice import in_use
from tracin_viz.store.parts import GradientSet
from tracin_viz.store.plan import RunPlan

LOADED = 3  # audits kept warm: two that are compared, and the one that is looked at otherwise


@dataclass(frozen=True, eq=False)
class Warm:
    """An audit that is ready to answer.

    Attributes:
        sources: Data and model.
        plan: The newest run's, without checkpoints that are switched off.
        store: Where its units are.
        engine: For losses at labels.
    """

    sources: Sources
    plan: RunPlan
    store: ArtifactStore
    engine: InfluenceEngine

    @cached_property
    def score_engine(self) -> InfluenceEngine:
        """The engine whose loss is minus the output of the target's class."""
        return build_engine(self.sources, self.plan, self.store, loss=minus_logit)

    @cached_property
    def rates(self) -> npt.NDArray[np.float64]:
        """(K,) learning-rate weights."""
        return np.array([checkpoint.learning_rate for checkpoint in self.engine.checkpoints], np.float64)

    @cached_property
    def _held(self) -> dict[str, Held]:
        return {}

    def held(self, split: str) -> Held:
        """The stored gradients of ``split``; opened once."""
        if split not in self._held:
            keys = [list(row) for row in self.plan.splits[split].keys]
            self._held[split] = Held(GradientSet(self.store, keys))
        return self._held[split]


class WarmAudits:
    """The audits asked about last.

    Args:
        home: The workspace.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._warm: dict[tuple[Any, ...], Warm] = {}

    def get(self, name: str, steps: Sequence[int] | None = None) -> Warm:
        """Audit ``name`` as it is now; loaded anew when it, its choices or its results changed.

        Args:
            name: The audit.
            steps: Of the checkpoints that count for this question; ``None`` = those in use.
        """
        record = registry.read(self._home, name)
        if steps is not None:
            off = {one.step for one in record.checkpoints} - set(steps)
            record = replace(record, unused=tuple(sorted(off)))
        plan = in_use(record, plans.require(self._home, name))
        key = (name, record.version(), plan.map_key, *plan.units)
        if key not in self._warm:
            torch.set_num_threads(Machine.here().threads(1))
            sources = open_sources(record)
            store = ArtifactStore(self._home.artifacts)
            while len(self._warm) >= LOADED:
                self._warm.pop(next(iter(self._warm)))
            self._warm[key] = Warm(sources, plan, store, build_engine(sources, plan, store))
        return self._warm[key]
