from __future__ import annotations

import pytest

from tracin_viz.errors import InputError
from tracin_viz.models.learning_rates import epoch, from_log, from_user, train_loss

LOG = [{"step": step, "learning_rate": step / 1000, "loss": 1 / step} for step in range(10, 101, 10)]


def test_a_weight_is_the_mean_of_the_rates_logged_since_the_checkpoint_before():
    rates = from_log([20, 50, 100], LOG, source="trainer_state.json")
    assert [rate.value for rate in rates] == pytest.approx([0.015, 0.04, 0.08])
    assert [rate.provenance for rate in rates] == [
        "mean of 2 rates logged in trainer_state.json, steps 1–20",
        "mean of 3 rates logged in trainer_state.json, steps 21–50",
        "mean of 5 rates logged in trainer_state.json, steps 51–100",
    ]


def test_choosing_fewer_checkpoints_changes_no_weight():
    every = from_log([20, 50, 100], LOG, source="x")
    assert from_log([20, 50, 100], LOG, source="x", chosen=[20, 100]) == [every[0], every[2]]


def test_an_interval_without_a_rate_is_an_error_that_asks_and_never_one():
    with pytest.raises(InputError) as caught:
        from_log([20, 25, 28, 100], LOG, source="checkpoint-100/trainer_state.json")
    message = str(caught.value)
    assert "steps 21–25 in checkpoint-100/trainer_state.json" in message
    assert "--learning-rates" in message and "steps 20, 25, 28, 100" in message
    chosen = from_log([20, 25, 28, 100], LOG, source="x", chosen=[20, 100])
    assert [rate.value for rate in chosen] == pytest.approx([0.015, 0.065])


def test_a_finished_linear_decay_does_not_give_the_last_checkpoint_no_weight():
    # The state of the optimizer then holds 0.0; the log holds what was used.
    used = [{"step": step, "learning_rate": 0.1 * (1 - (step - 1) / 10)} for step in range(1, 11)]
    assert from_log([5, 10], used, source="x")[1].value == pytest.approx(0.03)


def test_rates_that_are_all_zero_or_no_numbers_are_refused():
    with pytest.raises(InputError, match="are all 0"):
        from_log([10], [{"step": 10, "learning_rate": 0.0}], source="x")
    for wrong in (float("nan"), -1, "0.1", True):
        with pytest.raises(InputError, match="logs the learning rate"):
            from_log([10], [{"step": 10, "learning_rate": wrong}], source="x")


def test_a_step_logged_twice_counts_once_as_logged_last():
    log = [
        {"step": 10, "learning_rate": 0.5},
        {"step": 10, "eval_loss": 1},
        {"step": 10, "learning_rate": 0.1},
    ]
    assert from_log([10], log, source="x")[0].value == pytest.approx(0.1)


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
    assert train_loss(LOG, before=20, step=50) == pytest.approx(1 / 50)
    assert train_loss(LOG, before=20, step=25) is None
    assert epoch([{"step": 10, "epoch": 1.5}], step=10) == 1.5
    assert epoch(LOG, step=10) is None
