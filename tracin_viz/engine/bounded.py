"""The answer of ``search``, found by reading only the examples that can be in it.

Stored rows have unit norm, so no score is larger than what the lengths of its gradients allow
(Cauchy-Schwarz; pruning by length in maximum inner product search: Teflioudi et al. 2015, LEMP):

    |score(x)| ≤ bound(x) = Σ_i η_i · norm_i(x) · ‖q_i‖

Gradient norms are heavy-tailed: of a converged model most examples have short gradients. The examples with
the largest bounds are scored first; what the k-th best of them reached is a floor that most bounds are below.
Nothing is estimated: an example that is left out could not have changed the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from tracin_viz.engine.question import Filter, Question
from tracin_viz.engine.scan import Block, bounds, check_block, scan, wanted
from tracin_viz.engine.search import SearchResult, Strongest, search

Rows = npt.NDArray[np.int64]

#: Examples that are scored first, for each that is asked for: their floor is near the final one.
FIRST_EACH = 40
#: Where more than this share can still be in the answer, picking rows costs more than reading all of them.
WORTHWHILE = 0.4
#: Bytes of rows that are picked at once.
PICKED_BYTES = 48 << 20


def search_bounded(
    blocks: Sequence[Block], question: Question, *, k: int, on_piece: Callable[[], None] = lambda: None
) -> SearchResult:
    """Rank the stored examples like ``search``, reading as few of them as their norms allow.

    Args:
        blocks: As for ``search``, of arrays or memory maps, ascending and without gaps from 0 on.
        question: As for ``search``. Many queries at once leave little out.
        k: As for ``search``.
        on_piece: Called between pieces of the work; may raise.

    Returns:
        What ``search`` returns; scores may differ in their last bits.

    Raises:
        EngineError: As ``search``.
    """
    strongest = Strongest(question, k)
    if not blocks:
        return strongest.result()
    for place, parts in blocks:
        check_block(place, parts, question)
    checkpoints = range(question.queries.shape[1])
    norms = np.stack([np.concatenate([parts[number][1] for _, parts in blocks]) for number in checkpoints])
    limits = bounds(norms, question)  # (n, Q)
    asked = np.concatenate([wanted(place, question.where) for place, _ in blocks])
    most = np.where(asked, limits.max(axis=1), np.nan)
    first = _largest(most, FIRST_EACH * k)
    for piece in _pieces(first, blocks):
        on_piece()
        _score(piece, blocks, question, strongest)
    rest = np.flatnonzero(_open(limits, strongest) & ~np.isnan(most))
    if len(rest) > WORTHWHILE * len(most):
        return search(_told(blocks, on_piece), question, k=k)
    for piece in _pieces(np.setdiff1d(rest, first, assume_unique=True), blocks):
        on_piece()
        # What was found meanwhile may have closed some of them.
        _score(piece[_open(limits[piece], strongest)], blocks, question, strongest)
    return strongest.result()


def _open(limits: npt.NDArray[np.float32], strongest: Strongest) -> npt.NDArray[np.bool_]:
    """(b,) which examples may still change an answer, by their (b, Q) bounds; never those without one."""
    found = np.any(limits >= strongest.floors(), axis=1)
    return np.asarray(found, dtype=np.bool_)


def _largest(values: npt.NDArray[np.float32], count: int) -> Rows:
    """Ascending places of the ``count`` largest values; NaN is never among them."""
    known = np.flatnonzero(~np.isnan(values))
    if len(known) > count:
        known = known[np.argpartition(-values[known], count - 1)[:count]]
    return np.sort(known)


def _told(blocks: Iterable[Block], on_piece: Callable[[], None]) -> Iterator[Block]:
    for block in blocks:
        on_piece()
        yield block


def _pieces(chosen: Rows, blocks: Sequence[Block]) -> Iterator[Rows]:
    """``chosen`` in pieces whose rows are picked at once."""
    each = sum(rows.shape[1] * rows.dtype.itemsize for rows, _ in blocks[0][1])
    size = max(1, PICKED_BYTES // max(1, each))
    for start in range(0, len(chosen), size):
        yield chosen[start : start + size]


def _score(chosen: Rows, blocks: Sequence[Block], question: Question, strongest: Strongest) -> None:
    """Offer the scores of the examples ``chosen``, which are picked from the blocks into one."""
    if not len(chosen):
        return
    where = question.where
    labels = None if where.labels is None else where.labels[chosen]
    narrowed = replace(question, where=Filter(None, labels, where.same_class_as))
    for indices, scores in scan([_picked(chosen, blocks)], narrowed):
        strongest.offer(chosen[indices], scores)


def _picked(chosen: Rows, blocks: Sequence[Block]) -> Block:
    """The examples ``chosen``, ascending, as a block of their own."""
    edges = np.searchsorted(chosen, [place.start for place, _ in blocks] + [blocks[-1][0].stop])
    first = blocks[0][1]
    rows = [np.empty((len(chosen), part.shape[1]), part.dtype) for part, _ in first]
    norms = [np.empty(len(chosen), norm.dtype) for _, norm in first]
    for (place, parts), begin, end in zip(blocks, edges[:-1], edges[1:], strict=True):
        if begin == end:
            continue
        inside = chosen[begin:end] - place.start
        for (stored, lengths), row, norm in zip(parts, rows, norms, strict=True):
            # "clip" writes where it is told; "raise" goes by way of a copy. No place is outside.
            np.take(stored, inside, axis=0, out=row[begin:end], mode="clip")
            np.take(lengths, inside, out=norm[begin:end], mode="clip")
    return slice(0, len(chosen)), list(zip(rows, norms, strict=True))
