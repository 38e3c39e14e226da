from __future__ import annotations

import numpy as np
import pytest

from tracin_viz.errors import InputError
from tracin_viz.explore.clusters import EXEMPLARS, Clustering, cluster, default_size, describe

CLASSES = ("cat", "dog", "fox")


def islands(sizes=(60, 40, 30), seed=0):
    rng = np.random.default_rng(seed)
    member = np.repeat(np.arange(len(sizes)), sizes)
    places = np.array([[0, 0], [10, 0], [0, 10]])[member] + rng.normal(scale=0.3, size=(len(member), 2))
    shuffled = rng.permutation(len(member))
    return places[shuffled].astype(np.float32), member[shuffled]


def test_islands_are_found_numbered_by_falling_size():
    places, member = islands()
    found = cluster(places)
    inside = found.labels >= 0
    assert inside.mean() > 0.9
    assert (found.labels[inside] == member[inside]).all()
    assert (found.probabilities[~inside] == 0).all() and (found.probabilities[inside] > 0).all()


def test_examples_off_the_map_belong_to_no_cluster_and_change_nothing():
    places, _ = islands()
    spoiled = np.insert(places, [0, 50], np.nan, axis=0)
    found = cluster(spoiled)
    assert found.labels[[0, 51]].tolist() == [-1, -1] and found.probabilities[[0, 51]].tolist() == [0, 0]
    np.testing.assert_array_equal(np.delete(found.labels, [0, 51]), cluster(places).labels)


def test_a_larger_smallest_size_drops_the_small_island():
    places, member = islands()
    found = cluster(places, min_cluster_size=35, min_samples=5)
    assert found.labels.max() == 1
    assert set(found.labels[member == 0]) <= {0, -1} and (found.labels[member == 0] == 0).mean() > 0.9


@pytest.mark.parametrize("count", [0, 1, 2, 5, 6, 7])
def test_few_examples_never_fail(count):
    found = cluster(np.random.default_rng(0).normal(size=(count, 2)))
    assert len(found.labels) == count
    assert (
        describe(found, classes=CLASSES, given=np.zeros(count, int), suspects=np.zeros(count, bool)) == []
        or found.labels.max() >= 0
    )


def test_sizes_that_make_no_sense_are_refused():
    with pytest.raises(InputError, match="at least 2, got 1"):
        cluster(np.zeros((10, 2)), min_cluster_size=1)
    with pytest.raises(InputError, match="at least 1, got 0"):
        cluster(np.zeros((10, 2)), min_samples=0)
    assert (default_size(4), default_size(5000), default_size(100_000)) == (5, 14, 63)


def told(labels, given, suspects=(), predicted=None):
    labels = np.array(labels)
    marked = np.isin(np.arange(len(labels)), suspects)
    clustering = Clustering(
        labels, (labels >= 0).astype(np.float32), np.arange(2 * len(labels)).reshape(-1, 2)
    )
    return describe(
        clustering,
        classes=CLASSES,
        given=np.array(given),
        suspects=marked,
        predicted=None if predicted is None else np.array(predicted),
    )


def test_clusters_come_by_share_of_suspects_then_size():
    found = told([0, 0, 0, 1, 1, 2, 2, -1], [0, 0, 0, 1, 1, 2, 2, 0], suspects=[5, 7])
    assert [(one.id, one.size, one.suspect_share) for one in found] == [(2, 2, 0.5), (0, 3, 0.0), (1, 2, 0.0)]
    assert found[0].classes == {"fox": 2} and sorted(found[0].exemplars) == [5, 6]


@pytest.mark.parametrize(
    ("given", "predicted", "name"),
    [
        ([0] * 10, None, "cat"),
        ([0] * 7 + [1] * 3, None, "mostly cat, some dog"),
        ([0] * 98 + [1, 2], None, "mostly cat"),
        ([0, 0, 0, 1, 1, 1, 2, 2], None, "mixed: cat, dog, fox"),
        ([0] * 10, [1] * 6 + [0] * 4, "cat — model says dog"),
        ([0] * 10, [1] * 5 + [0] * 5, "cat"),
    ],
)
def test_names_say_what_is_inside(given, predicted, name):
    assert [one.name for one in told([0] * len(given), given, predicted=predicted)] == [name]


def test_names_are_unique():
    assert [one.name for one in told([0, 0, 1, 1], [0, 0, 0, 0])] == ["cat (1)", "cat (2)"]


def test_exemplars_are_the_strongest_members_nearest_to_the_middle():
    places = np.array([[float(i), 0.0] for i in range(41)])
    strength = np.ones(41, dtype=np.float32)
    strength[20] = 0.2  # the very middle, but hardly a member
    found = describe(
        Clustering(np.zeros(41, dtype=np.int64), strength, places),
        classes=CLASSES,
        given=np.zeros(41, int),
        suspects=np.zeros(41, bool),
    )
    assert found[0].exemplars == [19, 21, 18, 22, 17, 23, 16, 24, 15, 25, 14, 26]
    assert len(found[0].exemplars) == EXEMPLARS


def test_arrays_of_another_length_are_refused():
    with pytest.raises(InputError, match="3 clustered examples"):
        told([0, 0, 0], [0, 0])
