from __future__ import annotations

import math

import pytest

from tracin_viz.errors import InputError
from tracin_viz.explore.checkpoint_choice import converged, steep


def test_the_checkpoints_with_the_largest_falls_are_chosen_in_order():
    steps = [10, 20, 30, 40, 50, 60]
    losses = [2.0, 1.9, 1.2, 1.1, 0.4, 0.39]
    assert steep(steps, losses, 3, classes=10) == [0, 2, 4]
    assert steep(steps, losses, 2) == [2, 4]  # without the loss of guessing the first has no fall


def test_a_long_slow_fall_is_not_steep():
    # Digits with 10 % flips, checkpoints after epochs 1, 2, 3, 5, 8 and 15: the last has memorised the most.
    steps, losses = [1, 2, 3, 5, 8, 15], [0.655, 0.491, 0.456, 0.382, 0.271, 0.137]
    assert steep(steps, losses, 5, classes=10) == [0, 1, 2, 3, 4]
    assert steep([0, 10, 20], [2.3, 1.0, 0.9], 1, classes=10) == [1]  # untrained weights are never steep


def test_checkpoints_up_to_which_the_loss_did_not_fall_are_left_out():
    assert steep([1, 2, 3, 4], [1.0, 1.2, 0.8, 0.9], 4, classes=10) == [0, 2]
    assert steep([1, 2], [5.0, 6.0], 2, classes=2) == [0]


def test_equal_falls_prefer_the_earlier_checkpoint():
    assert steep([1, 2, 3], [4.0, 3.0, 2.0], 1) == [1]


def test_missing_losses_are_bridged_and_without_any_the_choice_is_even():
    assert steep([1, 2, 3, 4], [2.0, None, 0.5, math.nan], 2, classes=10) == [0, 2]
    assert steep([1, 2, 3, 4, 5, 6], [None] * 6, 3) == [1, 3, 5]
    assert steep([1, 2], [None, None], 5) == [0, 1]


def test_memorised_and_flat_checkpoints_are_warned_about_in_words():
    warnings = converged([10, 20, 30, 40], [1.0, 0.5, 0.495, 0.01], classes=10)
    assert sorted(warnings) == [2, 3]
    assert "step 30" in warnings[2] and "hardly fell" in warnings[2]
    assert "step 40" in warnings[3] and "memorised" in warnings[3]
    assert converged([10, 20], [None, None]) == {}
    assert converged([10, 20], [2.0, 1.0], classes=10) == {}


def test_bad_requests_name_what_is_wrong():
    with pytest.raises(InputError, match="steep:0"):
        steep([1], [1.0], 0)
    with pytest.raises(InputError, match="2 checkpoints but 1 losses"):
        steep([1, 2], [1.0])
    with pytest.raises(InputError, match="order"):
        converged([2, 1], [1.0, 1.0])
