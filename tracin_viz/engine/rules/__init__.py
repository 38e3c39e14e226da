"""One module per family of operations: from (input, output gradient) to per-example gradients."""

from __future__ import annotations

from tracin_viz.engine.capture import Rule
from tracin_viz.engine.rules import attention, conv, embedding, free, linear, norm, recurrent

RULES: dict[str, Rule] = {
    **linear.RULES,
    **conv.RULES,
    **embedding.RULES,
    **norm.RULES,
    **free.RULES,
    **attention.RULES,
    **recurrent.RULES,
}
