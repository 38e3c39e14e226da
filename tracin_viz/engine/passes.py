"""One forward and one backward pass over a batch, delivering the per-example gradients of each parameter."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from tracin_viz.engine.batches import Batch
from tracin_viz.engine.capture import Capture, Consumer
from tracin_viz.engine.general import judged, one_by_one, vectorised
from tracin_viz.engine.layouts import Layouts
from tracin_viz.engine.losses import PerExample, checked, outputs_tensor
from tracin_viz.engine.rules import RULES
from tracin_viz.errors import EngineError


@dataclass
class Outcome:
    """What a pass left besides the gradients.

    Attributes:
        outputs: Logits or predictions, detached.
        values: The objective, (B,).
        embedding: (B, e) input of the last linear call that produces the outputs; ``None`` without one.
        output_names: Parameters of that call.
    """

    outputs: Tensor
    values: Tensor
    embedding: Tensor | None
    output_names: tuple[str, ...]


class Passes:
    """A borrowed model with its tracked parameters and what was learned about its calls.

    Attributes:
        parameters: Tracked parameters by (first) name.
        layouts: Axes of the examples in each call; learned by the start check.
        general: Parameters on the general path, with the reason.
        rules: Rule by parameter, from the last pass.
        alone_because: Why the general path takes examples one at a time; empty where it vectorises them,
            ``None`` before it was used.
    """

    def __init__(self, model: nn.Module, parameters: dict[str, Tensor]) -> None:
        self.model = model
        self.parameters = parameters
        self.layouts: Layouts | None = None
        self.general: dict[str, str] = {}
        self.rules: dict[str, str] = {}
        self.alone_because: str | None = None

    def capture(self, batch: int, consumer: Consumer) -> Capture:
        """A fresh interception."""
        return Capture(
            self.parameters,
            batch=batch,
            consumer=consumer,
            rules=RULES,
            layouts=self.layouts,
            general=self.general,
            constants=[*self.model.buffers(), *self.model.parameters()],
        )

    def run(self, batch: Batch, objective: PerExample, consumer: Consumer) -> Outcome:
        """Calls ``consumer(name, form)`` once for each tracked parameter that has a gradient.

        Raises:
            EngineError: The objective is not one number per example, or depends on no tracked parameter.
        """
        capture = self.capture(len(batch), consumer)
        with torch.enable_grad():
            with capture:
                outputs = batch.call(self.model)
            values = checked(objective(outputs, batch.targets), len(batch))
        only_general = set(self.parameters) <= {*self.general, *capture.unruled}
        if values.requires_grad:
            values.sum().backward()  # type: ignore[no-untyped-call]
        elif not only_general:
            raise EngineError(
                "The loss does not depend on any of the chosen parameters.",
                remedy="Check `layers`, and that the model computes its outputs without torch.no_grad().",
            )
        capture.finish()
        self.rules.update(capture.used)
        for name, reason in capture.unruled.items():
            self.general.setdefault(name, reason)
        chosen = [name for name in self.parameters if name in self.general]
        if chosen:
            self._run_general(batch, objective, chosen, consumer)
        return _outcome(capture, outputs, values)

    def embed(self, batch: Batch) -> Tensor:
        """(B, e) input of the last linear call that produces the outputs, from a forward pass; e may be 0."""
        capture = self.capture(len(batch), lambda name, form: None)
        with torch.no_grad(), capture:
            outputs = batch.call(self.model)
        found = _outcome(capture, outputs, torch.zeros(len(batch))).embedding
        return torch.zeros(len(batch), 0) if found is None else found

    def _run_general(
        self, batch: Batch, objective: PerExample, names: Iterable[str], consumer: Consumer
    ) -> None:
        """By ``vmap`` where the first batch showed that it gives the same, else one example at a time."""
        arguments = (self.model, self.parameters, list(names), batch, objective)
        if self.alone_because is None:
            self.alone_because = judged(*arguments)
        if not self.alone_because:
            try:
                found = list(vectorised(*arguments))
            except Exception as error:  # another objective, say; memory is the business of the session
                if "memory" in str(error):
                    raise
                self.alone_because = f"torch.func.vmap cannot run it ({type(error).__name__})"
            else:
                for name, form in found:
                    consumer(name, form)
                return
        for name, form in one_by_one(*arguments):
            consumer(name, form)


def _outcome(capture: Capture, outputs: Any, values: Tensor) -> Outcome:
    logits = outputs_tensor(outputs).detach()
    candidates = capture.outputs
    fitting = [entry for entry in candidates if logits.dim() and entry[1].shape[-1] == logits.shape[-1]]
    chosen = (fitting or candidates)[-1] if candidates else None
    if chosen is None:
        return Outcome(logits, values.detach(), None, ())
    return Outcome(logits, values.detach(), _pooled(chosen[0], capture.batch), chosen[2])


def _pooled(data: Tensor, batch: int) -> Tensor | None:
    """(B, width): the input itself, or its mean over positions."""
    if data.dim() == 2 and data.shape[0] == batch:
        return data
    if data.dim() == 4 and data.shape[0] == batch:
        return data.flatten(2).mean(2)
    if data.dim() >= 2 and data.shape[0] % batch == 0 and data.shape[0]:
        return data.reshape(batch, -1, data.shape[-1]).mean(1)
    return None
