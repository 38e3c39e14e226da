"""How well outputs fit labels of every kind, against numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from tracin_viz.jobs.fitness import fitness, no_better_than_guessing


def test_classes_count_as_right_or_wrong():
    outputs = torch.tensor([[2.0, 0.0], [0.0, 2.0], [2.0, 0.0], [2.0, 0.0]])
    share, loss = fitness("class", outputs, np.array([0, 1, 1, 0]))
    assert share == 0.75
    assert loss == pytest.approx((3 * math.log(1 + math.exp(-2)) + math.log(1 + math.exp(2))) / 4, rel=1e-6)


def test_several_labels_count_one_by_one():
    labels = np.array([[1, 0], [1, 1], [0, 0]])
    outputs = torch.tensor([[1.0, -1.0], [1.0, -1.0], [-1.0, -1.0]])
    share, _ = fitness("multi-label", outputs, labels)
    assert share == pytest.approx(5 / 6)
    assert no_better_than_guessing("multi-label", share, labels) == []
    (problem,) = no_better_than_guessing("multi-label", 4 / 6, labels)
    assert problem.kind == "near chance" and "67%" in problem.message


def test_of_numbers_the_explained_variation_counts():
    labels = np.array([1.0, 2.0, 3.0, 6.0], dtype=np.float32)
    share, loss = fitness("number", torch.tensor([[1.0], [2.0], [3.0], [4.0]]), labels)
    assert share == pytest.approx(1 - 4 / 14) and loss == pytest.approx(1.0)
    assert fitness("number", torch.zeros(4, 1) - 9, labels)[0] == 0.0
    assert "mean" in no_better_than_guessing("number", 0.0, labels)[0].message
    assert no_better_than_guessing("number", share, labels) == []
