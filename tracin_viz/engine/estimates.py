"""How far sketched scores are from exact ones, from pairs of which both are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tracin_viz.errors import InputError

Numbers = npt.NDArray[np.floating]


@dataclass(frozen=True)
class SketchError:
    """Error of a sketched score ⟨φ(z), φ(z')⟩ in units of ‖φ(z)‖ ‖φ(z')‖.

    The error of a random projection grows with both norms, so this one number serves all pairs: a score is
    off by about ``relative_rms · ‖φ(z)‖ ‖φ(z')‖`` (one standard error), whatever its size.

    Attributes:
        pairs: Pairs it was measured on (finite, and neither norm zero).
        relative_rms: Root mean square of (sketched − exact) / (‖φ(z)‖ ‖φ(z')‖); NaN without pairs.
        bias: Mean of the same; random projections have none. Of pairs that the sketch itself picked out as
            strongest it is positive among proponents: some of them are there by their error.
        rms: Root mean square of sketched − exact, in units of the score.
    """

    pairs: int
    relative_rms: float
    bias: float
    rms: float

    def standard_error(self, norms: Numbers, query_norms: Numbers) -> Numbers:
        """Expected error of each score, (Q, N), from ‖φ‖ of examples (N,) and queries (Q,)."""
        found: Numbers = self.relative_rms * np.outer(query_norms, norms)
        return found


def sketch_error(sketched: Numbers, exact: Numbers, norms: Numbers, query_norms: Numbers) -> SketchError:
    """The error of sketched scores, from exact ones of the same pairs.

    Args:
        sketched: Scores (Q, n) from sketches.
        exact: The same scores exactly.
        norms: ‖φ(z)‖ of the examples, (n,): √(Σ_i η_i ‖∇ℓ(w_i, z)‖²).
        query_norms: ‖φ(z')‖ of the queries, (Q,).

    Raises:
        InputError: The shapes do not belong together.
    """
    shape = (len(query_norms), len(norms))
    if np.shape(sketched) != shape or np.shape(exact) != shape:
        raise InputError(
            f"Scores of {np.shape(sketched)} and {np.shape(exact)} pairs do not belong to {shape} norms."
        )
    difference = np.asarray(sketched, np.float64) - np.asarray(exact, np.float64)
    scale = np.outer(np.asarray(query_norms, np.float64), np.asarray(norms, np.float64))
    usable = np.isfinite(difference) & np.isfinite(scale) & (scale > 0)
    if not usable.any():
        return SketchError(0, float("nan"), float("nan"), float("nan"))
    relative = difference[usable] / scale[usable]
    return SketchError(
        pairs=int(usable.sum()),
        relative_rms=float(np.sqrt(np.square(relative).mean())),
        bias=float(relative.mean()),
        rms=float(np.sqrt(np.square(difference[usable]).mean())),
    )
