"""Which steps of a training are kept as checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tracin_viz.errors import InputError
from tracin_viz.record.log import TrainingLog

#: The first step that is kept where the caller names none; each later one has twice as many steps.
FIRST_KEPT = 16
#: Steps whose mean loss is looked at, and how far it must have fallen since the last checkpoint.
LOOKED_AT = 16
FALLEN = 0.8


class Falling:
    """Keeps a checkpoint wherever the loss has fallen by a fifth: those tell most about the examples."""

    def __init__(self) -> None:
        self._level: float | None = None

    def has(self, log: TrainingLog) -> bool:
        """Whether the loss fell far enough; the first look only notes where it began."""
        loss = log.recent_loss(LOOKED_AT)
        if loss is None:
            return False
        if self._level is None:
            self._level = loss
            return True
        if loss > FALLEN * self._level:
            return False
        self._level = loss
        return True


def wanted_steps(save_at: int | Iterable[int] | None, *, name: object) -> Callable[[int], bool]:
    """Whether a step is to be kept.

    Raises:
        InputError: ``save_at`` makes no sense, or its ``name`` is not known.
    """
    if isinstance(name, str) and name != "falling":
        raise InputError(f"`save_at` is '{name}'.", remedy="Possible: 'falling', a number, or steps.")
    if save_at is None:
        return _is_doubled
    if isinstance(save_at, int):
        if save_at < 1:
            raise InputError(f"`save_at` must be positive, got {save_at}.")
        return lambda step: step % save_at == 0
    steps = frozenset(save_at)
    if not steps or any(not isinstance(step, int) or step < 1 for step in steps):
        raise InputError(
            "`save_at` must name steps from 1 on.", remedy="Example: save_at=(50, 100, 200), or save_at=100."
        )
    return steps.__contains__


def _is_doubled(step: int) -> bool:
    times, rest = divmod(step, FIRST_KEPT)
    return times > 0 and rest == 0 and times & (times - 1) == 0
