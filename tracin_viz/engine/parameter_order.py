"""Which parameter an entry of an optimizer's state belongs to: torch stores numbers, not names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from torch import Tensor, nn

from tracin_viz.errors import InputError

Assignment = tuple[tuple[str, ...], ...]
REMEDY = (
    "Construct the optimizer with model.named_parameters(), which stores the names, or add 'param_names' "
    "(a list as long as 'params') to each group of the state."
)


class Named(NamedTuple):
    """A parameter of the model."""

    name: str
    shape: tuple[int, ...]
    trainable: bool


def matched_names(
    groups: list[dict[str, Any]], state: Mapping[Any, dict[str, Any]], named: list[Named], model: nn.Module
) -> Assignment:
    """Names by group: those stored, else the one usual order whose shapes fit.

    Usual orders: the model's own, cut into the sizes of the groups, of all or of the trainable parameters;
    where two groups differ in weight decay, also matrices first, and all but biases and normalisations first
    (Hugging Face's Trainer).

    Raises:
        InputError: No order fits, or more than one does.
    """
    shapes = {each.name: each.shape for each in named}
    if all("param_names" in group for group in groups):
        stored = tuple(tuple(str(name) for name in group["param_names"]) for group in groups)
        if not _fits(stored, groups, state, shapes):
            raise InputError(
                "The parameter names or shapes in the optimizer state are not those of the model.",
                remedy="Give the state that was saved with these weights.",
            )
        return stored
    found = [order for order in _orders(groups, named, model) if _fits(order, groups, state, shapes)]
    if len(set(found)) == 1:
        return found[0]
    sizes = " + ".join(str(len(group["params"])) for group in groups)
    what = "fits no usual order of" if not found else "fits more than one order of"
    raise InputError(
        f"The optimizer state ({sizes} parameters) {what} the model's {len(named)} parameters.", remedy=REMEDY
    )


def _orders(groups: list[dict[str, Any]], named: list[Named], model: nn.Module) -> list[Assignment]:
    found: list[Assignment] = []
    for chosen in (named, [each for each in named if each.trainable]):
        names, cut, start = tuple(each.name for each in chosen), [], 0
        for group in groups:
            cut.append(names[start : start + len(group["params"])])
            start += len(group["params"])
        if start == len(names):
            found.append(tuple(cut))
        if len(groups) == 2 and groups[0].get("weight_decay") != groups[1].get("weight_decay"):
            found.append(_halves(chosen, {each.name for each in chosen if len(each.shape) > 1}))
            found.append(_halves(chosen, _decayed(chosen, model)))
    return found


def _halves(named: list[Named], first: set[str]) -> Assignment:
    names = [each.name for each in named]
    return tuple(n for n in names if n in first), tuple(n for n in names if n not in first)


def _decayed(named: list[Named], model: nn.Module) -> set[str]:
    """All but biases and what belongs to a normalisation."""
    modules = dict(model.named_modules())
    return {
        each.name
        for each in named
        if not each.name.endswith("bias")
        and "norm" not in type(modules.get(each.name.rpartition(".")[0], model)).__name__.lower()
    }


def _fits(
    order: Assignment,
    groups: list[dict[str, Any]],
    state: Mapping[Any, dict[str, Any]],
    shapes: dict[str, tuple[int, ...]],
) -> bool:
    for group, names in zip(groups, order, strict=True):
        if len(names) != len(group["params"]):
            return False
        for key, name in zip(group["params"], names, strict=True):
            tensors = [t for t in state.get(key, {}).values() if isinstance(t, Tensor) and t.dim()]
            if name not in shapes or any(tuple(t.shape) != shapes[name] for t in tensors):
                return False
    return True
