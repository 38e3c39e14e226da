"""What is said about the optimizer of a model."""

from __future__ import annotations

import pytest

from tracin_viz.ui.optimizer import optimizer_words


def test_adam_is_named_with_its_betas_and_what_scores_leave_out():
    words = optimizer_words({"name": "AdamW", "betas": [0.9, 0.999], "weight_decay": 0.01, "eps": 1e-8})
    assert "AdamW (betas 0.9 and 0.999, weight decay 0.01). " in words
    assert "plain SGD" in words and "preconditioner" in words


def test_sgd_names_its_momentum_and_no_preconditioner():
    words = optimizer_words({"name": "SGD", "momentum": 0.9, "weight_decay": 0, "nesterov": False})
    assert "SGD (momentum 0.9). " in words
    assert "preconditioner" not in words


@pytest.mark.parametrize("found", [None, {}, "SGD", {"name": ""}])
def test_nothing_is_said_where_nothing_is_known(found):
    assert optimizer_words(found) == ""


def test_what_a_file_names_is_text_and_odd_settings_are_passed_over():
    words = optimizer_words(
        {"name": "<b>*My* optimizer</b>", "momentum": "x", "betas": [None], "weight_decay": True}
    )
    assert "*My*" not in words and words.count("(") == 0
    assert "do not name" in optimizer_words({"name": "unknown"})
