"""The optimizer of a checkpoint, read from its state dict: what it was, its groups, and Adam's moments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from tracin_viz.engine.parameter_order import Named, matched_names
from tracin_viz.errors import InputError


@dataclass(frozen=True)
class OptimizerGroup:
    """One parameter group.

    Attributes:
        learning_rate: As stored, often that of the *next* step; scores use ``Checkpoint.learning_rate``.
        options: Betas, eps, weight decay, momentum and so on.
        parameters: Names of its parameters.
    """

    learning_rate: float
    options: dict[str, Any]
    parameters: tuple[str, ...]


@dataclass(frozen=True)
class OptimizerReport:
    """What trained a checkpoint.

    Attributes:
        name: "Adam", "AdamW", "Adam or AdamW", "SGD", "RMSprop", "Adagrad", or "unknown".
        groups: Its parameter groups.
        with_moments: Parameters whose second moments are stored.
        preconditions: Whether Adam-preconditioned scores are possible.
    """

    name: str
    groups: tuple[OptimizerGroup, ...]
    with_moments: tuple[str, ...]
    preconditions: bool


@dataclass(frozen=True)
class Moments:
    """Adam's state of one parameter after ``step`` steps (Kingma & Ba 2015, algorithm 1).

    Attributes:
        first: m, moving mean of the gradient.
        second: v, moving mean of its square.
        largest: Largest v so far (``amsgrad``), else ``None``.
        step: t.
        betas: Decay of m and v.
        eps: Added to √v̂.
    """

    first: Tensor
    second: Tensor
    largest: Tensor | None
    step: int
    betas: tuple[float, float]
    eps: float

    def to(self, device: torch.device, dtype: torch.dtype) -> Moments:
        """The same on a device."""
        largest = None if self.largest is None else self.largest.to(device, dtype)
        first, second = self.first.to(device, dtype), self.second.to(device, dtype)
        return Moments(first, second, largest, self.step, self.betas, self.eps)


class OptimizerState:
    """A torch optimizer's ``state_dict()`` with the names of a model's parameters.

    Args:
        state: {"state": {index: {…}}, "param_groups": [{"params": [index, …], …}, …]}; opened from files with
            ``torch.load(path, weights_only=True)``.
        model: The model that was trained.

    Raises:
        InputError: It is not such a state, or which parameter is which cannot be told.
    """

    def __init__(self, state: Mapping[str, Any], model: nn.Module) -> None:
        groups = state.get("param_groups")
        if not isinstance(groups, Sequence) or not groups or not isinstance(state.get("state"), Mapping):
            raise InputError(
                "`optimizer` is not the state of a torch optimizer: it needs 'state' and 'param_groups'.",
                remedy="Give what optimizer.state_dict() returned.",
            )
        self._groups: list[dict[str, Any]] = [dict(group) for group in groups]
        self._state: dict[Any, dict[str, Any]] = {key: dict(each) for key, each in state["state"].items()}
        named = [Named(name, tuple(p.shape), p.requires_grad) for name, p in model.named_parameters()]
        self.names = matched_names(self._groups, self._state, named, model)

    def report(self) -> OptimizerReport:
        """What it is and how it was set."""
        groups = tuple(
            OptimizerGroup(float(group.get("lr", float("nan"))), _plain(group), names)
            for group, names in zip(self._groups, self.names, strict=True)
        )
        stored = tuple(name for name, entry, _ in self._entries() if "exp_avg_sq" in entry)
        return OptimizerReport(self._name(), groups, stored, self._name().startswith("Adam") and bool(stored))

    def rates(self, rates: Sequence[float]) -> dict[str, float]:
        """Learning rate by parameter name from one number per parameter group.

        Raises:
            InputError: Another number of rates than groups.
        """
        if len(rates) != len(self.names):
            raise InputError(
                f"{len(rates)} learning rates were given for the {len(self.names)} parameter groups of the "
                "optimizer.",
                remedy="Give one per group, in the order of the groups.",
            )
        return {name: float(rate) for rate, names in zip(rates, self.names, strict=True) for name in names}

    def moments(self, names: Sequence[str]) -> dict[str, Moments]:
        """Adam's moments of the parameters ``names``.

        Raises:
            InputError: Another optimizer, or a parameter has no moments.
        """
        if not self._name().startswith("Adam"):
            raise InputError(
                f"The optimizer is {self._name()}, not Adam or AdamW, so it has no second moments.",
                remedy="Leave `preconditioner` out: scores in SGD form need no optimizer.",
            )
        found = {name: _moments(entry, group) for name, entry, group in self._entries() if entry}
        missing = [name for name in names if name not in found]
        if missing:
            raise InputError(
                f"The optimizer state holds no moments for {len(missing)} of {len(names)} parameters, for "
                f"example '{missing[0]}'.",
                remedy="Give the state saved with this checkpoint after at least one step, or choose with "
                "`layers` the parameters that were trained.",
            )
        return {name: found[name] for name in names}

    def _entries(self) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
        return [
            (name, self._state.get(key, {}), group)
            for group, names in zip(self._groups, self.names, strict=True)
            for key, name in zip(group["params"], names, strict=True)
        ]

    def _name(self) -> str:
        group = self._groups[0]
        if "amsgrad" in group and "betas" in group:  # NAdam, RAdam and Adamax have betas alone
            decoupled = group.get("decoupled_weight_decay")
            return "Adam or AdamW" if decoupled is None else "AdamW" if decoupled else "Adam"
        marks = (("nesterov", "SGD"), ("centered", "RMSprop"), ("lr_decay", "Adagrad"))
        return next((name for mark, name in marks if mark in group), "unknown")


def _moments(entry: dict[str, Any], group: dict[str, Any]) -> Moments:
    needed = [key for key in ("exp_avg", "exp_avg_sq", "step") if key not in entry]
    if needed or (group.get("amsgrad") and "max_exp_avg_sq" not in entry):
        raise InputError(
            f"The optimizer state is incomplete: it lacks {', '.join(needed) or 'max_exp_avg_sq'}.",
            remedy="Give all that optimizer.state_dict() returned.",
        )
    if group.get("maximize"):
        raise InputError(
            "The optimizer maximised its objective (maximize=True), so losses would have the wrong sign.",
            remedy="Leave `preconditioner` out.",
        )
    step, (first, second) = int(entry["step"]), group["betas"]
    if step < 1 or not bool((entry["exp_avg_sq"] >= 0).all()):
        raise InputError(
            f"The optimizer state is not one of Adam: {step} steps, or negative second moments.",
            remedy="Give the state saved with this checkpoint.",
        )
    largest = entry["max_exp_avg_sq"] if group.get("amsgrad") else None
    betas = (float(first), float(second))
    return Moments(entry["exp_avg"], entry["exp_avg_sq"], largest, step, betas, float(group["eps"]))


def _plain(group: dict[str, Any]) -> dict[str, Any]:
    kinds = (bool, int, float, str, tuple, list)
    left_out = ("params", "param_names", "lr")
    return {key: value for key, value in group.items() if key not in left_out and isinstance(value, kinds)}
