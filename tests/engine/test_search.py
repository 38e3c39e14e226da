"""Search must equal a full sort of scores computed from whole influence vectors in float64."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
import torch

from tests import oracles
from tracin_viz.engine.scan import all_scores
from tracin_viz.engine.search import Filter, Question, search
from tracin_viz.errors import EngineError

N, D, K, Q = 523, 96, 3, 5
RATES = (0.1, 0.05, 0.01)


def unit_rows(generator: np.random.Generator, n: int = N, checkpoints: int = K, d: int = D) -> np.ndarray:
    rows = generator.standard_normal((checkpoints, n, d))
    return (rows / np.linalg.norm(rows, axis=2, keepdims=True)).astype(np.float16)


@pytest.fixture
def store() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows (K, N, D) fp16, heavy-tailed norms (K, N), queries (Q, K, D)."""
    generator = np.random.default_rng(7)
    norms = np.exp(2 * generator.standard_normal((K, N))).astype(np.float32)
    return unit_rows(generator), norms, generator.standard_normal((Q, K, D)).astype(np.float32)


def blocks(rows, norms, *, edges=(0, 100, 101, 523)):
    for start, stop in itertools.pairwise(edges):
        yield slice(start, stop), [(r[start:stop], n[start:stop]) for r, n in zip(rows, norms, strict=True)]


def assert_equals_full_sort(result, scores, k, allowed=None):
    for query, expected in enumerate(scores):
        mine = None if allowed is None else allowed[query]
        proponents, opponents = oracles.ranked_by_sorting(expected, k, mine)
        for found, indices in ((result.proponents[query], proponents), (result.opponents[query], opponents)):
            np.testing.assert_array_equal(found.indices, indices)
            scale = np.abs(expected[np.isfinite(expected)]).max()
            np.testing.assert_allclose(found.scores, expected[indices], atol=2e-6 * scale, rtol=0)


@pytest.mark.parametrize("ranking", ["dot", "cosine", "relatif"])
@pytest.mark.parametrize("k", [1, 10, N, 10 * N])
def test_search_equals_full_argsort(store, ranking, k):
    rows, norms, queries = store
    result = search(blocks(rows, norms), Question(queries, RATES, ranking), k=k)
    assert_equals_full_sort(result, oracles.sketch_scores(rows, norms, queries, RATES, ranking), k)


def test_all_scores_equal_influence_vector_products(store):
    rows, norms, queries = store
    found = all_scores(blocks(rows, norms), Question(queries, RATES), total=N)
    assert oracles.relative_error(found, oracles.sketch_scores(rows, norms, queries, RATES, "dot")) < 1e-6


@pytest.mark.parametrize("kind", ["read-only map", "float16 tensor", "bfloat16 tensor", "float32 tensor"])
def test_storage_kind_changes_nothing(store, kind, tmp_path):
    rows, norms, queries = store
    if kind == "read-only map":
        np.save(tmp_path / "rows.npy", rows)
        stored = list(np.load(tmp_path / "rows.npy", mmap_mode="r"))
    else:
        stored = [torch.from_numpy(each).to(getattr(torch, kind.split()[0])) for each in rows]
        rows = np.stack([each.float().numpy() for each in stored])  # what bfloat16 has kept
    result = search(blocks(stored, norms), Question(queries, RATES), k=9)
    assert_equals_full_sort(result, oracles.sketch_scores(rows, norms, queries, RATES, "dot"), 9)


@pytest.mark.parametrize("edges", [(0, N), tuple(range(N + 1)), (0, 0, 250, N)])
def test_block_size_changes_nothing(store, edges):
    rows, norms, queries = store
    result = search(blocks(rows, norms, edges=edges), Question(queries, RATES), k=9)
    assert_equals_full_sort(result, oracles.sketch_scores(rows, norms, queries, RATES, "dot"), 9)


def test_conversion_in_small_pieces_changes_nothing(store, monkeypatch):
    rows, norms, queries = store
    monkeypatch.setattr("tracin_viz.engine.scan._PIECE_ON_CPU", 7 * D)
    monkeypatch.setattr("tracin_viz.engine.scan._PAIRS_AT_ONCE", 31 * Q)
    allowed = np.arange(N) % 3 != 1
    result = search(blocks(rows, norms), Question(queries, RATES, where=Filter(allowed)), k=9)
    expected = oracles.sketch_scores(rows, norms, queries, RATES, "dot")
    assert_equals_full_sort(result, expected, 9, [allowed] * Q)


@pytest.mark.parametrize("backwards", [False, True])
def test_ties_go_to_the_lower_index_whatever_the_block_order(backwards):
    # Numbers that every summation order adds exactly, so that ties are ties: 40 each of -2, -1, 0, 1, 2.
    rows = np.zeros((1, 200, 8), np.float16)
    rows[0, :, 0] = np.arange(200) % 5 - 2
    pieces = list(blocks(rows, np.ones((1, 200), np.float32), edges=(0, 33, 90, 200)))
    query = np.zeros((1, 1, 8), np.float32)
    query[..., 0] = 1
    result = search(pieces[::-1] if backwards else pieces, Question(query, [1.0]), k=50)
    expected = np.concatenate([np.arange(4, 200, 5), np.arange(3, 200, 5)[:10]])
    np.testing.assert_array_equal(result.proponents[0].indices, expected)
    expected = np.concatenate([np.arange(0, 200, 5), np.arange(1, 200, 5)[:10]])
    np.testing.assert_array_equal(result.opponents[0].indices, expected)


