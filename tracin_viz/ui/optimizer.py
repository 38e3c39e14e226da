"""Which optimizer trained a model, and what that means for its scores, in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracin_viz.ui import text

_ADAM = (
    "Scores take every step to be one of plain SGD: that Adam divides each parameter's gradient by its usual "
    'size is left out. In Python, `InfluenceEngine(…).influence(…, preconditioner="second_moment")` '
    "accounts for it."
)
_SGD = "Scores take every step to be one of plain SGD; momentum and weight decay are left out."
_OTHER = "Scores take every step to be one of plain SGD, whatever this optimizer did."


def optimizer_words(found: object) -> str:
    """Two sentences about an optimizer; empty where it is not known.

    Args:
        found: ``name`` and settings as the inspection of a run found them, or anything else.
    """
    if not isinstance(found, Mapping) or not found.get("name"):
        return ""
    name = str(found["name"])
    known = name if name != "unknown" else "an optimizer that its files do not name"
    settings = ", ".join(_settings(found))
    trained = f"Trained with {text.plain(known, longest=60)}" + (f" ({settings})" if settings else "")
    meaning = _ADAM if name.startswith("Adam") else _SGD if name == "SGD" else _OTHER
    return f"{trained}. {meaning}"


def _settings(found: Mapping[str, Any]) -> list[str]:
    said = []
    betas = found.get("betas")
    if isinstance(betas, list | tuple) and all(isinstance(beta, int | float) for beta in betas):
        said.append("betas " + " and ".join(f"{beta:g}" for beta in betas))
    for name, word in (("momentum", "momentum"), ("weight_decay", "weight decay")):
        value = found.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and value:
            said.append(f"{word} {value:g}")
    return said
