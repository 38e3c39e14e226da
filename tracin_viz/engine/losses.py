"""From a model's outputs to one number per example: losses for training, prediction scores for queries."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from tracin_viz.errors import EngineError, InputError

PerExample = Callable[[Any, Any], Tensor]
IGNORED = -100  # target value of tokens that carry no loss, as in PyTorch and transformers


def outputs_tensor(outputs: Any) -> Tensor:
    """The logits (or predictions) in what a model returned: a tensor, tuple, dict or Hugging Face output.

    Raises:
        EngineError: There is no tensor where one is expected.
    """
    found = outputs
    logits = getattr(outputs, "logits", None)
    if isinstance(logits, Tensor):
        found = logits
    elif isinstance(outputs, Mapping):
        found = outputs["logits"] if "logits" in outputs else next(iter(outputs.values()), None)
    elif isinstance(outputs, list | tuple) and outputs:
        found = outputs[0]
    if not isinstance(found, Tensor):
        raise EngineError(
            f"The model returned {type(outputs).__name__}, in which no logits were found.",
            remedy="Return a tensor, a tuple that starts with it, or something with 'logits'.",
        )
    return found


def cross_entropy(outputs: Any, targets: Tensor) -> Tensor:
    """Cross entropy (B,) of logits (B, C) with class indices (B,) or class probabilities (B, C).

    Logits (B, T, C) with targets (B, T) give the mean over each example's tokens that are not ``IGNORED``.
    """
    logits = outputs_tensor(outputs)
    if logits.dim() == 2:
        return functional.cross_entropy(logits, targets, reduction="none")
    if targets.dim() != logits.dim() - 1:
        raise EngineError(
            f"Logits {tuple(logits.shape)} and targets {tuple(targets.shape)} do not fit together.",
            remedy="Give `loss=`, a callable (outputs, targets) -> one loss per example.",
        )
    return _token_mean(logits, targets)


def causal_lm(outputs: Any, targets: Tensor) -> Tensor:
    """Mean cross entropy (B,) of the next token: logits (B, T, C) at t against targets (B, T) at t + 1."""
    logits = outputs_tensor(outputs)
    return _token_mean(logits[:, :-1], targets[:, 1:])


def _token_mean(logits: Tensor, targets: Tensor) -> Tensor:
    losses = functional.cross_entropy(logits.movedim(-1, 1), targets, reduction="none", ignore_index=IGNORED)
    kept = (targets != IGNORED).flatten(1).sum(1).clamp(min=1)
    return losses.flatten(1).sum(1) / kept


def mean_squared_error(outputs: Any, targets: Tensor) -> Tensor:
    """Squared error (B,), mean over the numbers of each example's target."""
    predictions = outputs_tensor(outputs)
    aligned = targets.reshape(predictions.shape).to(predictions.dtype)
    return (
        (predictions - aligned).square().flatten(1).mean(1)
        if predictions.dim() > 1
        else (predictions - aligned) ** 2
    )


def binary_cross_entropy(outputs: Any, targets: Tensor) -> Tensor:
    """Binary cross entropy with logits (B,), mean over the labels of each example (multi-label)."""
    logits = outputs_tensor(outputs)
    aligned = targets.reshape(logits.shape).to(logits.dtype)
    losses = functional.binary_cross_entropy_with_logits(logits, aligned, reduction="none")
    return losses.flatten(1).mean(1) if losses.dim() > 1 else losses


SCORES = ("logit", "log_probability", "margin")
NAMED: dict[str, PerExample] = {
    "cross_entropy": cross_entropy,
    "masked_lm": cross_entropy,
    "causal_lm": causal_lm,
    "mse": mean_squared_error,
    "bce": binary_cross_entropy,
}


def _with_logits(loss: PerExample) -> PerExample:
    def evaluate(outputs: Any, targets: Any) -> Tensor:
        found = outputs["logits"] if isinstance(outputs, Mapping) and "logits" in outputs else outputs
        return loss(getattr(found, "logits", found), targets)

    return evaluate


def per_example(loss: str | nn.Module | PerExample | None) -> PerExample:
    """The per-example form of the user's loss, whatever its reduction.

    A module with a ``reduction`` (``nn.CrossEntropyLoss()``) is copied with ``reduction="none"`` and given
    the logits; numbers of one example are averaged where that was "mean", else summed. Other callables get
    what the model returned, or its logits where that is a dict or Hugging Face output with logits.
    """
    if loss is None:
        return cross_entropy
    if isinstance(loss, str):
        if loss not in NAMED:
            raise InputError(
                f"Loss '{loss}' is not known.", remedy=f"Possible: {', '.join(NAMED)}, or a callable."
            )
        return NAMED[loss]
    reduction = getattr(loss, "reduction", None)
    if not isinstance(loss, nn.Module) or not isinstance(reduction, str):
        return _with_logits(loss)
    if isinstance(loss, nn.CrossEntropyLoss) and loss.weight is None and loss.ignore_index == IGNORED:
        smoothing = loss.label_smoothing
        if smoothing == 0 and reduction == "mean":
            return cross_entropy
    single = copy.deepcopy(loss)
    single.reduction = "none"  # type: ignore[assignment]

    def evaluate(outputs: Any, targets: Tensor) -> Tensor:
        values: Tensor = single(outputs_tensor(outputs), targets)
        if values.dim() <= 1:
            return values
        return values.flatten(1).mean(1) if reduction == "mean" else values.flatten(1).sum(1)

    return evaluate


def prediction_score(kind: str) -> PerExample:
    """−score (B,) of the classes given as targets (B,), so that its gradient is used like that of a loss.

    A proponent of −score is a training example that *raises* the score (DESIGN §2). ``kind`` is "logit",
    "log_probability" or "margin" (logit of the class − largest other logit).
    """
    if kind not in SCORES:
        raise InputError(f"Score '{kind}' is not known.", remedy=f"Possible: {', '.join(SCORES)}.")

    def evaluate(outputs: Any, targets: Tensor) -> Tensor:
        logits = outputs_tensor(outputs)
        if logits.dim() == 1:  # one number per example is the logit of the only output
            logits = logits[:, None]
        if logits.dim() != 2:
            raise EngineError(
                f"Prediction scores need logits (B, classes), the model gave {tuple(logits.shape)}."
            )
        index = targets[:, None]
        if kind == "log_probability":
            return -logits.log_softmax(1).gather(1, index)[:, 0]
        chosen = logits.gather(1, index)[:, 0]
        if kind == "logit":
            return -chosen
        return logits.scatter(1, index, -torch.inf).max(1).values - chosen

    return evaluate


def checked(values: Any, batch: int) -> Tensor:
    """``values``, which must be one number per example.

    Raises:
        EngineError: The loss was reduced over the batch or has another shape.
    """
    if isinstance(values, Tensor) and values.shape == (batch,):
        return values
    got = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
    raise EngineError(
        f"The loss must give one number per example, shape ({batch},), and gave {got}.",
        remedy="Use reduction='none' and average what belongs to one example.",
    )
