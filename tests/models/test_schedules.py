"""Replayed schedules against torch's and transformers' own, step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler as torch_schedules

from tracin_viz.errors import InputError
from tracin_viz.models.learning_rates import Log
from tracin_viz.models.rate_evidence import Stored
from tracin_viz.models.rates_used import rates_used
from tracin_viz.models.schedules import known_schedule

TOTAL = 60
STEPS = (20, 40, 60)


def played(make: Callable[[Any], Any], *, per_move: int = 1) -> tuple[list[float], list[Stored]]:
    """The rates that were used, and what the checkpoints hold."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.3)
    schedule = make(optimizer)
    used, stored = [], []
    for step in range(1, TOTAL + 1):
        used.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if step % per_move == 0:
            schedule.step()
        if step in STEPS:
            groups = tuple(
                {k: v for k, v in group.items() if k != "params"} for group in optimizer.param_groups
            )
            state = dict(schedule.state_dict())
            stored.append(Stored(step, f"{step}.ckpt", state, groups, epoch=step / per_move))
    return used, stored


def means(used: list[float]) -> list[float]:
    return [float(np.mean(used[a:b])) for a, b in zip((0, *STEPS), STEPS, strict=False)]


TORCH: dict[str, Callable[[Any], Any]] = {
    "cosine": lambda o: torch_schedules.CosineAnnealingLR(o, TOTAL, eta_min=0.01),
    "restarts": lambda o: torch_schedules.CosineAnnealingWarmRestarts(o, 8, 2),
    "even restarts": lambda o: torch_schedules.CosineAnnealingWarmRestarts(o, 16),
    "steps": lambda o: torch_schedules.StepLR(o, 15, 0.5),
    "milestones": lambda o: torch_schedules.MultiStepLR(o, [7, 33], 0.3),
    "exponential": lambda o: torch_schedules.ExponentialLR(o, 0.97),
    "linear": lambda o: torch_schedules.LinearLR(o, 0.1, 1.0, 25),
    "constant": lambda o: torch_schedules.ConstantLR(o, 0.2, 25),
    "polynomial": lambda o: torch_schedules.PolynomialLR(o, TOTAL, 2.0),
    "one cycle": lambda o: torch_schedules.OneCycleLR(o, 0.5, TOTAL),
    "one cycle in lines": lambda o: torch_schedules.OneCycleLR(
        o, 0.5, TOTAL, anneal_strategy="linear", three_phase=True
    ),
    "warm-up, then cosine": lambda o: torch_schedules.SequentialLR(
        o,
        [torch_schedules.LinearLR(o, 0.1, 1.0, 10), torch_schedules.CosineAnnealingLR(o, TOTAL - 10)],
        milestones=[10],
    ),
}


@pytest.mark.filterwarnings("ignore")  # torch warns of its own use inside SequentialLR
@pytest.mark.parametrize("name", TORCH)
def test_a_schedule_of_torch_is_played_again_step_by_step(name):
    used, stored = played(TORCH[name])
    schedule = known_schedule(stored[-1].schedule or {}, group=stored[-1].groups[0])
    assert schedule is not None
    assert schedule.curve(np.arange(TOTAL, dtype=float)) == pytest.approx(used, rel=1e-6, abs=1e-12)
    found = rates_used(STEPS, chosen=STEPS, log=Log({}, ""), stored=stored)
    assert [rate.value for rate in found] == pytest.approx(means(used), rel=1e-6)


@pytest.mark.parametrize("name", ["cosine", "steps", "exponential"])
def test_a_schedule_that_moves_once_an_epoch_is_spread_over_its_steps(name):
    make = {
        "cosine": lambda o: torch_schedules.CosineAnnealingLR(o, 6),
        "steps": lambda o: torch_schedules.StepLR(o, 2, 0.5),
        "exponential": lambda o: torch_schedules.ExponentialLR(o, 0.5),
    }[name]
    used, stored = played(make, per_move=10)
    found = rates_used(STEPS, chosen=STEPS, log=Log({}, ""), stored=stored)
    assert [rate.value for rate in found] == pytest.approx(means(used), rel=1e-6)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("get_linear_schedule_with_warmup", (0, TOTAL)),
        ("get_linear_schedule_with_warmup", (9, TOTAL)),
        ("get_cosine_schedule_with_warmup", (9, TOTAL)),
        ("get_constant_schedule", ()),
        ("get_inverse_sqrt_schedule", (9,)),
    ],
)
def test_a_schedule_of_transformers_is_found_again_from_the_checkpoints_alone(name, arguments):
    import transformers

    used, stored = played(lambda o: getattr(transformers, name)(o, *arguments))
    found = rates_used(STEPS, chosen=STEPS, log=Log({}, ""), stored=stored, total=TOTAL)
    assert [rate.value for rate in found] == pytest.approx(means(used), rel=1e-3)


def test_a_schedule_that_misses_a_known_rate_is_not_used():
    used, stored = played(TORCH["cosine"])
    wrong = [Stored(e.step, e.source, {**(e.schedule or {}), "T_max": 200}, e.groups) for e in stored]
    # The rates that the checkpoints hold are still right: between two of them lines are drawn and named, but
    # nothing is known of the steps before the first.
    found = rates_used(STEPS, chosen=STEPS[1:], log=Log({}, ""), stored=wrong)
    assert all("lines between" in rate.provenance for rate in found)
    assert [rate.value for rate in found] == pytest.approx(means(used)[1:], rel=0.35)
    with pytest.raises(InputError, match=r"steps 1–20 in .*--learning-rates"):
        rates_used(STEPS, chosen=STEPS, log=Log({}, ""), stored=wrong)


def test_one_rate_at_the_end_of_an_unknown_schedule_is_not_enough():
    _, stored = played(lambda o: torch_schedules.LambdaLR(o, lambda step: 0.9**step))
    with pytest.raises(InputError, match=r"--learning-rates"):
        rates_used([60], chosen=[60], log=Log({}, ""), stored=stored[-1:])


def test_states_with_senseless_values_are_no_schedules():
    for state in (
        {},
        {"T_max": 0, "eta_min": "x", "base_lrs": [0.1]},
        {"base_lrs": ["a"], "gamma": 0.5},
        {"_schedulers": [{}], "_milestones": []},
        {"_schedule_phases": [{}], "base_lrs": [0.1]},
        {"milestones": 3.0, "gamma": 0.1, "base_lrs": [0.1]},
    ):
        assert known_schedule(state) is None
