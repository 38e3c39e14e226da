"""True scores in float64, batches of one, plain autograd; and how far what a tool returned is from them."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.workloads import Sizes, Workload

TOGETHER = 8  # training gradients that are multiplied with those of the queries at once


@dataclass(frozen=True)
class Truth:
    """What the scores are.

    Attributes:
        influence: (Q, N).
        itself: (N,) self-influence.
    """

    influence: np.ndarray
    itself: np.ndarray


def truth_of(name: str, work: Workload, sizes: Sizes, folder: Path) -> Truth:
    """The true scores of a workload, computed once and then read from ``folder``."""
    file = folder / f"truth-{name}-{'-'.join(str(size) for size in sizes)}.npz"
    if file.exists():
        kept = np.load(file, allow_pickle=False)
        return Truth(kept["influence"], kept["itself"])
    found = judged(work)
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(file, influence=found.influence, itself=found.itself)
    return found


def judged(work: Workload) -> Truth:
    """TracInCP by its definition: one backward pass per example and checkpoint.

    All gradients of the queries are held (Q × parameters in float64), those of the training examples a few at
    a time: a ResNet's for all examples would fill tens of gigabytes.
    """
    model = copy.deepcopy(work.model).cpu().double().eval()
    influence = np.zeros((len(work.queries), len(work.train)))
    itself = np.zeros(len(work.train))
    for state, rate in zip(work.states, work.rates, strict=True):
        model.load_state_dict(state)
        model.double()
        asked = torch.stack([_gradient(model, *example) for example in work.queries])  # (Q, P)
        for start in range(0, len(work.train), TOGETHER):
            places = range(start, min(start + TOGETHER, len(work.train)))
            block = torch.stack([_gradient(model, *work.train[place]) for place in places])  # (b, P)
            influence[:, start : places.stop] += rate * (asked @ block.T).numpy()
            itself[start : places.stop] += rate * (block * block).sum(1).numpy()
    return Truth(influence, itself)


def _gradient(model: nn.Module, *example: Tensor) -> Tensor:
    """∇ℓ of one example over all parameters, flat, float64."""
    *inputs, label = (tensor[None] for tensor in example)
    inputs = [tensor.double() if tensor.is_floating_point() else tensor for tensor in inputs]
    loss = functional.cross_entropy(model(*inputs), label, reduction="sum")
    parameters = [p for p in model.parameters() if p.requires_grad]
    grads = torch.autograd.grad(loss, parameters, allow_unused=True)
    return torch.cat(
        [
            torch.zeros_like(p).flatten() if g is None else g.flatten()
            for p, g in zip(parameters, grads, strict=True)
        ]
    )


def accuracy(found: np.ndarray, true: np.ndarray) -> dict[str, float]:
    """How good scores are: (Q, N) against (Q, N), or (N,) against (N,), which counts as one query.

    Returns:
        ``error``: max |difference| / max |true score|, the worst query (DESIGN §3). ``spearman``: mean rank
        correlation per query. ``top``: mean share of the true strongest ten of both signs (of the largest ten
        for self-influence; of half where there are fewer than twenty) that are among the ten found.
    """
    found, true = np.atleast_2d(np.asarray(found, np.float64)), np.atleast_2d(true)
    if found.shape != true.shape:
        raise ValueError(f"scores of shape {found.shape} instead of {true.shape}")
    error = (np.abs(found - true).max(1) / np.abs(true).max(1)).max()
    signs = (1,) if len(true) == 1 else (1, -1)
    count = max(1, min(10, true.shape[1] // 2))
    shares = [
        len(set(np.argsort(-sign * one)[:count]) & set(np.argsort(-sign * two)[:count])) / count
        for one, two in zip(found, true, strict=True)
        for sign in signs
    ]
    ranks = [spearmanr(one, two).statistic for one, two in zip(found, true, strict=True)]
    return {"error": float(error), "spearman": float(np.mean(ranks)), "top": float(np.mean(shares))}
