"""How far an export or import is, told to whoever asked for it."""

from __future__ import annotations

from collections.abc import Callable

#: Told how much is done, and of how much; what it raises stops the work, which leaves nothing behind.
Progress = Callable[[int, int], None]


def silent(done: int, total: int) -> None:
    """Tell nobody."""


def shifted(told: Progress, *, before: int, total: int) -> Progress:
    """``told`` for one part of a larger work, of which ``before`` is done when the part begins."""

    def forward(done: int, _: int) -> None:
        told(before + done, total)

    return forward
