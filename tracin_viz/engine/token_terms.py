"""The influence of one example at a time, as terms by token and layer that are checked against the whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tracin_viz.engine.batches import Batch
from tracin_viz.engine.general import requiring_gradients
from tracin_viz.engine.losses import checked
from tracin_viz.engine.precision import double
from tracin_viz.engine.scores import layers_of
from tracin_viz.engine.session import Session, layer_of
from tracin_viz.engine.tangents import Shapes, Tangents, position_axes
from tracin_viz.errors import InputError

TOLERANCE = 1e-3  # a layer whose terms do not sum to its exact influence this well is not split


@dataclass(frozen=True)
class TokenInfluence:
    """Influence of training examples on a query, by token and layer.

    ``by_layer.sum((1, 2)) + remainder.sum(1)`` is the exact influence of each example.

    Attributes:
        rows: Rows of the training data, (c,).
        by_layer: (c, T, L) float64, learning rates applied, summed over checkpoints; 0 at padding.
        remainder: (c, L): what belongs to no token: calls after pooling, class tokens, padding, and all of
            the layers in ``unsplit``.
        mask: (c, T) bool: where an example has a token; padding is false.
        layers: Names of the modules that own the parameters.
        unsplit: Layer → why none of it is split.
    """

    rows: np.ndarray
    by_layer: np.ndarray
    remainder: np.ndarray
    mask: np.ndarray
    layers: tuple[str, ...]
    unsplit: dict[str, str] = field(default_factory=dict)

    @property
    def scores(self) -> np.ndarray:
        """(c, T): each token's part over all layers."""
        found: np.ndarray = self.by_layer.sum(2)
        return found

    @property
    def totals(self) -> np.ndarray:
        """(c,): the influence of each example."""
        found: np.ndarray = self.by_layer.sum((1, 2)) + self.remainder.sum(1)
        return found


class Splitter:
    """Sums over checkpoints; each example is taken alone, at its own length."""

    def __init__(self, session: Session, rows: np.ndarray) -> None:
        self._session = session
        self._rows = rows
        self._layers = layers_of(session)
        self._place = {layer: place for place, layer in enumerate(self._layers)}
        self._terms: list[np.ndarray | None] = [None] * len(rows)  # (T, L) each
        self._masks: list[np.ndarray] = [np.zeros(0, bool)] * len(rows)
        self._rest = np.zeros((len(rows), len(self._layers)))
        self._unsplit: dict[str, str] = {}

    def add(self, train: Any, along: dict[str, Tensor], checkpoint: tuple[int, int]) -> None:
        """Adds one checkpoint, at which the query's weighted gradient is ``along``."""
        for place, row in enumerate(self._rows):
            sweep = self._session.sweep(train, np.array([row]), lambda batch: self._split(batch, along))
            for piece in sweep:
                terms, rest, mask, finite = piece.result
                if not finite:
                    self._session.report_nonfinite(*checkpoint, piece.rows)
                    terms, rest = terms * np.nan, rest * np.nan
                known = self._terms[place]
                self._terms[place] = terms if known is None else known + terms
                self._masks[place] = mask
                self._rest[place] += rest

    def result(self) -> TokenInfluence:
        """What was collected, padded to the longest example."""
        steps = max((len(mask) for mask in self._masks), default=0)
        by_layer = np.zeros((len(self._rows), steps, len(self._layers)))
        rest = self._rest.copy()
        masks = np.zeros((len(self._rows), steps), bool)
        for place, (terms, mask) in enumerate(zip(self._terms, self._masks, strict=True)):
            masks[place, : len(mask)] = mask
            if terms is not None:
                by_layer[place, : len(terms)] = terms
        for layer in self._unsplit:  # also for examples before the one that showed it
            rest[:, self._place[layer]] += by_layer[:, :, self._place[layer]].sum(1)
            by_layer[:, :, self._place[layer]] = 0.0
        return TokenInfluence(self._rows, by_layer, rest, masks, self._layers, self._unsplit)

    def _split(
        self, batch: Batch, along: dict[str, Tensor]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, bool]:
        """(T, L) terms, (L,) remainder, (T,) mask of one example, and whether its gradient is finite."""
        steps = _steps(batch.inputs)
        parameters = {n: p for n, p in self._session.passes.parameters.items() if n in along}
        watched = [(p, layer_of(name), along[name]) for name, p in parameters.items()]
        axes = self._axes(batch, watched, steps)
        with requiring_gradients(parameters.values()), torch.enable_grad():
            mode = Tangents(watched, self._constants(), axes)
            with mode:
                outputs = batch.call(self._session.model)
            value = checked(self._session.objective(outputs, batch.targets), 1)
            grads = torch.autograd.grad(value.sum(), list(parameters.values()), allow_unused=True)
        terms, rest = np.zeros((steps, len(self._layers))), np.zeros(len(self._layers))
        exact, scale = rest.copy(), rest.copy()
        for (name, _), grad in zip(parameters.items(), grads, strict=True):
            if grad is not None:
                place = self._place[layer_of(name)]
                exact[place] += float((double(grad) * double(along[name])).sum())
                scale[place] += float(double(grad).norm() * double(along[name]).norm())
        for layer, place in self._place.items():
            if layer in mode.at_positions:
                terms[:, place] = mode.at_positions[layer].cpu().numpy()
            rest[place] = float(mode.whole.get(layer, 0.0))
            self._judge(layer, mode, terms[:, place], rest[place], (exact[place], scale[place]))
            if layer in self._unsplit:
                terms[:, place], rest[place] = 0.0, exact[place]
        mask = _mask(batch.inputs, steps)
        rest += terms[~mask].sum(0)
        terms[~mask] = 0.0
        return terms, rest, mask, bool(np.isfinite(exact).all())

    def _constants(self) -> list[Tensor]:
        model = self._session.model
        return [*model.buffers(), *model.parameters()]

    def _judge(
        self, layer: str, mode: Tangents, terms: np.ndarray, rest: float, known: tuple[float, float]
    ) -> None:
        """Notes a layer whose terms do not sum to its part of the influence."""
        exact, scale = known
        if layer in mode.failed:
            self._unsplit.setdefault(layer, f"no forward-mode derivative of {mode.failed[layer]}")
            return
        error = abs(terms.sum() + rest - exact)
        if np.isfinite(exact) and error > TOLERANCE * (scale + np.abs(terms).sum()):
            self._unsplit.setdefault(layer, f"its terms sum to {terms.sum() + rest:.3g}, not to {exact:.3g}")

    def _axes(
        self, batch: Batch, watched: list[tuple[Tensor, str, Tensor]], steps: int
    ) -> dict[tuple[int, int], int]:
        other = steps - 1 if steps > 1 else 2
        found: list[Shapes | None] = []
        for count in (steps, other):
            mode = Tangents(watched, self._constants())
            try:
                with torch.no_grad(), mode:
                    Batch(batch.rows, _resized(batch.inputs, steps, count), None).call(self._session.model)
                found.append(mode.shapes)
            except (RuntimeError, ValueError, IndexError):
                if count == steps:
                    raise
                found.append(None)
        return position_axes(found[0] or {}, steps, found[1], other)


