"""One pass over data at one checkpoint: sketches, exact self-influence, predictions, embeddings."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from tracin_viz.engine.forms import Form
from tracin_viz.engine.passes import Outcome
from tracin_viz.engine.precision import zeros
from tracin_viz.engine.predictions import predictions
from tracin_viz.engine.sketch import SketchMap


@dataclass
class Measurements:
    """What is known of n examples at one checkpoint; nothing is multiplied by the learning rate.

    Attributes:
        rows: Gradient sketches, (n, sketch_dim) float32.
        self_influence: Exact ‖∇ℓ‖², (n,) float64.
        loss: Loss of each example, (n,) float32.
        probability: Of the predicted class, (n,) float32.
        margin: By how much the label is ahead, (n,) float32; see ``engine.predictions``.
        label_probability: Probability of the label, (n,) float32.
        other_probability: Probability of ``other``, (n,) float32.
        predicted: Most probable class, (n,) int64; −1 where the outputs are not class logits.
        other: Most probable class that is not the label, (n,) int64; −1 likewise.
        value: The number that was predicted (regression), or how many labels the model would set otherwise
            (multi-label), (n,) float32; NaN for classes.
        embedding: Input of the last linear call that produces the outputs, (n, e) float32; e may be 0.
        finite: Whether gradient and loss are finite, (n,) bool. Else scores are NaN, the row zero.
    """

    rows: np.ndarray
    self_influence: np.ndarray
    loss: np.ndarray
    probability: np.ndarray
    margin: np.ndarray
    label_probability: np.ndarray
    other_probability: np.ndarray
    predicted: np.ndarray
    other: np.ndarray
    value: np.ndarray
    embedding: np.ndarray
    finite: np.ndarray

    @classmethod
    def joined(cls, parts: list[Measurements]) -> Measurements:
        """The measurements of consecutive batches as one."""
        return cls(
            **{
                field.name: np.concatenate([getattr(part, field.name) for part in parts])
                for field in fields(cls)
            }
        )


class BatchMeasurement:
    """Consumer of one batch's per-example gradients for ``Measurements``."""

    def __init__(self, batch: int, sketch: SketchMap, dtype: torch.dtype) -> None:
        self.rows = torch.zeros(batch, sketch.dim, dtype=dtype, device=sketch.device)
        self.norms = zeros(batch, device=sketch.device)
        self._sketch = sketch

    def __call__(self, name: str, form: Form) -> None:
        """Adds one parameter."""
        self.norms += form.squared_norms()
        self._sketch.add(name, form, self.rows)

    def result(self, outcome: Outcome, targets: object, reading: str = "class") -> Measurements:
        """The measurements of the batch; ``reading`` as in ``engine.predictions``."""
        raw, values = self.rows.to(self.norms.device), outcome.values.to(self.norms.device)
        finite = torch.isfinite(self.norms) & torch.isfinite(values)
        finite &= torch.isfinite(raw).all(1)
        rows = torch.where(finite[:, None], raw, 0.0)
        norms = torch.where(finite, self.norms, torch.nan)
        loss = torch.where(finite, values, torch.nan)
        batch = len(norms)
        embedding = outcome.embedding if outcome.embedding is not None else rows.new_zeros(batch, 0)
        return Measurements(
            rows=_array(rows.float()),
            self_influence=_array(norms),
            loss=_array(loss.float()),
            embedding=_array(embedding.float()),
            finite=_array(finite),
            **predictions(outcome.outputs, targets, reading),
        )


def _array(value: Tensor) -> np.ndarray:
    return value.detach().cpu().numpy()
