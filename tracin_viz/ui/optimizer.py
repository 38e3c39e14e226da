"""Which optimizer trained a model, and what that means for its scores, in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracin_viz.ui import text
from tracin_viz.ui.language import later, tr

_ADAM = later(
    "Scores take every step to be one of plain SGD: that Adam divides each parameter's gradient by its usual "
    'size is left out. In Python, `InfluenceEngine(…).influence(…, preconditioner="second_moment")` '
    "accounts for it."
)
_SGD = later("Scores take every step to be one of plain SGD; momentum and weight decay are left out.")
_OTHER = later("Scores take every step to be one of plain SGD, whatever this optimizer did.")


def optimizer_words(found: object) -> str:
    """Two sentences about an optimizer; empty where it is not known.

    Args:
        found: ``name`` and settings as the inspection of a run found them, or anything else.
    """
    if not isinstance(found, Mapping) or not found.get("name"):
        return ""
    name = str(found["name"])
    unknown = name == "unknown"
    known = tr("an optimizer that its files do not name") if unknown else text.plain(name, longest=60)
    settings = ", ".join(_settings(found))
    trained = tr("Trained with {optimizer}", optimizer=f"{known} ({settings})" if settings else known)
    meaning = tr(_ADAM if name.startswith("Adam") else _SGD if name == "SGD" else _OTHER)
    return f"{trained}. {meaning}"


def _settings(found: Mapping[str, Any]) -> list[str]:
    said = []
    betas = found.get("betas")
    if (
        isinstance(betas, list | tuple)
        and len(betas) > 1
        and all(isinstance(beta, int | float) for beta in betas)
    ):
        *first, last = (f"{beta:g}" for beta in betas)
        said.append(tr("betas {first} and {last}", first=", ".join(first), last=last))
    for name, word in (("momentum", tr("momentum")), ("weight_decay", tr("weight decay"))):
        value = found.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and value:
            said.append(f"{word} {value:g}")
    return said
