"""A wrong order of classes is told from a bad model, and neither is seen where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from tracin_viz.explore.class_order import check_order


def predictions(
    generator: np.random.Generator, *, n: int, classes: int, right: float
) -> tuple[np.ndarray, np.ndarray]:
    labels = generator.integers(classes, size=n)
    wrong = generator.random(n) > right
    return np.where(wrong, generator.integers(classes, size=n), labels), labels


@pytest.mark.parametrize("classes", [2, 3, 10, 40])
@pytest.mark.parametrize("right", [0.7, 1.0])
def test_a_permutation_is_found_and_named(classes: int, right: float):
    generator = np.random.default_rng(classes)
    meant, labels = predictions(generator, n=400, classes=classes, right=right)
    order = np.roll(np.arange(classes), 1)
    verdict = check_order(np.argsort(order)[meant], labels, classes)
    assert verdict.wrong
    np.testing.assert_array_equal(np.asarray(verdict.order)[np.argsort(order)[meant]], meant)
    assert verdict.other_accuracy > verdict.accuracy + 0.3


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(
    ("classes", "right", "n"), [(2, 0.0, 200), (10, 0.0, 200), (10, 0.6, 60), (50, 0.3, 200)]
)
def test_no_other_order_is_claimed_where_there_is_none(seed: int, classes: int, right: float, n: int):
    predicted, labels = predictions(np.random.default_rng(seed), n=n, classes=classes, right=right)
    verdict = check_order(predicted, labels, classes)
    assert not verdict.wrong
    assert verdict.order == tuple(range(classes))
    assert verdict.accuracy == np.mean(predicted == labels)


def test_guessing_is_called_guessing_and_learning_is_not():
    generator = np.random.default_rng(0)
    assert check_order(*predictions(generator, n=200, classes=5, right=0.0), 5).near_chance
    assert not check_order(*predictions(generator, n=200, classes=5, right=0.5), 5).near_chance
    rare = np.repeat([0, 1], [190, 10])
    assert check_order(np.zeros(200, dtype=np.int64), rare, 2).near_chance, "always the frequent class"


def test_one_example_and_missing_classes_are_no_error():
    verdict = check_order(np.array([2]), np.array([2]), 4)
    assert (verdict.accuracy, verdict.wrong) == (1.0, False)
