"""Which training examples look mislabelled or rare: rankings, percentiles, suggestions and reasons.

All inputs are arrays of K checkpoints × N examples as the engine measured them, none multiplied by the
learning rate. Every ranking points the same way: *higher = more suspicious*. A ranking is a reason to look,
never a verdict: rare but right examples rank as high as wrong ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tracin_viz.errors import InputError

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

#: Said wherever a ranking is shown.
DIRECTION = "more suspicious"


@dataclass(frozen=True)
class Measured:
    """What the rankings are made of: arrays (K, N), and (K,) learning rates."""

    self_influence: Floats
    loss: Floats
    margin: Floats
    learning_rates: Floats


@dataclass(frozen=True)
class Ranking:
    """A way to order training examples by suspicion.

    Attributes:
        name: The word used on the command line and in addresses.
        label: What a page calls it.
        explanation: One sentence for somebody who has never heard of gradients.
        good_for: When to choose it.
        score: From (K, N) measurements to (N,) scores.
    """

    name: str
    label: str
    explanation: str
    good_for: str
    score: Callable[[Measured], Floats]


def _self_influence(m: Measured) -> Floats:
    return np.asarray(m.learning_rates @ m.self_influence, dtype=np.float64)


def _gradient_norm(m: Measured) -> Floats:
    return np.asarray(np.sqrt(m.self_influence).mean(axis=0), dtype=np.float64)


def _loss(m: Measured) -> Floats:
    return np.asarray(m.loss.mean(axis=0), dtype=np.float64)


def _aum(m: Measured) -> Floats:
    return np.asarray(-m.margin.mean(axis=0), dtype=np.float64)


def _agreement(m: Measured) -> Floats:
    # NaN in one ranking makes the mean NaN: what cannot be measured cannot be agreed on.
    return np.asarray(
        np.mean([percentiles(_finite_or_nan(score(m))) for score in _SINGLE], axis=0), dtype=np.float64
    )


def _finite_or_nan(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, np.nan)


#: What "agreement" agrees on.
_SINGLE: tuple[Callable[[Measured], Floats], ...] = (_self_influence, _aum, _loss, _gradient_norm)


#: The rankings in the order in which pages offer them; the first is the default.
RANKINGS: dict[str, Ranking] = {
    ranking.name: ranking
    for ranking in (
        Ranking(
            "self-influence",
            "Self-influence",
            "How much the example taught the model about itself: high where the model could only get it "
            "right by memorising it.",
            "Wrong labels and rare examples, with proponents and opponents that say why. Needs checkpoints "
            "from while the loss was still falling.",
            _self_influence,
        ),
        Ranking(
            "aum",
            "Logit margin (AUM)",
            "How far, on average over training, another class was ahead of the given label.",
            "Wrong labels; as good as self-influence in most tests and steadier on late checkpoints.",
            _aum,
        ),
        Ranking(
            "loss",
            "Mean loss",
            "How wrong the model was about the given label, on average over the checkpoints.",
            "A simple cross-check; misses examples that were memorised early.",
            _loss,
        ),
        Ranking(
            "gradient-norm",
            "Gradient norm",
            "How hard the example still pulled at the model, every checkpoint counting the same.",
            "Comparing with self-influence when the learning rate changed a lot during training.",
            _gradient_norm,
        ),
        Ranking(
            "agreement",
            "Agreement of all four",
            "The mean of the percentiles that the example has in the four other rankings.",
            "A list in which no single ranking's blind spot decides. The four are related (two rest on "
            "gradients, two on outputs), so their votes are not four independent witnesses.",
            _agreement,
        ),
    )
}


#: Names of the rankings that "agreement" agrees on: all the others.
SINGLE: tuple[str, ...] = tuple(name for name in RANKINGS if name != "agreement")


def scores(
    ranking: str,
    *,
    self_influence: npt.ArrayLike,
    loss: npt.ArrayLike,
    margin: npt.ArrayLike,
    learning_rates: Sequence[float] | npt.NDArray[np.floating],
) -> Floats:
    """Score of every training example, higher = more suspicious.

    ``self-influence`` is Σ_i η_i‖g_i‖² (Pruthi et al. 2020, TracInCP of an example with itself);
    ``gradient-norm`` is the mean of ‖g_i‖ (as in EL2N/GraNd, Paul et al. 2021); ``aum`` is minus the mean
    logit margin (Pleiss et al. 2020); ``loss`` the mean loss; ``agreement`` the mean percentile in the four.

    Args:
        ranking: A key of ``RANKINGS``.
        self_influence: (K, N) ‖∇ℓ(w_i, z)‖², not multiplied by the learning rate.
        loss: (K, N) per-example loss.
        margin: (K, N) logit of the label minus the largest other logit.
        learning_rates: (K,) learning-rate weight η_i per checkpoint.

    Returns:
        (N,) float64; NaN where any measurement that the ranking uses is not finite at any checkpoint.

    Raises:
        InputError: The ranking is not known, or the arrays do not fit together.
    """
    if ranking not in RANKINGS:
        raise InputError(f"Ranking '{ranking}' is not known.", remedy=f"Possible: {', '.join(RANKINGS)}.")
    measured = Measured(
        *(np.asarray(array, dtype=np.float64) for array in (self_influence, loss, margin, learning_rates))
    )
    shape = measured.self_influence.shape
    if len(shape) != 2 or shape[0] == 0 or {measured.loss.shape, measured.margin.shape} != {shape}:
        raise InputError(
            "Self-influence, loss and margin must have one shape, checkpoints × examples; got "
            f"{shape}, {measured.loss.shape} and {measured.margin.shape}."
        )
    if measured.learning_rates.shape != shape[:1]:
        raise InputError(
            f"There are {shape[0]} checkpoints but learning rates of shape {measured.learning_rates.shape}."
        )
    if np.isnan(measured.learning_rates).any() or (measured.learning_rates < 0).any():
        raise InputError("A learning rate is missing or negative.", remedy="Give one rate per checkpoint.")
    with np.errstate(invalid="ignore", over="ignore"):  # what is not finite is flagged just below
        result = RANKINGS[ranking].score(measured)
    result[~np.isfinite(result)] = np.nan
    return result


def votes(percentiles_by_ranking: Sequence[Floats], *, top: float = 90.0) -> Rows:
    """In how many rankings each example is among the most suspicious.

    Args:
        percentiles_by_ranking: (N,) percentiles in each ranking, 0–100, NaN where it has none.
        top: From this percentile on.

    Returns:
        (N,) int64.
    """
    among = [np.nan_to_num(one, nan=-1.0) >= top for one in percentiles_by_ranking]
    return np.asarray(np.sum(among, axis=0), dtype=np.int64)


def order(values: npt.ArrayLike) -> Rows:
    """Rows from most to least suspicious; equal scores by row, NaN last.

    Args:
        values: (N,) scores, higher = more suspicious.
    """
    # A stable sort of the negated scores keeps equal scores in row order and numpy sorts NaN to the end.
    return np.argsort(-np.asarray(values, dtype=np.float64), kind="stable").astype(np.int64)


def percentiles(values: npt.ArrayLike) -> Floats:
    """Percentile of every score among the finite ones: "more suspicious than 98.7 % of the training set".

    Mid-ranks: equal scores share the middle of their places, so the mean over all is 50.

    Args:
        values: (N,) scores.

    Returns:
        (N,) float64 in 0–100, NaN where the score is NaN.
    """
    array = np.asarray(values, dtype=np.float64)
    finite = np.isfinite(array)
    result = np.full(array.shape, np.nan)
    if finite.any():
        kept = array[finite]
        ascending = np.sort(kept)
        below = np.searchsorted(ascending, kept, side="left")
        through = np.searchsorted(ascending, kept, side="right")
        result[finite] = 50.0 * (below + through) / len(kept)
    return result


def suggestions(
    labels: npt.ArrayLike, other: npt.ArrayLike, other_probability: npt.ArrayLike
) -> tuple[Rows, Floats]:
    """The class that each example might belong to instead of its label, and how sure the model was.

    Args:
        labels: (N,) class index given to each example.
        other: (K, N) most probable class that is not the label, per checkpoint.
        other_probability: (K, N) its probability.

    Returns:
        Suggested class (N,) int64: the one with the largest probability summed over the checkpoints where
        it was the most probable other class (equal sums: the smaller index; -1 where none was recorded),
        and its confidence (N,) float64 in 0–1: that sum divided by the number of checkpoints.
    """
    given = np.asarray(labels, dtype=np.int64)
    classes = np.asarray(other, dtype=np.int64)
    weights = np.nan_to_num(np.asarray(other_probability, dtype=np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    if classes.shape != weights.shape or classes.ndim != 2 or classes.shape[1:] != given.shape:
        raise InputError(
            "Labels (N,), other classes and their probabilities (K, N) must fit together; got "
            f"{given.shape}, {classes.shape} and {weights.shape}."
        )
    weights = np.where((classes == given) | (classes < 0), 0.0, weights)
    best = np.full(given.shape, -1, dtype=np.int64)
    total = np.zeros(given.shape)
    # K² comparisons of length N: K is small, while a table of N × classes would not always fit in memory.
    for candidate in classes:
        summed = np.where(classes == candidate, weights, 0.0).sum(axis=0)
        better = (summed > total) | ((summed == total) & (summed > 0) & (candidate < best))
        best = np.where(better, candidate, best)
        total = np.where(better, summed, total)
    return best, total / max(1, len(classes))
