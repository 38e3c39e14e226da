"""TracIn influence for PyTorch models: exact scores, self-influence, gradient sketches, predictions."""

from __future__ import annotations

from tracin_viz.engine.basis import Basis
from tracin_viz.engine.checkpoints import Checkpoint
from tracin_viz.engine.columns import Block
from tracin_viz.engine.coverage import ParameterCoverage
from tracin_viz.engine.estimates import SketchError, sketch_error
from tracin_viz.engine.groups import Groups
from tracin_viz.engine.influence import InfluenceEngine
from tracin_viz.engine.measurements import Measurements
from tracin_viz.engine.optimizers import OptimizerGroup, OptimizerReport
from tracin_viz.engine.scores import Decomposition
from tracin_viz.engine.token_terms import TokenInfluence

__all__ = [
    "Basis",
    "Block",
    "Checkpoint",
    "Decomposition",
    "Groups",
    "InfluenceEngine",
    "Measurements",
    "OptimizerGroup",
    "OptimizerReport",
    "ParameterCoverage",
    "SketchError",
    "TokenInfluence",
    "sketch_error",
]
