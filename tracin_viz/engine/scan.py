"""Scores of stored gradient sketches, streamed block by block with bounded memory.

A store holds, per checkpoint, one *unit-norm* sketch row and one float32 norm for each training example.
Rows are converted to float32 in pieces that stay in the processor's cache: every product is a float32
product, whatever the storage, and one query costs little more than reading the rows once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

from tracin_viz.engine.question import Filter, Question
from tracin_viz.errors import EngineError

# One converted piece holds this many float32 numbers: 1 MiB per CPU thread, which fits a core's own cache
# (four times larger pieces measured 1.5 times slower), and enough to fill a GPU.
_PIECE_ON_CPU = 1 << 18
_PIECE_ON_GPU = 1 << 26
# Scores of this many (example, query) pairs are gathered before anything is selected from them.
_PAIRS_AT_ONCE = 1 << 22
# No stored row is longer than this: rows have unit norm before they are rounded to 11 or 8 significant bits.
# It covers the rounding of the float32 products as well.
_UNIT = 1.01

Rows = Any  # (b, d) fp16, bf16 or float32: numpy array, memory map or torch tensor on any device
Block = tuple[slice, Sequence[tuple[Rows, Rows]]]


def scan(blocks: Iterable[Block], question: Question) -> Iterator[tuple[np.ndarray, torch.Tensor]]:
    """Score every stored example that the filter lets through.

    Args:
        blocks: (slice of example indices, one (rows, norm) per checkpoint) in any order and of any size; rows
            (b, d) of unit norm, norm (b,). They may be memory maps; each is read once.
        question: Queries, weights, ranking and filter.

    Yields:
        ``indices`` (b',) int64 and ``scores`` (b', Q) float32 on the rows' device, for queries of unit ‖φ‖:
        multiply by ``question.factors()``. (The product of two small gradients underflows in float32, and
        then everything would tie at zero.) Examples that cannot be ranked, or that the filter forbids for a
        query, score NaN: non-finite gradients always, zero gradients for the normalised rankings, everything
        for a zero query under cosine.

    Raises:
        EngineError: A block does not have the queries' number of checkpoints or sketch dimension.
    """
    queries = question.unit_queries()
    for place, parts in blocks:
        check_block(place, parts, question)
        chosen = np.flatnonzero(wanted(place, question.where))
        step = max(1, _PAIRS_AT_ONCE // max(1, len(queries)))
        for start in range(0, len(chosen), step):
            local = chosen[start : start + step]
            indices = local + place.start
            scores = _score(local, parts, question, queries)
            _forbid_other_classes(scores, indices, question.where)
            yield indices, scores


def all_scores(blocks: Iterable[Block], question: Question, *, total: int) -> np.ndarray:
    """The (Q, total) float64 scores of all examples, NaN where one was left out of the :func:`scan`."""
    out = np.full((len(question.queries), total), np.nan)
    for indices, scores in scan(blocks, question):
        out[:, indices] = scores.T.cpu().numpy() * question.factors()[:, None]
    return out


def bounds(norms: np.ndarray, question: Question) -> np.ndarray:
    """What no |score| of :func:`scan` exceeds, from the norms alone.

    Args:
        norms: (K, n) of the stored rows.
        question: Queries, weights and ranking; its filter is not applied.

    Returns:
        (n, Q) float32; NaN where an example cannot be ranked, infinite where a norm is.
    """
    weights = _weights(np.arange(norms.shape[1]), [(None, row) for row in norms], question)  # (A, n)
    active = question.unit_queries()[:, question.active].astype(np.float64)
    lengths = np.sqrt(np.square(active).sum(axis=2)).astype(np.float32)  # (Q, A)
    with np.errstate(invalid="ignore", over="ignore"):
        found: np.ndarray = (weights.T @ lengths.T) * np.float32(_UNIT)
    return found


def wanted(place: slice, where: Filter) -> np.ndarray:
    """(b,) which examples of a block at least one query may be answered with."""
    keep = np.ones(place.stop - place.start, dtype=np.bool_)
    if where.allowed is not None:
        keep &= where.allowed[place]
    if where.labels is not None and where.same_class_as is not None:
        keep &= np.isin(where.labels[place], where.same_class_as)
    return keep


def _forbid_other_classes(scores: torch.Tensor, indices: np.ndarray, where: Filter) -> None:
    if where.labels is None or where.same_class_as is None:
        return
    other = where.labels[indices][:, None] != where.same_class_as[None, :]  # (b, Q)
    scores.masked_fill_(torch.from_numpy(other).to(scores.device), float("nan"))


def _score(
    local: np.ndarray, parts: Sequence[tuple[Rows, Rows]], question: Question, queries: np.ndarray
) -> torch.Tensor:
    """(b, Q) scores of the positions ``local`` of one block, NaN where they are not finite."""
    device = _device(parts)
    scores = torch.zeros(len(local), len(queries), device=device)
    for checkpoint, weight in zip(question.active, _weights(local, parts, question), strict=True):
        query = torch.from_numpy(np.ascontiguousarray(queries[:, checkpoint].T))  # (d, Q)
        rows = _as_tensor(parts[checkpoint][0])
        _accumulate(scores, rows, local, torch.from_numpy(weight).to(device), query.to(device))
    return scores.masked_fill_(~torch.isfinite(scores), float("nan"))


def _weights(local: np.ndarray, parts: Sequence[tuple[Rows, Rows]], question: Question) -> np.ndarray:
    """(A, b) float32 factor of each row: η·norm, divided by ‖φ‖ for the normalised rankings.

    Worked out in float64, because a norm of 1e-25 has a square too; NaN where ‖φ‖ is zero.
    """
    active = question.active
    rates = np.asarray(question.learning_rates, dtype=np.float64)[active, None]
    lengths = np.empty((len(active), len(local)))
    for row, checkpoint in enumerate(active):
        lengths[row] = _to_numpy(parts[checkpoint][1])[local]
    weights = rates * lengths
    if question.ranking != "dot":
        length = np.sqrt((rates * np.square(lengths)).sum(axis=0))  # ‖φ(x)‖ (b,)
        weights /= np.where((length > 0) & np.isfinite(length), length, np.nan)
    return weights.astype(np.float32)


def _accumulate(
    scores: torch.Tensor, rows: torch.Tensor, local: np.ndarray, weight: torch.Tensor, query: torch.Tensor
) -> None:
    """``scores[j] += weight[j] · rows[local[j]] @ query`` piece by piece, in float32."""
    dimension = query.shape[0]
    limit = _PIECE_ON_CPU * torch.get_num_threads() if rows.device.type == "cpu" else _PIECE_ON_GPU
    size = max(1, min(len(local), limit // dimension))
    buffer = torch.empty(size, dimension, device=scores.device)
    product = torch.empty(len(local), query.shape[1], device=scores.device)
    # Two calls for each piece and one weighting at the end: with one query the calls themselves are felt.
    if len(local) == len(rows):
        for piece, out in zip(torch.split(rows, size), torch.split(product, size), strict=True):
            torch.mm(buffer[: len(piece)].copy_(piece), query, out=out)  # (c, d) x (d, Q) -> (c, Q)
    else:
        places = torch.from_numpy(local).to(rows.device)
        for picked, out in zip(torch.split(places, size), torch.split(product, size), strict=True):
            torch.mm(buffer[: len(picked)].copy_(rows.index_select(0, picked)), query, out=out)
    scores.addcmul_(product, weight[:, None])


def check_block(place: slice, parts: Sequence[tuple[Rows, Rows]], question: Question) -> None:
    """Refuse a block that was not stored with the queries' checkpoints and sketch settings.

    Raises:
        EngineError: It was not.
    """
    _, checkpoints, dimension = question.queries.shape
    if len(parts) != checkpoints:
        raise EngineError(
            f"Stored block {place.start}:{place.stop} has {len(parts)} checkpoints, "
            f"the queries have {checkpoints}.",
            remedy="Measure the queries at exactly the checkpoints that are searched.",
        )
    expected = (place.stop - place.start, dimension)
    for number, (rows, norm) in enumerate(parts):
        if tuple(rows.shape) != expected or tuple(norm.shape) != expected[:1]:
            raise EngineError(
                f"Stored block {place.start}:{place.stop} at checkpoint {number} has rows "
                f"{tuple(rows.shape)} and norms {tuple(norm.shape)}; the queries ask for rows {expected}.",
                remedy="Measure the queries with the sketch settings of the stored run.",
            )


def _device(parts: Sequence[tuple[Rows, Rows]]) -> torch.device:
    rows = parts[0][0] if parts else None
    return rows.device if isinstance(rows, torch.Tensor) else torch.device("cpu")


def _to_numpy(values: Rows) -> np.ndarray:
    return values.cpu().numpy() if isinstance(values, torch.Tensor) else np.asarray(values)


class _ReadOnlyView:
    """An array's memory declared writable, because torch warns about read-only maps; it is never written."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array
        interface = dict(array.__array_interface__)
        interface["data"] = (interface["data"][0], False)
        self.__array_interface__ = interface


def _as_tensor(rows: Rows) -> torch.Tensor:
    """The same memory as a torch tensor, without a copy and without torch's read-only warning."""
    if isinstance(rows, torch.Tensor):
        return rows
    array = np.asarray(rows)
    if array.size == 0:
        return torch.empty(array.shape)
    return torch.from_numpy(array if array.flags.writeable else np.asarray(_ReadOnlyView(array)))
