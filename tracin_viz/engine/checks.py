"""The start check: one batch against batches of one, before any number is shown.

It learns which axis of each call runs over the examples, sends parameters whose rule disagrees with plain
automatic differentiation down the general path, and refuses a model whose examples influence each other.
"""

from __future__ import annotations

import torch
from torch import Tensor

from tracin_viz.engine.batches import Batch
from tracin_viz.engine.forms import Form
from tracin_viz.engine.general import requiring_gradients, single
from tracin_viz.engine.layouts import Layouts
from tracin_viz.engine.losses import PerExample
from tracin_viz.engine.passes import Outcome, Passes
from tracin_viz.engine.precision import double
from tracin_viz.errors import EngineError


def start_check(passes: Passes, batch: Batch, objective: PerExample) -> tuple[dict[str, float], Outcome]:
    """Prepares ``passes`` with up to three examples of ``batch``.

    Returns:
        Mean squared gradient norm of each parameter, and the outcome of the pass.

    Raises:
        EngineError: An example's loss depends on the other examples of its batch.
    """
    last = len(batch) - 1
    places = [0, (last + 1) // 2, last]
    shapes = []
    for count in (3, 2):
        few = batch.take(places[:count])
        capture = passes.capture(count, lambda name, form: None)
        with torch.enable_grad(), capture:
            few.call(passes.model)
        shapes.append(capture.shapes)
    passes.layouts = Layouts.learn(shapes[0], shapes[1])
    passes.general.clear()
    few = batch.take(sorted(set(places)))
    outcome, differences, norms = _compared(passes, few, objective)
    wrong = {name for name, difference in differences.items() if difference > _tolerance(outcome)}
    if wrong:  # rows of several examples may alternate instead of following each other
        blocks = passes.layouts
        passes.layouts = blocks.interleaved(wrong)
        outcome, others, norms = _compared(passes, few, objective)
        helped = {name for name in wrong if others[name] <= _tolerance(outcome)}
        passes.layouts = blocks.interleaved(helped)
        differences |= {name: others[name] for name in helped}
    for name, difference in differences.items():
        if difference > _tolerance(outcome) and name not in passes.general:
            passes.general[name] = (
                f"rule '{passes.rules.get(name, 'none')}' and automatic differentiation disagree "
                f"(relative {difference:.1e})"
            )
    return norms, outcome


def _tolerance(outcome: Outcome) -> float:
    return max(1e-3, 100 * torch.finfo(outcome.values.dtype).eps)


def _compared(
    passes: Passes, few: Batch, objective: PerExample
) -> tuple[Outcome, dict[str, float], dict[str, float]]:
    """A pass; by parameter the largest ‖rule − automatic differentiation‖ / ‖whole gradient‖, norms."""
    forms: dict[str, Form] = {}
    outcome = passes.run(few, objective, forms.__setitem__)
    differences = dict.fromkeys(passes.parameters, 0.0)
    norms = dict.fromkeys(passes.parameters, 0.0)
    for place in range(len(few)):
        value, gradients = _alone(passes, few, place, objective)
        _same_value(outcome.values[place], value[0], _tolerance(outcome), int(few.rows[place]))
        squares = {name: float(double(gradient).square().sum()) for name, gradient in gradients.items()}
        total = sum(squares.values())
        for name, gradient in gradients.items():
            norms[name] += squares[name] / len(few)
            if total > 0:
                error = _difference(forms.get(name), gradient, place)
                differences[name] = max(differences[name], (error / total) ** 0.5)
    return outcome, differences, norms


def _alone(passes: Passes, few: Batch, place: int, objective: PerExample) -> tuple[Tensor, dict[str, Tensor]]:
    """One example by itself; a model that can do a batch but not that mixes examples.

    Raises:
        EngineError: The model fails on a batch of one (a batch normalisation that ignores evaluation mode).
    """
    try:
        with requiring_gradients(passes.parameters.values()), torch.enable_grad():
            return single(passes.model, passes.parameters, few.part(place, place + 1), objective)
    except (RuntimeError, ValueError, IndexError) as error:
        raise EngineError(
            f"The model works on {len(few)} examples together but fails on example {int(few.rows[place])} "
            f"alone ({error}), so examples influence each other and none has a gradient of its own.",
            remedy="Make it treat each example by itself in evaluation mode, and keep the batch axis.",
        ) from error


def _difference(form: Form | None, gradient: Tensor, place: int) -> float:
    """‖rule − automatic differentiation‖² for one example and parameter."""
    if form is None:
        return float(double(gradient).square().sum())
    written = form.part(place).written_out()[0]
    return float(double(written - gradient.reshape(-1)).square().sum())


def _same_value(batched: Tensor, alone: Tensor, tolerance: float, row: int) -> None:
    both_bad = not torch.isfinite(batched) and not torch.isfinite(alone)
    if both_bad or torch.isclose(batched, alone, rtol=tolerance, atol=tolerance):
        return
    raise EngineError(
        f"The loss of example {row} is {float(alone):.6g} alone and {float(batched):.6g} in a batch: "
        "examples of this model influence each other, so a per-example gradient does not exist.",
        remedy="Look for normalisation or attention over the batch axis, batch statistics in eval mode, "
        "losses that contrast examples, or random operations that eval mode does not switch off.",
    )
