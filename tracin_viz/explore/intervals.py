"""Intervals: over seeds of a training, and over the test examples that happened to be there."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LEVEL = 0.95
RESAMPLES = 2000
_AT_ONCE = 2_000_000  # drawn rows held in memory


@dataclass(frozen=True)
class Interval:
    """A mean with its interval.

    Attributes:
        mean: The mean; ``None`` where nothing was measured.
        low: Lower end, ``None`` where there is no interval (a single value).
        high: Upper end.
        over: What varies: ``"seeds"`` or ``"examples"``.
        count: How many of those.
    """

    mean: float | None
    low: float | None
    high: float | None
    over: str
    count: int

    @property
    def sign(self) -> int:
        """+1 or −1 where the whole interval lies on that side of zero; 0 = not clear."""
        if self.low is None or self.high is None:
            return 0
        return int(self.low > 0) - int(self.high < 0)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, with ``level`` and ``sign``."""
        return {**asdict(self), "level": LEVEL, "sign": self.sign}


def over_seeds(values: npt.ArrayLike) -> Interval:
    """Mean of (s,) values of independent seeds, with Student's interval of s − 1 degrees of freedom.

    For a difference give the differences of pairs that share a seed: what the seed does to both cancels.
    """
    from scipy import stats

    found = np.asarray(values, dtype=np.float64)
    count = len(found)
    if not count:
        return Interval(None, None, None, "seeds", 0)
    mean = float(found.mean())
    if count < 2:
        return Interval(mean, None, None, "seeds", count)
    half = float(stats.t.ppf(0.5 + LEVEL / 2, count - 1) * found.std(ddof=1) / np.sqrt(count))
    return Interval(mean, mean - half, mean + half, "seeds", count)


def over_examples(values: npt.ArrayLike, *, seed: int = 0) -> Interval:
    """Mean of (n,) values of test examples, with the percentile bootstrap over these (Efron 1979).

    It covers that other test examples could have been drawn, and nothing else.

    Args:
        values: One per example; what is not finite is left out.
        seed: Of the resampling: the same values give the same interval.
    """
    found = np.asarray(values, dtype=np.float64)
    found = found[np.isfinite(found)]
    count = len(found)
    if not count:
        return Interval(None, None, None, "examples", 0)
    mean = float(found.mean())
    if count < 2:
        return Interval(mean, None, None, "examples", count)
    random = np.random.default_rng(seed)
    means: list[Floats] = []
    at_once = max(1, _AT_ONCE // count)
    for first in range(0, RESAMPLES, at_once):
        drawn = random.integers(0, count, size=(min(at_once, RESAMPLES - first), count))
        means.append(found[drawn].mean(axis=1))
    low, high = np.quantile(np.concatenate(means), [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
    return Interval(mean, float(low), float(high), "examples", count)
