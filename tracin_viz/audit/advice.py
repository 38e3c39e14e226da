"""Advice before a run: which checkpoints tell most, how long it takes, how much disk it needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tracin_viz.config import CheckpointInfo
from tracin_viz.explore.checkpoint_choice import converged, steep

#: Checkpoints that are suggested; more add little (DESIGN §2).
SUGGESTED = 5
#: Time of a gradient unit in forward passes of the same examples: forward, backward, per-example products.
_PASSES = 5.0
#: Bytes of one example at one checkpoint beside its sketch: embedding, measurements, norm.
_BESIDE = 400


@dataclass(frozen=True)
class CheckpointAdvice:
    """What is suggested about the checkpoints of a run.

    Attributes:
        suggested: Steps of those where the training loss fell most; all where it is not known.
        known: Whether the loss is known, so that the suggestion means something.
        warnings: Plain words by step.
    """

    suggested: tuple[int, ...]
    known: bool
    warnings: dict[int, str]


def advice(checkpoints: Sequence[CheckpointInfo], classes: int) -> CheckpointAdvice:
    """Which checkpoints tell most.

    Args:
        checkpoints: By rising step.
        classes: Number of classes: the loss of guessing is its logarithm.
    """
    steps = [one.step for one in checkpoints]
    losses = [one.train_loss for one in checkpoints]
    known = all(loss is not None for loss in losses) and len(steps) > 1
    places = steep(steps, losses, SUGGESTED, classes=classes or None) if known else range(len(steps))
    warnings = converged(steps, losses, classes=classes or None) if steps else {}
    return CheckpointAdvice(
        tuple(steps[place] for place in places),
        known,
        {steps[place]: text for place, text in warnings.items()},
    )


def size_of_run(
    splits: Mapping[str, int], checkpoints: int, sketch_dim: int, seconds_per_example: float | None
) -> tuple[float | None, int]:
    """Roughly how long a run takes and what it stores.

    Args:
        splits: Examples per split.
        checkpoints: How many are computed.
        sketch_dim: Numbers per sketch.
        seconds_per_example: Of one forward pass on this computer, where it was measured.

    Returns:
        Seconds (``None`` where nothing was measured) and bytes.
    """
    passes = sum(splits.values()) * checkpoints
    seconds = None if seconds_per_example is None else _PASSES * passes * seconds_per_example
    return seconds, passes * (2 * sketch_dim + _BESIDE)
