"""A last layer trained anew on stored embeddings: what other labels would make of the same features.

The layer is linear, so training it takes seconds, and the gradient of an example is an outer product: its
self-influence ‖x‖²·‖∂ℓ/∂z‖² needs no backward pass (Pruthi et al. 2020, appendix F). The embeddings come from
a network that was trained on the *old* labels: what these did to the features stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tracin_viz.errors import InputError

Floats = npt.NDArray[np.float32]
Targets = npt.NDArray[np.int64] | npt.NDArray[np.float32]

EPOCHS = 40
BATCH = 64
MOMENTUM = 0.9
#: Highest learning rate by what a label is; the loss of numbers is twice as curved as that of classes.
RATES = {"class": 0.5, "multi-label": 0.5, "number": 0.05}
#: Shares of the training after which the layer is looked at: while its loss still falls, as for any audit.
KEPT = (0.05, 0.1, 0.2, 0.4, 1.0)


@dataclass(frozen=True)
class Layer:
    """The layer at one moment of its training.

    Attributes:
        weights: (e + 1, C) float32; the last row belongs to the constant input.
        rate: Mean learning rate since the moment before.
    """

    weights: Floats
    rate: float

    def outputs(self, inputs: Floats) -> Floats:
        """(n, C) of (n, e + 1) ``prepared`` inputs."""
        return np.asarray(inputs @ self.weights, dtype=np.float32)


@dataclass(frozen=True)
class Problem:
    """What is to be learned.

    Attributes:
        target: ``"class"``, ``"multi-label"`` or ``"number"``.
        outputs: Numbers that the layer gives: classes, labels, or 1.
    """

    target: str
    outputs: int

    def losses(self, outputs: Floats, targets: Targets) -> Floats:
        """(n,) cross entropy; mean binary cross entropy over the labels; squared error."""
        if self.target == "class":
            return np.asarray(-_log_softmax(outputs)[np.arange(len(outputs)), targets], dtype=np.float32)
        if self.target == "multi-label":
            return np.asarray((np.logaddexp(0, outputs) - outputs * targets).mean(axis=1), dtype=np.float32)
        return np.asarray((outputs[:, 0] - targets) ** 2, dtype=np.float32)

    def residuals(self, outputs: Floats, targets: Targets) -> Floats:
        """(n, C) derivative of each example's loss by its outputs."""
        if self.target == "class":
            found = np.exp(_log_softmax(outputs))
            found[np.arange(len(found)), targets] -= 1
            return np.asarray(found, dtype=np.float32)
        if self.target == "multi-label":
            return np.asarray((1 / (1 + np.exp(-outputs)) - targets) / self.outputs, dtype=np.float32)
        return np.asarray(2 * (outputs - targets[:, None]), dtype=np.float32)

    def margins(self, outputs: Floats, targets: Targets) -> Floats:
        """(n,) by how much the label is ahead (as ``engine.predictions``); of numbers minus the distance."""
        if self.target == "class":
            rows = np.arange(len(outputs))
            rest = outputs.copy()
            rest[rows, targets] = -np.inf
            return np.asarray(outputs[rows, targets] - rest.max(axis=1), dtype=np.float32)
        if self.target == "multi-label":
            return np.asarray((outputs * (2 * targets - 1)).min(axis=1), dtype=np.float32)
        return np.asarray(-np.abs(outputs[:, 0] - targets), dtype=np.float32)

    def rightness(self, outputs: Floats, targets: Targets) -> npt.NDArray[np.float64]:
        """(n,) higher = better: 1 or 0; the share of labels that are right; minus a number's distance."""
        if self.target == "class":
            return np.asarray(outputs.argmax(axis=1) == targets, dtype=np.float64)
        if self.target == "multi-label":
            return np.asarray(((outputs > 0) == (targets > 0.5)).mean(axis=1), dtype=np.float64)
        return -np.abs(outputs[:, 0].astype(np.float64) - targets)


