"""What colours mean: each point in one category, no colour without a shape, never more than eight."""

from __future__ import annotations

import numpy as np
import pytest

from tracin_viz.audit import Grouping, Workspace
from tracin_viz.explore.clusters import ClusterSummary, Name
from tracin_viz.ui import map_colours
from tracin_viz.ui.components.scatter.points import PLAIN
from tracin_viz.ui.selection import SHOWN, mask_of, random_part


def grouping(clusters: int) -> Grouping:
    labels = np.arange(clusters * 10) % (clusters + 1) - 1
    places = np.random.default_rng(0).normal(size=(len(labels), 2)).astype(np.float32)
    places[3] = np.nan
    summaries = [
        ClusterSummary(n, Name("only", (f"<b>{n}</b>",)), int((labels == n).sum()), {}, 0.1, [])
        for n in reversed(range(clusters))
    ]
    return Grouping(np.arange(len(labels)) * 2, places, labels, tuple(summaries), 5)


@pytest.mark.parametrize("clusters", [0, 1, 12, 300])
def test_each_point_has_the_category_of_its_cluster(clusters: int):
    found = (
        grouping(clusters)
        if clusters
        else Grouping(np.arange(4), np.zeros((4, 2), "f4"), np.full(4, -1), (), 5)
    )
    painted = map_colours.by_cluster(found)
    categories = painted.colouring.categories
    for code, cluster in zip(painted.colouring.codes, found.clusters, strict=True):
        assert categories[code].name == (map_colours.NO_CLUSTER if cluster < 0 else f"<b>{cluster}</b>")
    assert np.bincount(painted.colouring.codes).tolist() == [one.count for one in categories]
    coloured = [one for one in categories if one.colour]
    assert len(coloured) == min(clusters, 8)
    assert len({one.colour for one in coloured}) == len({one.shape for one in coloured}) == len(coloured)
    assert all((one.shape == PLAIN) == (not one.colour) for one in categories)
    assert len(painted.labels) == min(clusters, map_colours.MOST_LABELS)
    assert all(np.isfinite([label.x, label.y]).all() for label in painted.labels)


def test_bands_follow_the_ranking_and_not_the_values():
    scores = np.random.default_rng(0).lognormal(0, 4, 10_000)
    scores[:5] = np.nan
    categories = map_colours.by_rank("x", scores).colouring.categories
    assert [round(one.count / 9_995, 2) for one in categories[:6]] == [0.5, 0.25, 0.15, 0.05, 0.04, 0.01]
    assert (categories[6].name, categories[6].count) == (map_colours.UNKNOWN, 5)
    for scores in (np.full(4, np.nan), np.zeros(4), np.zeros(0)):
        assert sum(one.count for one in map_colours.by_rank("x", scores).colouring.categories) == len(scores)


@pytest.mark.parametrize("by", ["cluster", "class", "predicted", "agreement", "suspicion", "loss"])
def test_every_colouring_of_an_audit_counts_each_example_once(workspace: Workspace, by: str):
    audit = workspace.open("tiny")
    assert by in map_colours.options(audit)
    found = audit.grouping()
    colouring = map_colours.paint(audit, found, audit.examples("train"), by).colouring
    assert sum(one.count for one in colouring.categories) == len(colouring.codes) == 48


def test_a_random_part_of_a_selection_is_a_part_of_it_and_can_be_drawn_again():
    rows = np.arange(0, 5_000, 3)
    part = random_part(rows, 0)
    assert len(part) == len(set(part)) == SHOWN
    assert set(part) <= set(rows)
    assert np.array_equal(part, random_part(rows, 0))
    assert not np.array_equal(part, random_part(rows, 1))
    assert np.array_equal(random_part(rows[:SHOWN], 3), rows[:SHOWN])


def test_a_selection_is_shown_on_a_map_of_part_of_the_examples():
    found = grouping(3)
    rows = np.array([0, 1, 2, 50, 10_000])
    assert found.rows[mask_of(found, rows)].tolist() == [0, 2, 50]
    assert not mask_of(found, rows[:0]).any()
