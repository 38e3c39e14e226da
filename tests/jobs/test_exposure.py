"""When sums of gradients can be told in units of the loss, and when only their sign."""

from __future__ import annotations

import pytest

from tracin_viz.config import CheckpointInfo
from tracin_viz.jobs.exposure import exposure

SGD = {"name": "SGD", "momentum": 0.0}


def checkpoint(step: int, epoch: float | None) -> CheckpointInfo:
    return CheckpointInfo(step, "weights", 0.1, "log", epoch=epoch)


def test_a_term_counts_examples_seen_over_examples_times_batch_size():
    # 1,000 examples, batches of 20: 50 steps an epoch.
    found = exposure([checkpoint(50, 1.0), checkpoint(150, 3.0)], [0, 1], 1000, SGD)
    assert found.unknown == ""
    assert found.batch_size == pytest.approx(20)
    seen = (1000, 2000)
    assert found.factors == pytest.approx([count / (1000 * 20) for count in seen])


def test_momentum_applies_every_gradient_more_than_once():
    plain = exposure([checkpoint(50, 1.0)], [0], 1000, SGD)
    heavy = exposure([checkpoint(50, 1.0)], [0], 1000, {"name": "SGD", "momentum": 0.9})
    assert heavy.factors[0] == pytest.approx(10 * plain.factors[0])


def test_a_switched_off_checkpoint_changes_no_other_factor():
    both = [checkpoint(50, 1.0), checkpoint(150, 3.0)]
    assert exposure(both, [1], 1000, SGD).factors[0] == exposure(both, [0, 1], 1000, SGD).factors[1]


@pytest.mark.parametrize(
    ("checkpoints", "optimizer", "unknown"),
    [
        ([checkpoint(50, None)], SGD, "epochs"),
        ([checkpoint(3, 3.0)], SGD, "epochs"),  # a file that counts epochs only
        ([checkpoint(50, 1.0), checkpoint(100, 1.0)], SGD, "epochs"),
        ([checkpoint(50, 1.0)], {}, "optimizer"),
        ([checkpoint(50, 1.0)], None, "optimizer"),
        ([checkpoint(50, 1.0)], {"name": "AdamW"}, "adaptive"),
    ],
)
def test_where_it_is_not_known_every_factor_is_one_and_the_reason_is_given(checkpoints, optimizer, unknown):
    found = exposure(checkpoints, range(len(checkpoints)), 1000, optimizer)
    assert found.unknown == unknown
    assert set(found.factors) == {1.0}