def test_mask_is_applied_inside_the_scan(store):
    rows, norms, queries = store
    allowed = np.zeros(N, bool)
    allowed[[3, 100, 101, 400, 522]] = True
    result = search(blocks(rows, norms), Question(queries, RATES, where=Filter(allowed)), k=10)
    expected = oracles.sketch_scores(rows, norms, queries, RATES, "dot")
    assert_equals_full_sort(result, expected, 10, [allowed] * Q)
    assert len(result.proponents[0].indices) == 5


def test_empty_mask_gives_empty_answers(store):
    rows, norms, queries = store
    result = search(blocks(rows, norms), Question(queries, RATES, where=Filter(np.zeros(N, bool))), k=10)
    assert all(len(each.indices) == 0 for each in (*result.proponents, *result.opponents))
    assert len(result.candidates()) == 0


def test_same_class_filter_equals_sorting_within_the_class(store):
    rows, norms, queries = store
    labels, asked = np.arange(N) % 4, np.array([0, 1, 1, 3, 9])
    allowed = np.arange(N) % 5 != 0
    where = Filter(allowed, labels, asked)
    result = search(blocks(rows, norms), Question(queries, RATES, where=where), k=10)
    expected = oracles.sketch_scores(rows, norms, queries, RATES, "dot")
    assert_equals_full_sort(result, expected, 10, [(labels == each) & allowed for each in asked])
    assert len(result.proponents[4].indices) == 0


@pytest.mark.parametrize("ranking", ["dot", "cosine", "relatif"])
def test_non_finite_and_zero_gradients_are_left_out_where_they_have_no_rank(store, ranking):
    rows, norms, queries = store
    rows, norms = rows.copy(), norms.copy()
    norms[:, 5], rows[:, 5] = 0, 0  # zero gradient: TracIn 0, no direction
    norms[1, 6] = np.nan
    norms[0, 7] = np.inf
    rows[2, 8, 3] = np.nan
    expected = oracles.sketch_scores(rows, norms, queries, RATES, ranking)
    expected[:, [6, 7, 8]] = np.nan
    if ranking == "dot":
        assert (expected[:, 5] == 0).all()
    else:
        assert np.isnan(expected[:, 5]).all()
    result = search(blocks(rows, norms), Question(queries, RATES, ranking), k=N)
    assert_equals_full_sort(result, expected, N)


def test_a_checkpoint_switched_off_is_not_even_read(store):
    rows, norms, queries = store
    broken = norms.copy()
    broken[1] = np.nan
    result = search(blocks(rows, broken), Question(queries, (0.1, 0.0, 0.01)), k=10)
    expected = oracles.sketch_scores(rows[[0, 2]], norms[[0, 2]], queries[:, [0, 2]], (0.1, 0.01), "dot")
    assert_equals_full_sort(result, expected, 10)


def test_a_zero_query_ties_in_dot_and_has_no_cosine(store):
    rows, norms, queries = store
    queries = queries.copy()
    queries[1] = 0
    dot = search(blocks(rows, norms), Question(queries, RATES), k=4)
    np.testing.assert_array_equal(dot.proponents[1].indices, [0, 1, 2, 3])
    cosine = search(blocks(rows, norms), Question(queries, RATES, "cosine"), k=4)
    assert [len(each.indices) for each in cosine.proponents] == [4, 0, 4, 4, 4]


@pytest.mark.parametrize("ranking", ["dot", "cosine", "relatif"])
def test_gradients_of_a_converged_model_do_not_underflow(store, ranking):
    rows, norms, queries = store
    norms, queries = norms * np.float32(1e-25), queries * np.float32(1e-25)
    result = search(blocks(rows, norms), Question(queries, RATES, ranking), k=10)
    expected = oracles.sketch_scores(rows, norms, queries, RATES, ranking)
    assert_equals_full_sort(result, expected, 10)
    assert (result.proponents[0].scores > 0).all()


def test_candidates_are_the_union_of_all_answers(store):
    rows, norms, queries = store
    result = search(blocks(rows, norms), Question(queries, RATES), k=3)
    everything = [i for each in (*result.proponents, *result.opponents) for i in each.indices]
    np.testing.assert_array_equal(result.candidates(), sorted(set(everything)))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"ranking": "euclid"}, "euclid.*dot, cosine, relatif"),
        ({"learning_rates": (0.1, 0.1)}, "do not fit 2 learning rates"),
        ({"learning_rates": (0.1, -0.1, 0.1)}, "not negative"),
        ({"queries": np.full((1, K, D), np.nan, np.float32)}, "not finite"),
        (
            {"where": Filter(labels=np.zeros(N, int), same_class_as=np.zeros(2, int))},
            "2 classes for 5 queries",
        ),
    ],
)
def test_nonsense_is_refused_with_what_would_be_possible(store, settings, words):
    with pytest.raises(EngineError) as caught:
        Question(**{"queries": store[2], "learning_rates": RATES, **settings})
    assert re.search(words, f"{caught.value.message} {caught.value.remedy}")


def test_blocks_that_do_not_fit_the_queries_are_refused(store):
    rows, norms, queries = store
    with pytest.raises(EngineError, match="2 checkpoints"):
        search(blocks(rows[:2], norms[:2]), Question(queries, RATES), k=1)
    with pytest.raises(EngineError, match="at checkpoint 0"):
        search(blocks(rows[:, :, :-1], norms), Question(queries, RATES), k=1)
    with pytest.raises(EngineError, match="0 strongest"):
        search(blocks(rows, norms), Question(queries, RATES), k=0)
    with pytest.raises(EngineError, match="not bool"):
        Filter(np.zeros(N, int))
    with pytest.raises(EngineError, match="classes of the stored"):
        Filter(same_class_as=np.zeros(Q, int))
