"""What the engine did with each parameter."""

from __future__ import annotations

from dataclasses import dataclass

from tracin_viz.engine.session import Session
from tracin_viz.errors import InputError


@dataclass(frozen=True)
class ParameterCoverage:
    """One tracked parameter.

    Attributes:
        name: Its (first) name.
        shape: Its shape.
        rule: Name of the rule, "general path", or "no gradient".
        reason: Why it takes the general path, and how that goes; empty with a rule.
        share: Its part of the squared gradient norm, mean over the examples of the start check.
    """

    name: str
    shape: tuple[int, ...]
    rule: str
    reason: str
    share: float


def coverage(session: Session) -> list[ParameterCoverage]:
    """All tracked parameters in model order.

    Raises:
        InputError: No data were seen yet.
    """
    if not session.norms:
        raise InputError("Coverage is known after data were seen.", remedy="Call coverage(data).")
    total = sum(session.norms.values()) or 1.0
    found = []
    for name, parameter in session.passes.parameters.items():
        reason = session.passes.general.get(name, "")
        if reason:
            alone = session.passes.alone_because
            reason += f"; one example at a time, because {alone}" if alone else "; by torch.func.vmap"
        rule = "general path" if reason else session.passes.rules.get(name, "no gradient")
        found.append(
            ParameterCoverage(name, tuple(parameter.shape), rule, reason, session.norms[name] / total)
        )
    return found
