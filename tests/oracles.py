"""The slow twins: what the fast paths are compared with.

Nothing here imports the engine. A batch of one, in float64, differentiated by plain autograd, has no
batching, no hooks and no rule that could be wrong: its gradient *is* the per-example gradient by definition,
and TracIn is a sum of inner products of those (Pruthi et al. 2020, eq. 2). Obviously correct, and very slow.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy as mean_cross_entropy

Loss = Callable[[Any, torch.Tensor], torch.Tensor]


def relative_error(found: np.ndarray, true: np.ndarray) -> float:
    """max |difference| / max |true score|, the largest over the rows (queries); DESIGN §3.

    A vector (self-influence) counts as one row. Element-wise errors are meaningless where scores cancel.
    """
    found, true = np.atleast_2d(np.asarray(found, np.float64)), np.atleast_2d(np.asarray(true, np.float64))
    assert found.shape == true.shape, f"shapes differ: {found.shape} and {true.shape}"
    assert np.isfinite(true).all(), "the oracle itself is not finite"
    scale = np.abs(true).max(axis=1)
    assert (scale > 0).all(), "a row of true scores is all zero: nothing is being tested"
    worst = np.abs(found - true).max(axis=1) / scale
    return float(np.where(np.isnan(worst), np.inf, worst).max())


def logits_of(outputs: Any) -> torch.Tensor:
    """The class scores inside whatever the model returned."""
    if isinstance(outputs, torch.Tensor):
        return outputs
    if isinstance(outputs, dict) or hasattr(outputs, "logits"):
        return outputs["logits"]
    return outputs[0]


def cross_entropy(outputs: Any, target: torch.Tensor) -> torch.Tensor:
    """Loss of a batch of one."""
    return mean_cross_entropy(logits_of(outputs), target, reduction="sum")


class BruteForce:
    """TracInCP by one backward pass per example and checkpoint, everything in float64.

    Args:
        model: Architecture; copied, so the caller's model cannot be touched.
        checkpoints: (state dict, learning rate) pairs.
        loss: From the outputs and targets of a batch of one to a scalar.
        collate: From a list of (inputs, target) to a batch; default stacks tensors.
    """

    def __init__(
        self,
        model: nn.Module,
        checkpoints: Sequence[tuple[dict[str, torch.Tensor], float]],
        *,
        loss: Loss = cross_entropy,
        collate: Callable[[list[Any]], Any] | None = None,
    ) -> None:
        self.model = copy.deepcopy(model).double()
        for module in self.model.modules():
            module.training = False  # what eval() does; exported programs have no eval()
        self.checkpoints = checkpoints
        self.loss = loss
        self.collate = collate or torch.utils.data.default_collate

    def gradients(
        self, data: Sequence[Any], *, score: tuple[str, int] | None = None
    ) -> list[dict[str, torch.Tensor]]:
        """Per checkpoint {parameter name: (n, P) float64}; of the loss, or of a score (kind, class)."""
        result = []
        for state, _ in self.checkpoints:
            self.model.load_state_dict(state)
            self.model.double()
            names = {
                n: p for n, p in self.model.named_parameters() if p.requires_grad
            }  # tied: first name only
            rows: dict[str, list[torch.Tensor]] = {name: [] for name in names}
            for position in range(len(data)):
                inputs, target = self.collate([data[position]])
                outputs = call(self.model, in_double(inputs))
                value = self.loss(outputs, target) if score is None else prediction_score(outputs, *score)
                grads = torch.autograd.grad(value.sum(), list(names.values()), allow_unused=True)
                for (name, parameter), grad in zip(names.items(), grads, strict=True):
                    rows[name].append((torch.zeros_like(parameter) if grad is None else grad).flatten())
            result.append({name: torch.stack(each) for name, each in rows.items()})
        return result

    def decomposition(
        self, train: Sequence[Any], queries: Sequence[Any], *, score: tuple[str, int] | None = None
    ) -> dict[tuple[int, str], np.ndarray]:
        """{(checkpoint, parameter name): (Q, N)} terms of the influence, each times its learning rate."""
        ours, theirs = self.gradients(train), self.gradients(queries, score=score)
        terms = {}
        for number, (_, rate) in enumerate(self.checkpoints):
            for name in ours[number]:
                terms[number, name] = (rate * theirs[number][name] @ ours[number][name].T).numpy()
        return terms

    def influence(self, train: Sequence[Any], queries: Sequence[Any]) -> np.ndarray:
        """(Q, N) TracInCP."""
        return sum(self.decomposition(train, queries).values())

    def score_influence(
        self, train: Sequence[Any], queries: Sequence[Any], score: tuple[str, int]
    ) -> np.ndarray:
        """(Q, N): the query side is the gradient of −score: a proponent raises the score (DESIGN §2)."""
        return -sum(self.decomposition(train, queries, score=score).values())

    def self_influence(self, data: Sequence[Any]) -> np.ndarray:
        """(N,) Σ η ‖∇ℓ‖²."""
        total = np.zeros(len(data))
        for (_, rate), gradients in zip(self.checkpoints, self.gradients(data), strict=True):
            total += rate * sum((g * g).sum(1) for g in gradients.values()).numpy()
        return total


def prediction_score(outputs: Any, kind: str, target_class: int) -> torch.Tensor:
    """Logit, log_probability or margin (logit minus the largest other logit) of a class."""
    logits = logits_of(outputs)
    if kind == "logit":
        return logits[..., target_class]
    if kind == "log_probability":
        return logits.log_softmax(-1)[..., target_class]
    others = torch.cat([logits[..., :target_class], logits[..., target_class + 1 :]], dim=-1)
    return logits[..., target_class] - others.max(-1).values


def in_double(inputs: Any) -> Any:
    """The same inputs with every floating-point tensor in float64."""
    if isinstance(inputs, dict):
        return {key: in_double(value) for key, value in inputs.items()}
    return inputs.double() if inputs.is_floating_point() else inputs


def call(model: nn.Module, inputs: Any) -> Any:
    """Tensors are passed as the one argument, dicts as keyword arguments."""
    return model(**inputs) if isinstance(inputs, dict) else model(inputs)


def ranked_by_sorting(
    scores: np.ndarray, k: int, allowed: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """(proponents, opponents) of one query: sort everything, ties by index, no NaN, none forbidden."""
    indices = np.arange(len(scores))
    keep = ~np.isnan(scores) if allowed is None else ~np.isnan(scores) & allowed
    indices, kept = indices[keep], scores[keep]
    return indices[np.lexsort((indices, -kept))][:k], indices[np.lexsort((indices, kept))][:k]


def sketch_scores(
    rows: np.ndarray, norms: np.ndarray, queries: np.ndarray, rates: Sequence[float], ranking: str
) -> np.ndarray:
    """(Q, N) float64 scores from whole influence vectors: rows (K, N, d), norms (K, N), queries (Q, K, d)."""
    root = np.sqrt(np.asarray(rates, np.float64))
    stored = root[:, None, None] * norms.astype(np.float64)[..., None] * rows.astype(np.float64)  # (K, N, d)
    stored = np.concatenate(list(stored), axis=1)  # (N, K·d), the influence vectors
    asked = (root[None, :, None] * queries.astype(np.float64)).reshape(len(queries), -1)
    with np.errstate(invalid="ignore"):  # non-finite rows are part of what is tested
        scores = asked @ stored.T
    with np.errstate(divide="ignore", invalid="ignore"):
        if ranking in ("cosine", "relatif"):
            # ‖φ(x)‖ from the float32 norms: those of the fp16 rows are off by what rounding took away.
            scores = scores / np.sqrt(np.asarray(rates) @ np.square(norms.astype(np.float64)))
        if ranking == "cosine":
            scores = scores / np.linalg.norm(asked, axis=1)[:, None]
    return scores
