"""Planted wrong labels: as many as asked for, really wrong, and known."""

from __future__ import annotations

import numpy as np
import pytest

from tracin_viz.errors import InputError
from tracin_viz.explore.planting import plant

CLASSES = np.arange(200) % 4


def test_exactly_the_planted_labels_differ():
    changed, rows = plant(CLASSES, 5, seed=1, classes=4)
    assert len(rows) == 10
    assert np.flatnonzero(changed != CLASSES).tolist() == rows.tolist()
    assert changed.min() >= 0
    assert changed.max() <= 3


def test_the_confused_class_is_the_most_probable_wrong_one():
    outputs = np.random.default_rng(0).normal(size=(200, 4)).astype(np.float32)
    changed, rows = plant(CLASSES, 10, seed=1, classes=4, outputs=outputs)
    for row in rows.tolist():
        assert changed[row] == next(one for one in np.argsort(-outputs[row]) if one != CLASSES[row])


def test_of_several_labels_one_is_set_the_other_way_round():
    labels = (np.random.default_rng(0).random((60, 5)) > 0.5).astype(np.float32)
    changed, rows = plant(labels, 20, seed=2)
    assert (changed != labels).sum(axis=1)[rows].tolist() == [1] * 12
    assert (changed != labels).sum() == 12


def test_a_number_becomes_another_one_of_the_data():
    numbers = np.repeat(np.arange(5, dtype=np.float32), 8)
    changed, rows = plant(numbers, 25, seed=3)
    assert len(rows) == 10
    assert (changed[rows] != numbers[rows]).all()
    assert set(changed) <= set(numbers)


def test_seeds_choose_other_rows_and_the_same_seed_the_same():
    assert np.array_equal(plant(CLASSES, 5, seed=1, classes=4)[1], plant(CLASSES, 5, seed=1, classes=4)[1])
    assert not np.array_equal(
        plant(CLASSES, 5, seed=1, classes=4)[1], plant(CLASSES, 5, seed=2, classes=4)[1]
    )


@pytest.mark.parametrize(("percent", "classes"), [(0, 4), (60, 4), (0.01, 4), (5, 1)])
def test_what_cannot_be_planted_is_refused(percent: float, classes: int):
    with pytest.raises(InputError):
        plant(CLASSES, percent, seed=0, classes=classes)


def test_equal_numbers_cannot_be_made_wrong():
    with pytest.raises(InputError, match="equal"):
        plant(np.ones(10, np.float32), 10, seed=0)
