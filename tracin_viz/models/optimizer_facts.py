"""Which optimizer trained a checkpoint, for display: scores are in the form of SGD whatever it was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tracin_viz.errors import InputError
from tracin_viz.models.formats.dictionaries import groups_of, moments_of
from tracin_viz.models.safe_load import load_content
from tracin_viz.models.saved import Saved


def optimizer_of(newest: Saved) -> dict[str, Any]:
    """Name and settings of the optimizer of a checkpoint; nothing where no file tells."""
    groups, moments = newest.stored.groups, newest.moments
    beside = newest.file.parent / "optimizer.pt"
    if not groups and beside.is_file():
        try:
            state = load_content(beside)
        except InputError:  # it is only shown
            return {}
        if isinstance(state, Mapping):
            groups, moments = groups_of(state), moments_of(state)
    return described(groups[0], moments) if groups else {}


def described(group: Mapping[str, Any], moments: Iterable[str]) -> dict[str, Any]:
    """An optimizer by its settings and by what it keeps for each parameter."""
    kept = set(moments)
    if {"exp_avg", "exp_avg_sq"} & kept or "betas" in group:
        name = "AdamW" if group.get("decoupled_weight_decay") else "Adam or AdamW"
    elif {"nesterov", "dampening"} & set(group) or "momentum_buffer" in kept:
        name = "SGD"
    else:
        name = "unknown"
    settings = {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in group.items()
        if isinstance(value, bool | int | float | str | tuple) and key not in ("lr", "initial_lr")
    }
    return {"name": name, **settings}
