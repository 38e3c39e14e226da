"""Scores of stored gradient sketches, streamed block by block with bounded memory.

A store holds, per checkpoint, one *unit-norm* sketch row and one float32 norm for each training example.
For query sketches q_i the score of example x is (DESIGN §2, TracInCP of Pruthi et al. 2020, eq. 2)

    score(x) = Σ_i η_i · norm_i(x) · ⟨row_i(x), q_i⟩

and the influence vector behind it is φ(x) = [√η_i · norm_i(x) · row_i(x)], so ‖φ(x)‖² = Σ_i η_i norm_i(x)².
Rows are converted to float32 in pieces that stay in the processor's cache: every product is a float32
product, whatever the storage, and one query costs little more than reading the rows once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from tracin_viz.errors import EngineError

RANKINGS = ("dot", "cosine", "relatif")

# One converted piece holds this many float32 numbers: 1 MiB per CPU thread, which fits a core's own cache
# (four times larger pieces measured 1.5 times slower), and enough to fill a GPU.
_PIECE_ON_CPU = 1 << 18
_PIECE_ON_GPU = 1 << 26
# Scores of this many (example, query) pairs are gathered before anything is selected from them.
_PAIRS_AT_ONCE = 1 << 22

Rows = Any  # (b, d) fp16, bf16 or float32: numpy array, memory map or torch tensor on any device
Block = tuple[slice, Sequence[tuple[Rows, Rows]]]


@dataclass(frozen=True)
class Filter:
    """Which examples a query may be answered with; applied inside the scan, not after it.

    Attributes:
        allowed: (n,) bool, or None for all: examples that may appear for any query.
        labels: (n,) int classes of the stored examples; needed for ``same_class_as``.
        same_class_as: (Q,) int class of each query: only examples of that class may answer it.
    """

    allowed: np.ndarray | None = None
    labels: np.ndarray | None = None
    same_class_as: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.allowed is not None and self.allowed.dtype != np.bool_:
            raise EngineError(
                f"The filter of allowed examples has type {self.allowed.dtype}, not bool.",
                remedy="Give one True or False for each stored example.",
            )
        if self.same_class_as is not None and self.labels is None:
            raise EngineError(
                "A same-class filter was asked for without the classes of the stored examples.",
                remedy="Give labels=, one class index for each stored example.",
            )


@dataclass(frozen=True)
class Question:
    """What is asked of a scan.

    Attributes:
        queries: (Q, K, d) raw float32 sketches of the queries, one per checkpoint.
        learning_rates: (K,) weight η of each checkpoint; 0 switches a checkpoint off.
        ranking: "dot" (TracInCP), "cosine" (of the influence vectors φ) or "relatif" (TracInCP divided by the
            *stored* example's ‖φ‖, after Barshan et al. 2020: large gradients no longer answer everything).
        where: Filter on the stored examples.
    """

    queries: np.ndarray
    learning_rates: Sequence[float] | np.ndarray
    ranking: str = "dot"
    where: Filter = field(default_factory=Filter)

    def __post_init__(self) -> None:
        if self.ranking not in RANKINGS:
            raise EngineError(
                f"There is no ranking called {self.ranking!r}.",
                remedy=f"Choose one of {', '.join(RANKINGS)}.",
            )
        if self.queries.ndim != 3 or self.queries.shape[1] != len(self.learning_rates):
            raise EngineError(
                f"Query sketches of shape {self.queries.shape} do not fit "
                f"{len(self.learning_rates)} learning rates.",
                remedy="Give an array of shape (queries, checkpoints, sketch dimension).",
            )
        rates = np.asarray(self.learning_rates, dtype=np.float64)
        if not np.isfinite(rates).all() or (rates < 0).any():
            raise EngineError(
                f"Learning rates must be finite and not negative, got {rates.tolist()}.",
                remedy="Give the rate that was used before each checkpoint; 0 switches a checkpoint off.",
            )
        if not np.isfinite(self.queries[:, rates > 0]).all():
            raise EngineError(
                "A query's gradient sketch is not finite, so nothing can be ranked by it.",
                remedy="Look at the query's loss at each checkpoint; leave out checkpoints that diverged.",
            )
        classes = self.where.same_class_as
        if classes is not None and len(classes) != len(self.queries):
            raise EngineError(
                f"The same-class filter names {len(classes)} classes for {len(self.queries)} queries.",
                remedy="Give one class index for each query.",
            )

    @property
    def active(self) -> np.ndarray:
        """(A,) indices of the checkpoints that are switched on."""
        return np.flatnonzero(np.asarray(self.learning_rates) > 0)

    def query_norms(self) -> np.ndarray:
        """(Q,) float64 ‖φ‖ of each query."""
        rates = np.asarray(self.learning_rates, dtype=np.float64)[self.active]
        squares = np.square(self.queries[:, self.active].astype(np.float64)).sum(axis=2)  # (Q, A)
        norms: np.ndarray = np.sqrt(squares @ rates)
        return norms

    def unit_queries(self) -> np.ndarray:
        """(Q, K, d) float32 sketches divided by the query's ‖φ‖; a zero query stays 0, or NaN for cosine."""
        norms = self.query_norms()
        zero = np.nan if self.ranking == "cosine" else 1.0
        divisor = np.where(norms > 0, norms, zero)
        return (self.queries / divisor[:, None, None]).astype(np.float32)

    def factors(self) -> np.ndarray:
        """(Q,) float64 by which the scores of unit queries are multiplied."""
        return np.ones(len(self.queries)) if self.ranking == "cosine" else self.query_norms()


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
        _check_block(place, parts, question)
        wanted = _wanted(place, question.where)
        step = max(1, _PAIRS_AT_ONCE // max(1, len(queries)))
        for start in range(0, len(wanted), step):
            local = wanted[start : start + step]
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


def _wanted(place: slice, where: Filter) -> np.ndarray:
    """Positions inside the block that at least one query may be answered with."""
    keep = np.ones(place.stop - place.start, dtype=np.bool_)
    if where.allowed is not None:
        keep &= where.allowed[place]
    if where.labels is not None and where.same_class_as is not None:
        keep &= np.isin(where.labels[place], where.same_class_as)
    return np.flatnonzero(keep)


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
    product = torch.empty(size, query.shape[1], device=scores.device)
    whole = len(local) == len(rows)
    for start in range(0, len(local), size):
        stop = min(start + size, len(local))
        piece = slice(0, stop - start)
        if whole:
            buffer[piece].copy_(rows[start:stop])
        else:
            picked = torch.from_numpy(local[start:stop]).to(rows.device)
            buffer[piece].copy_(rows.index_select(0, picked))
        torch.mm(buffer[piece], query, out=product[piece])  # (c, d) x (d, Q) -> (c, Q)
        scores[start:stop].addcmul_(product[piece], weight[start:stop, None])


def _check_block(place: slice, parts: Sequence[tuple[Rows, Rows]], question: Question) -> None:
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
