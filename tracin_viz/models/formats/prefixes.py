"""Wrappers put their name before every weight's: taking it off, where the names fit then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

Value = TypeVar("Value")

#: What DistributedDataParallel, Lightning modules and training scripts call the network inside them.
KNOWN = ("module.", "model.", "net.", "network.", "backbone.", "encoder.", "classifier.", "0.")
#: torch.compile puts this anywhere in a name.
COMPILED = "_orig_mod."
#: Counters that wrappers keep beside the weights.
COUNTERS = frozenset({"n_averaged"})
_DEPTH = 4


def stripped(
    weights: Mapping[str, Value], wanted: Iterable[str], *, prefix: str | None = None
) -> tuple[dict[str, Value], str]:
    """``weights`` with the names that the network uses, and what was taken off.

    Args:
        weights: Tensors by name.
        wanted: The network's names.
        prefix: What to take off; ``None`` = what makes most names fit, nothing if nothing does.

    Returns:
        The renamed table and the prefix ("" for none). Names that do not begin with the prefix are left
        out: they belong to what is around the network (metrics, a loss with weights).
    """
    names = set(wanted)
    plain = {_without_compiled(name, names): value for name, value in weights.items()}
    plain = {name: value for name, value in plain.items() if name not in COUNTERS or name in names}
    taken = COMPILED if set(plain) != set(weights) and any(COMPILED in name for name in weights) else ""
    if prefix is not None:
        return _take_off(plain, _without_compiled(prefix, set())), prefix
    best, best_fits = "", len(names & set(plain))
    for candidate in _candidates(plain):
        taken_off = _take_off(plain, candidate)
        fits = len(names & set(taken_off))
        # Most of the network must be found, in most of the file: a part of another network may fit by chance.
        if fits > best_fits and 2 * fits > len(names) and 2 * len(taken_off) > len(plain):
            best, best_fits = candidate, fits
    return (_take_off(plain, best) if best else plain), best or taken


def _without_compiled(name: str, wanted: set[str]) -> str:
    return name if name in wanted else name.replace(COMPILED, "")


def _take_off(weights: Mapping[str, Value], prefix: str) -> dict[str, Value]:
    if not prefix:
        return dict(weights)
    return {name[len(prefix) :]: value for name, value in weights.items() if name.startswith(prefix)}


def _candidates(weights: Mapping[str, object]) -> list[str]:
    """Beginnings shared by names, the known ones first, at most ``_DEPTH`` parts long."""
    counts: dict[str, int] = {}
    for name in weights:
        parts = name.split(".")
        for depth in range(1, min(_DEPTH, len(parts) - 1) + 1):
            beginning = ".".join(parts[:depth]) + "."
            counts[beginning] = counts.get(beginning, 0) + 1
    order = {known: place for place, known in enumerate(KNOWN)}
    return sorted(counts, key=lambda beginning: (order.get(beginning, len(KNOWN)), -counts[beginning]))