def prepared(training: Floats, *others: Floats) -> list[Floats]:
    """Embeddings (n, e) as inputs of the layer, (n, e + 1): standardised by the training examples.

    They are divided by √e, so that the squared length of an input is about 2 whatever e is, and one learning
    rate serves every model; the last column is 1.

    Raises:
        InputError: There are no embeddings.
    """
    width = training.shape[1]
    if not width:
        raise InputError(
            "This model has no last linear layer whose inputs are kept, so that cannot be retrained alone.",
            remedy="For a demo audit, retrain the whole network (--full).",
        )
    mean = training.mean(axis=0, dtype=np.float64)
    spread = training.std(axis=0, dtype=np.float64)
    spread[spread < 1e-6 * max(1.0, float(spread.max(initial=0.0)))] = np.inf  # a constant says nothing
    scale = 1 / (spread * np.sqrt(width))

    def one(array: Floats) -> Floats:
        scaled = ((array - mean) * scale).astype(np.float32)
        return np.concatenate([scaled, np.ones((len(scaled), 1), np.float32)], axis=1)

    return [one(array) for array in (training, *others)]


def train(
    inputs: Floats,
    targets: Targets,
    problem: Problem,
    *,
    seed: int,
    epochs: int = EPOCHS,
    on_share: Callable[[float], None] = lambda share: None,
) -> list[Layer]:
    """Train the layer by stochastic gradient descent with momentum; the rate falls to zero linearly.

    Args:
        inputs: (n, e + 1) of ``prepared``.
        targets: (n,) classes; (n, C) of 0 and 1; (n,) numbers, best of mean 0 and spread 1.
        problem: What is learned.
        seed: Of the first weights and of the order of the examples.
        epochs: Passes over the examples.
        on_share: Told the share done after each pass; may raise to stop.

    Returns:
        The layer at the shares ``KEPT`` of the training; the last is the result.

    Raises:
        InputError: Fewer than two examples, or all of one class.
    """
    if len(inputs) < 2 or (problem.target == "class" and len(np.unique(targets)) < 2):
        raise InputError(
            "A layer cannot be trained on fewer than two examples, or on examples of a single class.",
            remedy="Exclude fewer examples.",
        )
    random = np.random.default_rng(seed)
    weights = (0.01 * random.standard_normal((inputs.shape[1], problem.outputs))).astype(np.float32)
    velocity = np.zeros_like(weights)
    total = epochs * -(-len(inputs) // BATCH)
    ends = [max(place + 1, round(share * total)) for place, share in enumerate(KEPT)]
    kept: list[Layer] = []
    rates: list[float] = []
    step = 0
    for epoch in range(epochs):
        order = random.permutation(len(inputs))
        for first in range(0, len(order), BATCH):
            rows = order[first : first + BATCH]
            batch = inputs[rows]
            rate = RATES[problem.target] * (1 - step / total)
            gradient = batch.T @ problem.residuals(batch @ weights, targets[rows]) / len(rows)
            velocity = np.asarray(MOMENTUM * velocity + gradient, dtype=np.float32)
            weights = weights - np.float32(rate) * velocity
            step += 1
            rates.append(rate)
            if len(kept) < len(ends) and step >= ends[len(kept)]:
                kept.append(Layer(weights, float(np.mean(rates))))
                rates = []
        on_share((epoch + 1) / epochs)
    return kept or [Layer(weights, float(np.mean(rates)))]


def measured(
    layers: list[Layer], inputs: Floats, targets: Targets, problem: Problem
) -> dict[str, npt.NDArray[np.float64]]:
    """What ``suspects.scores`` takes: self_influence, loss and margin, (K, n), and learning_rates (K,)."""
    squares = np.square(inputs.astype(np.float64)).sum(axis=1)  # ‖x‖², with the constant input
    columns: dict[str, list[npt.NDArray[np.float64]]] = {"self_influence": [], "loss": [], "margin": []}
    for layer in layers:
        outputs = layer.outputs(inputs)
        residuals = problem.residuals(outputs, targets).astype(np.float64)
        columns["self_influence"].append(squares * np.square(residuals).sum(axis=1))
        columns["loss"].append(problem.losses(outputs, targets).astype(np.float64))
        columns["margin"].append(problem.margins(outputs, targets).astype(np.float64))
    found = {name: np.stack(values) for name, values in columns.items()}
    found["learning_rates"] = np.array([layer.rate for layer in layers])
    return found


def _log_softmax(outputs: Floats) -> Floats:
    shifted = outputs - outputs.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)), dtype=np.float32)
