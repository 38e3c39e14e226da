"""Rare but right or labelled wrongly: neighbours against a slow twin, and planted examples of both kinds."""

from __future__ import annotations

import numpy as np
import pytest

from tracin_viz.explore import rarity
from tracin_viz.explore.rarity import SIGNS, neighbour_agreement, signs, suspects_to_ask


def slow_share(embeddings, labels, row, neighbours):
    length = np.linalg.norm(embeddings, axis=1)
    alike = [
        (float(embeddings[other] @ embeddings[row] / length[other] / length[row]), other)
        for other in range(len(labels))
        if other != row and labels[other] >= 0 and length[other] > 0
    ]
    nearest = sorted(alike, reverse=True)[:neighbours]
    return sum(labels[other] == labels[row] for _, other in nearest) / len(nearest)


@pytest.mark.parametrize("count", [4, 60, 1_100])
def test_shares_of_neighbours_are_those_of_sorting_all_of_them(count):
    draw = np.random.default_rng(count)
    embeddings = draw.normal(size=(count, 6)).astype(np.float32)
    labels = draw.integers(-1, 3, count)
    embeddings[1] = 0.0
    labels[:2] = 1, 2
    rows = np.array([0, 1, 2, 3, *range(4, count, 3)])
    found = neighbour_agreement(embeddings, labels, rows, neighbours=5)
    for row, share in zip(rows.tolist(), found, strict=True):
        if labels[row] < 0 or row == 1:
            assert np.isnan(share)
        else:
            assert share == pytest.approx(slow_share(embeddings, labels, row, 5))


def test_a_part_of_many_references_gives_about_the_same_shares():
    draw = np.random.default_rng(5)
    labels = np.repeat([0, 1, 2], 1_000)
    embeddings = draw.normal(size=(3_000, 8)) + 2.0 * np.eye(8)[labels]
    rows = np.arange(0, 3_000, 7)
    whole = neighbour_agreement(embeddings, labels, rows)
    part = neighbour_agreement(embeddings, labels, rows, references=1_000)
    assert abs(whole.mean() - part.mean()) < 0.05
    assert np.corrcoef(whole, part)[0, 1] > 0.7


def test_only_the_most_suspicious_are_asked():
    percentiles = np.array([95.0, np.nan, 90.0, 89.9, 99.0])
    assert suspects_to_ask(percentiles).tolist() == [4, 0, 2]
    assert suspects_to_ask(percentiles, most=1).tolist() == [4]


def test_a_sign_needs_both_witnesses():
    labels = np.zeros(6, dtype=np.int64)
    #                       right  wrong  late-only  neighbours-only  half  not suspicious
    predicted = np.array([[1, 1, 1, 1, 0, 0], [0, 1, 0, 1, 0, 0], [0, 1, 0, 1, 1, 0], [0, 1, 0, 1, 0, 0]])
    agreement = np.array([0.9, 0.1, 0.1, 0.9, 0.9, 0.9])
    percentiles = np.array([99.0, 99.0, 99.0, 99.0, 99.0, 50.0])
    found = signs(percentiles, labels, predicted, agreement)
    assert [SIGNS[code] for code in found] == ["rare", "wrong", "unclear", "unclear", "unclear", "usual"]
    unknown = signs(percentiles, labels, predicted, np.full(6, np.nan))
    assert [SIGNS[code] for code in unknown] == ["unclear"] * 5 + ["usual"]
    assert rarity.late_agreement(labels, predicted)[:5].tolist() == [1.0, 0.0, 1.0, 0.0, 0.5]
