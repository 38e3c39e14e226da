"""Learning-rate schedules played again from the state dicts that torch's own schedulers save.

A scheduler saves its settings, how often it moved (``last_epoch``) and the rate it set last. Its rates at
any moment follow from the settings; the saved rate then proves the replay right, or it is not used.
Formulas: the closed forms in the documentation of ``torch.optim.lr_scheduler``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
#: From how often a schedule has moved, ``(n,)``, to the rates it sets, ``(n,)``.
Curve = Callable[[Numbers], Numbers]


@dataclass(frozen=True)
class Schedule:
    """A schedule that can be played again.

    Attributes:
        said: What it is, in plain words.
        curve: Its rates.
    """

    said: str
    curve: Curve


def known_schedule(
    state: Mapping[str, Any], *, group: Mapping[str, Any] | None = None, base: float | None = None
) -> Schedule | None:
    """The schedule that a state dict belongs to; ``None`` where it cannot be played again.

    Args:
        state: State dict of a scheduler.
        group: The settings of the optimizer's first parameter group (a one-cycle schedule needs them).
        base: Rate to start from, where the state has none.
    """
    start = _first(state.get("base_lrs")) if base is None else base
    try:
        if "_schedulers" in state and "_milestones" in state:
            return _sequence(state, group)
        if "_schedule_phases" in state:
            return _one_cycle(state, group or {})
        if start is None:
            return None
        for keys, name, make in _KNOWN:
            if all(_is_setting(state.get(key)) for key in keys):
                return Schedule(name, make(state, start))
    except (TypeError, ValueError, KeyError, ZeroDivisionError, AttributeError):
        return None  # a state with wrong values is not a schedule that can be played again
    return None


def _is_setting(value: object) -> bool:
    return isinstance(value, int | float | Mapping) and not isinstance(value, bool)


def _first(values: object) -> float | None:
    found = values[0] if isinstance(values, list | tuple) and values else None
    usable = isinstance(found, int | float) and not isinstance(found, bool) and math.isfinite(found)
    return float(found) if usable and found is not None else None


def _cosine(state: Mapping[str, Any], base: float) -> Curve:
    low, period = float(state["eta_min"]), float(state["T_max"])
    return lambda t: low + (base - low) * (1 + np.cos(np.pi * t / period)) / 2


def _restarts(state: Mapping[str, Any], base: float) -> Curve:
    low, first, growth = float(state["eta_min"]), float(state["T_0"]), float(state["T_mult"])

    def curve(t: Numbers) -> Numbers:
        if growth == 1:
            inside, length = t % first, np.full_like(t, first)
        else:
            cycle = np.floor(np.log(t / first * (growth - 1) + 1) / np.log(growth) + 1e-9)
            inside = t - first * (growth**cycle - 1) / (growth - 1)
            length = first * growth**cycle
        return low + (base - low) * (1 + np.cos(np.pi * inside / length)) / 2

    return curve


def _steps(state: Mapping[str, Any], base: float) -> Curve:
    every, factor = float(state["step_size"]), float(state["gamma"])
    return lambda t: base * factor ** np.floor(t / every)


def _milestones(state: Mapping[str, Any], base: float) -> Curve:
    factor = float(state["gamma"])
    places = [(float(place), int(times)) for place, times in dict(state["milestones"]).items()]

    def curve(t: Numbers) -> Numbers:
        passed = np.zeros_like(t)
        for place, times in places:
            passed += times * (t >= place)
        found: Numbers = base * factor**passed
        return found

    return curve


def _exponential(state: Mapping[str, Any], base: float) -> Curve:
    factor = float(state["gamma"])
    return lambda t: base * factor**t


def _linear(state: Mapping[str, Any], base: float) -> Curve:
    first, last, count = (float(state[key]) for key in ("start_factor", "end_factor", "total_iters"))
    return lambda t: base * (first + (last - first) * np.minimum(t, count) / count)


def _constant(state: Mapping[str, Any], base: float) -> Curve:
    factor, count = float(state["factor"]), float(state["total_iters"])
    return lambda t: base * np.where(t < count, factor, 1.0)


def _polynomial(state: Mapping[str, Any], base: float) -> Curve:
    power, count = float(state["power"]), float(state["total_iters"])
    return lambda t: base * (1 - np.minimum(t, count) / count) ** power


_KNOWN: tuple[tuple[tuple[str, ...], str, Callable[[Mapping[str, Any], float], Curve]], ...] = (
    (("T_max", "eta_min"), "cosine decay", _cosine),
    (("T_0", "T_mult", "eta_min"), "cosine decay with restarts", _restarts),
    (("step_size", "gamma"), "decay in steps", _steps),
    (("milestones", "gamma"), "decay at milestones", _milestones),
    (("start_factor", "end_factor", "total_iters"), "linear change", _linear),
    (("power", "total_iters"), "polynomial decay", _polynomial),
    (("factor", "total_iters"), "constant factor", _constant),
    (("gamma",), "exponential decay", _exponential),
)


def _one_cycle(state: Mapping[str, Any], group: Mapping[str, Any]) -> Schedule | None:
    """``OneCycleLR``: its rates stand in the optimizer's group, its phases in the state."""
    phases = [
        (float(phase["end_step"]), float(group[phase["start_lr"]]), float(group[phase["end_lr"]]))
        for phase in state["_schedule_phases"]
    ]
    cosine = state.get("_anneal_func_type") == "cos"

    def curve(t: Numbers) -> Numbers:
        rates, begin = np.full_like(t, phases[-1][2]), 0.0
        for place, (end, first, last) in enumerate(phases):
            # The last phase goes on past its end, as torch's does in the step after the last.
            inside = (t >= begin) & ((t <= end) | (place == len(phases) - 1))
            part = (t - begin) / (end - begin)
            fall = (1 + np.cos(np.pi * part)) / 2 if cosine else 1 - part
            rates = np.where(inside, last + (first - last) * fall, rates)
            begin = end
        return rates

    return Schedule("one cycle", curve)


def _sequence(state: Mapping[str, Any], group: Mapping[str, Any] | None) -> Schedule | None:
    """``SequentialLR``: one schedule after the other, each counting from its own beginning."""
    parts = [known_schedule(inner, group=group) for inner in state["_schedulers"]]
    known = [part for part in parts if part is not None]
    if len(known) != len(parts) or not known:
        return None
    begins = [0.0, *(float(place) for place in state["_milestones"])]

    def curve(t: Numbers) -> Numbers:
        rates = np.zeros_like(t)
        for begin, part in zip(begins, known, strict=True):
            rates = np.where(t >= begin, part.curve(np.maximum(t - begin, 0)), rates)
        return rates

    return Schedule(", then ".join(part.said for part in known), curve)
