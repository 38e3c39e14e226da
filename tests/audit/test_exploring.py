"""Clusters with other settings: found anew from the kept coordinates, described like those of the run."""

from __future__ import annotations

import numpy as np
import pytest

from tracin_viz.audit import Workspace
from tracin_viz.errors import InputError
from tracin_viz.explore.clusters import cluster


def test_the_run_s_clusters_and_other_ones_are_those_of_hdbscan_on_the_map(workspace: Workspace):
    audit = workspace.open("tiny")
    table = audit.results.map()
    stored = audit.grouping()
    assert np.array_equal(stored.clusters, table["cluster"])
    assert np.array_equal(stored.coordinates, table[["x", "y"]].to_numpy(), equal_nan=True)
    for size, cautious in ((2, 1), (3, None), (20, None)):
        found = audit.grouping(smallest=size, cautious=cautious)
        expected = cluster(stored.coordinates, min_cluster_size=size, min_samples=cautious)
        assert np.array_equal(found.clusters, expected.labels)
        assert {one.id: one.size for one in found.summaries} == {
            number: int((expected.labels == number).sum()) for number in set(expected.labels.tolist()) - {-1}
        }
        for one in found.summaries:
            assert set(found.clusters[one.exemplars]) == {one.id}
    assert audit.clusters(smallest=3)["noise"] == int((audit.grouping(smallest=3).clusters < 0).sum())
    with pytest.raises(InputError, match="at least 2"):
        audit.grouping(smallest=1)


def test_exemplars_within_a_class_are_training_rows(workspace: Workspace):
    audit = workspace.open("tiny")
    found = audit.grouping(within_class="cross", smallest=2, cautious=1)
    labels = audit.examples("train")["label"].to_numpy()
    assert (labels[found.rows] == "cross").all()
    assert found.summaries
    for one in found.summaries:
        assert (labels[one.exemplars] == "cross").all()
        assert set(found.clusters[np.searchsorted(found.rows, one.exemplars)]) == {one.id}
