"""How often training saw each example between two checkpoints: what turns TracIn's sums into loss units.

A step of stochastic gradient descent on a batch of b examples moves the weights by −η/b times the sum of
their gradients. Between two checkpoints S examples are seen, each of N about S/N times, so an example
contributes η · S/(N·b) · g; with momentum μ every gradient is applied 1/(1 − μ) times over the steps that
follow. TracInCP leaves these factors out, because rankings do not need them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tracin_viz.config import CheckpointInfo


@dataclass(frozen=True)
class Exposure:
    """What each checkpoint's term is multiplied with, or why that is not known.

    Attributes:
        factors: S_i/(N·b) · 1/(1 − μ) by checkpoint; all 1 where it is not known.
        unknown: ``""`` where it is known; else ``"epochs"`` (nobody wrote down how many examples were seen
            between checkpoints), ``"optimizer"`` (which optimizer trained is not known) or ``"adaptive"``
            (one that divides each gradient, such as Adam).
        batch_size: Examples per step, where known.
        momentum: μ, where known.
    """

    factors: tuple[float, ...]
    unknown: str
    batch_size: float | None = None
    momentum: float | None = None


def exposure(
    checkpoints: Sequence[CheckpointInfo],
    used: Sequence[int],
    examples: int,
    optimizer: Mapping[str, Any] | None,
) -> Exposure:
    """The factors of the checkpoints in use.

    Args:
        checkpoints: All checkpoints of the audit by rising step: the interval of one begins at the one
            before, also where that is switched off.
        used: Places of those in use.
        examples: N, training examples.
        optimizer: Name and settings of the optimizer, as ``models.optimizer_facts`` describes it.
    """
    plain = tuple(1.0 for _ in used)
    name = str((optimizer or {}).get("name") or "unknown")
    if name != "SGD":
        return Exposure(plain, "optimizer" if name == "unknown" else "adaptive")
    momentum = float((optimizer or {}).get("momentum") or 0.0)
    step, epoch, visits, batch_size = 0, 0.0, [], 0.0
    for one in checkpoints:
        # Where a file counts epochs only, its step is the epoch: nothing says how many steps that were.
        if one.epoch is None or one.epoch <= epoch or one.step <= step or one.step == round(one.epoch):
            return Exposure(plain, "epochs")
        seen = (one.epoch - epoch) * examples  # S
        batch_size = seen / (one.step - step)  # b
        visits.append(seen / (examples * batch_size))
        step, epoch = one.step, one.epoch
    applied = 1.0 / (1.0 - momentum) if 0.0 <= momentum < 1.0 else 1.0
    return Exposure(tuple(visits[place] * applied for place in used), "", batch_size, momentum)
