"""A search that leaves out what is too short must answer as one that reads everything."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import oracles
from tracin_viz.engine import bounded
from tracin_viz.engine.bounded import search_bounded
from tracin_viz.engine.search import Filter, Question, search
from tracin_viz.errors import EngineError

N, D, K = 523, 96, 3
RATES = (0.1, 0.05, 0.01)
EDGES = (0, 100, 101, 101, N)


@pytest.fixture
def store(monkeypatch):
    """Rows (K, N, D) fp16 of unit norm, heavy-tailed norms (K, N), queries (5, K, D); few scored first."""
    monkeypatch.setattr(bounded, "FIRST_EACH", 3)
    monkeypatch.setattr(bounded, "PICKED_BYTES", 40 * K * D * 2)
    draw = np.random.default_rng(7)
    rows = draw.standard_normal((K, N, D))
    rows = (rows / np.linalg.norm(rows, axis=2, keepdims=True)).astype(np.float16)
    norms = np.exp(2 * draw.standard_normal(N) + 0.2 * draw.standard_normal((K, N))).astype(np.float32)
    return rows, norms, draw.standard_normal((5, K, D)).astype(np.float32)


def blocks(rows, norms, edges=EDGES):
    return [
        (slice(start, stop), [(r[start:stop], n[start:stop]) for r, n in zip(rows, norms, strict=True)])
        for start, stop in itertools.pairwise(edges)
    ]


def assert_same(found, expected):
    for mine, other in zip(
        (*found.proponents, *found.opponents), (*expected.proponents, *expected.opponents), strict=True
    ):
        np.testing.assert_array_equal(mine.indices, other.indices)
        scale = np.abs(other.scores).max(initial=0)
        np.testing.assert_allclose(mine.scores, other.scores, atol=2e-6 * scale)


@pytest.mark.parametrize("ranking", ["dot", "cosine", "relatif"])
@pytest.mark.parametrize("k", [1, 10, N])
@pytest.mark.parametrize("number", [1, 5])
def test_bounded_search_equals_sorting_all_scores(store, ranking, k, number):
    rows, norms, queries = store
    asked = Question(queries[:number], RATES, ranking)
    found = search_bounded(blocks(rows, norms), asked, k=k)
    for query, scores in enumerate(oracles.sketch_scores(rows, norms, queries[:number], RATES, ranking)):
        proponents, opponents = oracles.ranked_by_sorting(scores, k, None)
        np.testing.assert_array_equal(found.proponents[query].indices, proponents)
        np.testing.assert_array_equal(found.opponents[query].indices, opponents)
        scale = np.abs(scores).max()
        np.testing.assert_allclose(found.opponents[query].scores, scores[opponents], atol=2e-6 * scale)


def test_what_is_too_short_is_not_read(store):
    rows, norms, queries = store
    asked = Question(queries[:1], RATES)
    expected = search(blocks(rows, norms), asked, k=5)
    floor = min(abs(expected.proponents[0].scores[-1]), abs(expected.opponents[0].scores[-1]))
    lengths = np.linalg.norm(queries[0].astype(np.float64), axis=1)
    short = (np.array(RATES) * lengths) @ norms < 0.9 * floor
    assert short.mean() > 0.5
    broken = rows.copy()
    broken[:, short] = np.nan  # any use of them would be a NaN
    assert_same(search_bounded(blocks(broken, norms), asked, k=5), expected)


# Whole numbers along the axes: every order of adding them gives the same bits, so ties are ties.
@settings(max_examples=60, deadline=None)
@given(
    axes=st.lists(st.tuples(st.integers(0, 3), st.sampled_from([-1, 1]), st.integers(0, 6)), max_size=60),
    query=st.tuples(*[st.integers(-3, 3)] * 4),
    k=st.integers(1, 4),
    ranking=st.sampled_from(["dot", "cosine", "relatif"]),
    banned=st.sets(st.integers(0, 59)),
)
def test_ties_go_to_the_lower_index_whatever_is_scored_first(axes, query, k, ranking, banned):
    rows = np.zeros((1, len(axes), 4), np.float16)
    for place, (axis, sign, _) in enumerate(axes):
        rows[0, place, axis] = sign
    norms = np.array([[length for *_, length in axes]], np.float32).reshape(1, -1)
    allowed = np.array([place not in banned for place in range(len(axes))], dtype=bool)
    asked = Question(np.array([[query]], np.float32), [1.0], ranking, Filter(allowed))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bounded, "FIRST_EACH", 1)
        patch.setattr(bounded, "PICKED_BYTES", 5 * 4 * 2)
        patch.setattr(bounded, "WORTHWHILE", 1.0)
        stored = blocks(rows, norms, (0, len(axes) // 3, len(axes)))
        found, expected = search_bounded(stored, asked, k=k), search(stored, asked, k=k)
    for mine, other in zip(
        (*found.proponents, *found.opponents), (*expected.proponents, *expected.opponents), strict=True
    ):
        np.testing.assert_array_equal(mine.indices, other.indices)
        np.testing.assert_array_equal(mine.scores, other.scores)


def test_rows_that_rounding_made_longer_than_one_are_not_lost(monkeypatch):
    # All point the way of the query, so each score is as large as its bound: rounding alone decides.
    monkeypatch.setattr(bounded, "FIRST_EACH", 1)
    monkeypatch.setattr(bounded, "WORTHWHILE", 1.0)
    draw = np.random.default_rng(3)
    query = draw.standard_normal(D)
    row = query / np.linalg.norm(query)
    rows = np.repeat(row[None, None], N, axis=1).astype(np.float16)
    norms = (1 + 1e-4 * draw.random((1, N))).astype(np.float32)
    asked = Question(query[None, None].astype(np.float32), [1.0])
    stored = blocks(rows, norms)
    assert_same(search_bounded(stored, asked, k=4), search(stored, asked, k=4))


def test_filters_hold_and_so_does_the_class_of_each_query(store):
    rows, norms, queries = store
    labels, classes = np.arange(N) % 4, np.array([0, 1, 1, 3, 9])
    where = Filter(np.arange(N) % 5 != 0, labels, classes)
    asked = Question(queries, RATES, where=where)
    found = search_bounded(blocks(rows, norms), asked, k=6)
    assert_same(found, search(blocks(rows, norms), asked, k=6))
    assert len(found.proponents[4].indices) == 0
    nothing = Question(queries, RATES, where=Filter(np.zeros(N, bool)))
    assert len(search_bounded(blocks(rows, norms), nothing, k=6).candidates()) == 0


@pytest.mark.parametrize("ranking", ["dot", "cosine", "relatif"])
def test_gradients_without_a_rank_are_left_out_and_hide_no_other(store, ranking):
    rows, norms, queries = store
    norms = norms.copy()
    norms[:, 5] = 0
    norms[1, 6] = np.nan
    norms[0, 7] = np.inf
    asked = Question(queries[:1], RATES, ranking)
    stored = blocks(rows, norms)
    found = search_bounded(stored, asked, k=20)
    assert_same(found, search(stored, asked, k=20))
    assert not np.isin([6, 7], found.candidates()).any()
    zero = Question(0 * queries[:1], RATES, ranking)
    assert_same(search_bounded(stored, zero, k=20), search(stored, zero, k=20))


def test_the_work_can_be_stopped_between_pieces(store):
    rows, norms, queries = store

    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search_bounded(blocks(rows, norms), Question(queries, RATES), k=5, on_piece=stop)


def test_blocks_that_do_not_fit_are_refused_as_by_search(store):
    rows, norms, queries = store
    with pytest.raises(EngineError, match="2 checkpoints"):
        search_bounded(blocks(rows[:2], norms[:2]), Question(queries, RATES), k=1)
    with pytest.raises(EngineError, match="at checkpoint 0"):
        search_bounded(blocks(rows[:, :, :-1], norms), Question(queries, RATES), k=1)
    with pytest.raises(EngineError, match="0 strongest"):
        search_bounded(blocks(rows, norms), Question(queries, RATES), k=0)
