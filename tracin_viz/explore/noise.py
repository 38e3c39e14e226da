"""How many labels of a class are wrong, estimated only from examples that people looked at."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tracin_viz.errors import InputError

#: Two-sided 95 % of the normal distribution.
_Z = 1.959963984540054


@dataclass(frozen=True)
class Reviewed:
    """What people found among the examples with one given label.

    Attributes:
        name: The class.
        examples: Training examples with this label.
        reviewed: Of them, kept or relabelled; excluded and doubtful ones say nothing about the label.
        wrong: Of the reviewed, relabelled.
        undecided: Excluded, or marked for another look.
    """

    name: str
    examples: int
    reviewed: int
    wrong: int
    undecided: int

    @property
    def share(self) -> float | None:
        """Wrong labels among the reviewed; ``None`` where nothing was reviewed."""
        return self.wrong / self.reviewed if self.reviewed else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % interval of that share; ``None`` where nothing was reviewed."""
        return wilson(self.wrong, self.reviewed) if self.reviewed else None


def wilson(found: int, asked: int) -> tuple[float, float]:
    """95 % interval of a share, given ``found`` of ``asked`` (Wilson 1927, J. Am. Stat. Assoc. 22, 209–212).

    Unlike the usual ±, it is sensible for few examples and for shares near 0 and 1.

    Raises:
        InputError: Nothing was asked, or more was found than asked.
    """
    if not 0 <= found <= asked or asked == 0:
        raise InputError(f"{found} of {asked} is no share.")
    share, weight = found / asked, _Z * _Z / asked
    middle = share + weight / 2
    spread = _Z * math.sqrt(share * (1 - share) / asked + weight / (4 * asked))
    low, high = (middle - spread) / (1 + weight), (middle + spread) / (1 + weight)
    # Rounding must not leave 1e-17 where the interval begins at nothing.
    return (0.0 if found == 0 else low), (1.0 if found == asked else high)
