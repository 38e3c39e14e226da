"""How sure a share is that was counted on a few examples."""

from __future__ import annotations

import math

#: Two-sided 95 % of the normal distribution.
Z = 1.959963984540054


def wilson(found: int, among: int) -> tuple[float, float]:
    """Wilson's 95 % score interval of a proportion (Wilson 1927, JASA 22:209).

    Unlike the usual ± it stays within 0–1 and says something for 0 of 5 and 5 of 5.

    Args:
        found: How many had the property.
        among: How many were looked at, at least ``found``; none gives (0, 1): nothing is known.

    Raises:
        ValueError: The numbers cannot be.
    """
    if not 0 <= found <= among:
        raise ValueError(f"{found} of {among} is no proportion")
    if among == 0:
        return 0.0, 1.0
    share, z2 = found / among, Z * Z
    middle = (share + z2 / (2 * among)) / (1 + z2 / among)
    half = Z * math.sqrt(share * (1 - share) / among + z2 / (4 * among * among)) / (1 + z2 / among)
    return max(0.0, middle - half), min(1.0, middle + half)
