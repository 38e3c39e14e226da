"""Rare but right, or labelled wrongly? Two witnesses beside self-influence.

High self-influence says that the model had to memorise an example (Feldman & Zhang 2020, arXiv 2008.03703),
which wrong labels and rare right ones share. Two further witnesses tell many of them apart: what the model
predicts late in training, and which labels the examples have that look most alike to it (as in the search for
wrong labels by nearest neighbours, Bahri et al. 2020, arXiv 2004.12289). Where both agree with the label it
is probably right; where both disagree it is probably wrong; otherwise nothing is claimed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from tracin_viz.errors import InputError

Sign: TypeAlias = Literal["wrong", "rare", "unclear", "usual"]
#: In the order of the codes that ``signs`` gives.
SIGNS: tuple[Sign, ...] = ("wrong", "rare", "unclear", "usual")

#: Suspects are examples from this percentile of self-influence on.
HIGH = 90.0
#: Nearest examples that are asked.
NEIGHBOURS = 10
#: Examples that can be neighbours: more add time, and hardly change a share among ten.
REFERENCES = 20_000
#: Suspects that get the witness of their neighbours at most, the most suspicious.
MOST = 10_000
_BLOCK = 512

Floats = npt.NDArray[np.float64]


def suspects_to_ask(
    percentiles: npt.ArrayLike, *, high: float = HIGH, most: int = MOST
) -> npt.NDArray[np.int64]:
    """Rows from percentile ``high`` on, at most ``most``, the most suspicious first; NaN never."""
    values = np.nan_to_num(np.asarray(percentiles, dtype=np.float64), nan=-1.0)
    rows = np.flatnonzero(values >= high)
    order: npt.NDArray[np.int64] = rows[np.argsort(-values[rows], kind="stable")][:most]
    return order


def neighbour_agreement(
    embeddings: npt.NDArray[np.floating],
    labels: npt.NDArray[np.integer],
    rows: npt.NDArray[np.integer],
    *,
    neighbours: int = NEIGHBOURS,
    references: int = REFERENCES,
    seed: int = 0,
    stop: Callable[[], None] | None = None,
) -> Floats:
    """Share of each row's nearest labelled examples (cosine of embeddings) that have its label.

    Args:
        embeddings: (N, e), any float type, memory maps too.
        labels: (N,) class; -1 = none. Examples without a label are nobody's neighbour.
        rows: (m,) rows asked about.
        neighbours: Nearest examples asked; fewer where there are fewer. The example itself is none of them.
        references: Examples that can be neighbours, drawn at random where there are more.
        seed: Of that draw.
        stop: Called now and then; may raise.

    Returns:
        (m,) float64 in 0–1; NaN for rows without a label or a usable embedding, and where there is nobody.

    Raises:
        InputError: The arrays do not fit together.
    """
    if embeddings.ndim != 2 or len(embeddings) != len(labels):
        raise InputError(f"Embeddings {embeddings.shape} do not fit {len(labels)} labels.")
    known = np.flatnonzero(np.asarray(labels) >= 0)
    if len(known) > references:
        known = np.sort(np.random.default_rng(seed).choice(known, references, replace=False))
    pool, usable = _unit(embeddings[known])
    pool, known = pool[usable], known[usable]
    result = np.full(len(rows), np.nan)
    for start in range(0, len(rows), _BLOCK):
        if stop is not None:
            stop()
        part = np.asarray(rows[start : start + _BLOCK])
        asked, fine = _unit(embeddings[part])
        alike = asked @ pool.T  # (b, p)
        alike[part[:, None] == known] = -np.inf  # itself
        result[start : start + _BLOCK] = _shares(alike, labels[known], labels[part], fine, neighbours)
    return result


def signs(
    percentiles: npt.ArrayLike,
    labels: npt.NDArray[np.integer],
    predicted: npt.NDArray[np.integer],
    agreement: npt.ArrayLike,
    *,
    high: float = HIGH,
) -> npt.NDArray[np.int8]:
    """What speaks for and against each label, as places in ``SIGNS``.

    Args:
        percentiles: (N,) of self-influence, 0–100, NaN where not known.
        labels: (N,) class given.
        predicted: (K, N) class predicted at each checkpoint, in their order.
        agreement: (N,) share of neighbours with the same label, NaN where not asked.
        high: Below this percentile an example is not suspicious.
    """
    suspicion = np.nan_to_num(np.asarray(percentiles, dtype=np.float64), nan=-1.0)
    shares = np.asarray(agreement, dtype=np.float64)
    late = late_agreement(labels, predicted)
    found = np.full(len(suspicion), SIGNS.index("unclear"), dtype=np.int8)
    with np.errstate(invalid="ignore"):
        found[(late == 1.0) & (shares >= 0.5)] = SIGNS.index("rare")
        found[(late == 0.0) & (shares < 0.5)] = SIGNS.index("wrong")
    found[suspicion < high] = SIGNS.index("usual")
    return found


def late_agreement(labels: npt.NDArray[np.integer], predicted: npt.NDArray[np.integer]) -> Floats:
    """Share of the later half of the checkpoints (at least one) that predict the label; (N,) in 0–1."""
    last = predicted[-max(1, len(predicted) // 2) :]
    return np.asarray((last == labels).mean(axis=0), dtype=np.float64)


def _unit(block: npt.NDArray[np.floating]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Rows of length one, and which rows have a direction."""
    values = np.asarray(block, dtype=np.float32)
    usable = np.asarray(np.isfinite(values).all(axis=1), dtype=np.bool_)
    values = np.where(usable[:, None], values, 0.0)
    length = np.linalg.norm(values, axis=1)
    usable &= length > 0
    return (values / np.where(length > 0, length, 1.0)[:, None]).astype(np.float32), usable


def _shares(
    alike: npt.NDArray[np.float32],
    theirs: npt.NDArray[np.integer],
    own: npt.NDArray[np.integer],
    usable: npt.NDArray[np.bool_],
    neighbours: int,
) -> Floats:
    count = min(neighbours, alike.shape[1])
    if count < 1:
        return np.full(len(alike), np.nan)
    nearest = np.argpartition(-alike, count - 1, axis=1)[:, :count]
    real = np.take_along_axis(alike, nearest, axis=1) > -np.inf  # not the example itself
    same = (theirs[nearest] == own[:, None]) & real
    asked = real.sum(axis=1)
    shares = np.where(asked > 0, same.sum(axis=1) / np.maximum(asked, 1), np.nan)
    return np.where(usable & (own >= 0), shares, np.nan)
