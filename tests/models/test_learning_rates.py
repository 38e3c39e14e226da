from __future__ import annotations

import pytest

from tracin_viz.errors import InputError
from tracin_viz.models.learning_rates import Log, epoch, from_user, train_loss
from tracin_viz.models.rates_used import rates_used

ENTRIES = [{"step": step, "learning_rate": step / 1000, "loss": 1 / step} for step in range(10, 101, 10)]


def weights(steps, entries, *, chosen=None, source="trainer_state.json", means=False):
    log = Log.read(entries, source=source, means=means)
    return rates_used(steps, chosen=chosen or steps, log=log)


def test_a_weight_is_the_plain_mean_where_every_step_is_logged():
    used = [{"step": step, "learning_rate": 0.1 * (1 - (step - 1) / 10)} for step in range(1, 11)]
    found = weights([5, 10], used)
    assert [rate.value for rate in found] == pytest.approx([0.08, 0.03])
    assert found[1].provenance == "mean of 5 rates logged in trainer_state.json, steps 6–10"


def test_entries_of_a_recorder_are_means_and_are_averaged_as_they_are():
    found = weights([20, 50, 100], ENTRIES, means=True)
    assert [rate.value for rate in found] == pytest.approx([0.015, 0.04, 0.08])


def test_rates_between_logged_steps_lie_on_lines_and_not_on_the_logged_steps_alone():
    # The rate of step s is s/1000: the mean of the logged ones alone would be 0.015 for steps 1–20.
    found = weights([20, 50, 100], ENTRIES)
    assert [rate.value for rate in found] == pytest.approx([0.0105, 0.0355, 0.0755])
    assert "lines between the rates known from trainer_state.json" in found[0].provenance


def test_choosing_fewer_checkpoints_changes_no_weight():
    every = weights([20, 50, 100], ENTRIES)
    assert weights([20, 50, 100], ENTRIES, chosen=[20, 100]) == [every[0], every[2]]


def test_an_interval_without_a_rate_is_an_error_that_asks_and_never_one():
    with pytest.raises(InputError) as caught:
        weights([20, 25, 28, 100], ENTRIES, source="checkpoint-100/trainer_state.json")
    message = str(caught.value)
    assert "steps 21–25 in checkpoint-100/trainer_state.json" in message
    assert "--learning-rates" in message and "steps 20, 25, 28, 100" in message
    assert len(weights([20, 25, 28, 100], ENTRIES, chosen=[20, 100])) == 2


def test_rates_that_are_all_zero_or_no_numbers_are_refused():
    with pytest.raises(InputError, match="are all 0"):
        weights([1], [{"step": 1, "learning_rate": 0.0}])
    for wrong in (float("nan"), -1, "0.1", True):
        with pytest.raises(InputError, match="logs the learning rate"):
            weights([10], [{"step": 10, "learning_rate": wrong}])


def test_a_step_logged_twice_counts_once_as_logged_last():
    log = [
        {"step": 1, "learning_rate": 0.5},
        {"step": 1, "eval_loss": 1},
        {"step": 1, "learning_rate": 0.1},
    ]
    assert weights([1], log)[0].value == pytest.approx(0.1)


def test_given_rates_are_taken_and_their_number_is_checked():
    assert [(rate.value, rate.provenance) for rate in from_user([1, 2], [0.1, 0.2])] == [
        (0.1, "given by the user"),
        (0.2, "given by the user"),
    ]
    with pytest.raises(InputError, match="1 learning rates were given for 2 checkpoints"):
        from_user([1, 2], [0.1])
    for wrong in (0.0, -0.1, float("nan"), float("inf")):
        with pytest.raises(InputError, match="positive number"):
            from_user([1], [wrong])


def test_loss_and_epoch_come_from_the_log_where_they_are_known():
    # Each logged loss is the mean since the one before, so equal strides count alike.
    assert train_loss(ENTRIES, before=20, step=50) == pytest.approx((1 / 30 + 1 / 40 + 1 / 50) / 3)
    assert train_loss(ENTRIES, before=20, step=25) is None
    assert epoch([{"step": 10, "epoch": 1.5}], step=10) == 1.5
    assert epoch(ENTRIES, step=10) is None