def _steps(inputs: Any) -> int:
    """Tokens of the one example in ``inputs``.

    Raises:
        InputError: There are neither token ids nor a sequence.
    """
    values = list(inputs.values()) if isinstance(inputs, Mapping) else inputs
    tensors = [t for t in (values if isinstance(values, list | tuple) else [values]) if isinstance(t, Tensor)]
    ids = [t for t in tensors if t.dim() == 2 and not t.is_floating_point()]
    for tensor in [*ids, *(t for t in tensors if t.dim() == 3)]:
        return int(tensor.shape[1])
    raise InputError(
        "The training examples hold no token ids (B, T), so their influence has no tokens to be split into.",
        remedy="Use influence(by=('checkpoint', 'layer')) for other inputs.",
    )


def _mask(inputs: Any, steps: int) -> np.ndarray:
    """Where there is a token: by ``attention_mask`` where the inputs have one, else everywhere."""
    mask = inputs.get("attention_mask") if isinstance(inputs, Mapping) else None
    if isinstance(mask, Tensor) and mask.shape == (1, steps):
        found: np.ndarray = (mask[0] != 0).cpu().numpy()
        return found
    return np.ones(steps, bool)


def _resized(inputs: Any, steps: int, count: int) -> Any:
    """The same inputs with ``count`` positions: cut, or with the last one repeated."""
    if isinstance(inputs, Mapping):
        return {key: _resized(value, steps, count) for key, value in inputs.items()}
    if isinstance(inputs, list | tuple):
        return tuple(_resized(value, steps, count) for value in inputs)
    if not isinstance(inputs, Tensor):
        return inputs
    index = torch.arange(count, device=inputs.device).clamp(max=steps - 1)
    for axis in range(1, inputs.dim()):
        if inputs.shape[axis] == steps and axis < 3:
            inputs = inputs.index_select(axis, index)
            if inputs.is_floating_point():
                break
    return inputs
