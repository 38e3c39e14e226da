"""Groups of queries that are asked about together, and the gradient of each group.

Gradients are linear: that of Σ_q w_q ℓ(z_q) is Σ_q w_q ∇ℓ(z_q). So a group is held as one gradient and costs
the training data what one query costs, however many members it has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from tracin_viz.engine.batches import length
from tracin_viz.engine.forms import Dense, Factors, Form, Lookup
from tracin_viz.errors import InputError


@dataclass(frozen=True)
class Groups:
    """Queries asked about together; given in the place of ``queries``, each group is answered as one query.

    Attributes:
        queries: Data set of (inputs, target), or inputs for ``score_influence``.
        members: For each group the rows of ``queries`` that belong to it; a query may be in several groups.
        weights: For each group one number per member; ``None`` = the mean of the members (1/n each). All ones
            give the sum.

    Raises:
        InputError: A group is empty, names rows that do not exist, or has another number of weights.
    """

    queries: Any
    members: Sequence[Sequence[int]]
    weights: Sequence[Sequence[float]] | None = None

    def __post_init__(self) -> None:
        count = length(self.queries)
        if not len(self.members):
            raise InputError("There is no group.", remedy="Give the rows of each group: [[0, 3, 5], [1, 2]].")
        if self.weights is not None and len(self.weights) != len(self.members):
            raise InputError(f"There are {len(self.members)} groups and weights for {len(self.weights)}.")
        for place, rows in enumerate(self.members):
            if not len(rows):
                raise InputError(f"Group {place} has no members.", remedy="Leave empty groups out.")
            wrong = [int(row) for row in rows if not 0 <= int(row) < count]
            if wrong:
                raise InputError(f"Group {place} names rows outside 0 … {count - 1}: {wrong[:5]}.")
            if self.weights is not None and len(self.weights[place]) != len(rows):
                raise InputError(
                    f"Group {place} has {len(rows)} members and {len(self.weights[place])} weights."
                )
            if self.weights is not None and not np.isfinite(self.weights[place]).all():
                raise InputError(f"A weight of group {place} is not a finite number.")

    def __len__(self) -> int:
        return len(self.members)

    def matrix(self) -> tuple[np.ndarray, np.ndarray]:
        """The rows that are a member of any group, ascending, and the weight of each, (groups, rows)."""
        rows = np.unique(np.concatenate([np.asarray(each, np.int64) for each in self.members]))
        found = np.zeros((len(self.members), len(rows)))
        for place, members in enumerate(self.members):
            weights = np.full(len(members), 1 / len(members)) if self.weights is None else self.weights[place]
            np.add.at(found[place], np.searchsorted(rows, np.asarray(members, np.int64)), weights)
        return rows, found


class GroupSums:
    """Weighted sums of per-example gradients, one for each group, collected batch by batch.

    Args:
        groups: Number of groups.
    """

    def __init__(self, groups: int) -> None:
        self.groups = groups
        self._dense: dict[str, Tensor] = {}
        self._rows: dict[str, list[tuple[Tensor, Tensor]]] = {}
        self._shapes: dict[str, tuple[int, ...]] = {}

    def add(self, name: str, form: Form, weights: Tensor) -> None:
        """Adds the gradients of one parameter for a batch; ``weights`` (groups, B)."""
        self._shapes[name] = form.shape
        weights = weights.to(*_kind(form))
        if isinstance(form, Lookup) and name not in self._dense:
            self._add_rows(name, form, weights)
            return
        added = _combined(form, weights)
        if name in self._rows:
            self._dense[name] = self._table(name, self._rows.pop(name))
        self._dense[name] = self._dense[name] + added if name in self._dense else added

    def forms(self) -> dict[str, Form]:
        """The sums: by parameter one form with as many examples as there are groups."""
        found: dict[str, Form] = {
            name: Dense(values.reshape(self.groups, *self._shapes[name]), self._shapes[name])
            for name, values in self._dense.items()
        }
        for name, parts in self._rows.items():
            steps = max(len(ids) for ids, _ in parts)
            ids = [functional.pad(ids, (0, steps - len(ids))) for ids, _ in parts]
            values = [functional.pad(values, (0, 0, 0, steps - len(values))) for _, values in parts]
            found[name] = Lookup(torch.stack(ids), torch.stack(values), self._shapes[name])
        return found

    def _add_rows(self, name: str, form: Lookup, weights: Tensor) -> None:
        """Rows of a table stay rows: written out, a vocabulary would not fit."""
        width = form.values.shape[2]
        none = (form.ids.new_zeros(0), form.values.new_zeros(0, width))
        parts = self._rows.setdefault(name, [none] * self.groups)
        for group in range(self.groups):
            used = weights[group].nonzero()[:, 0]
            if len(used):
                factor = weights[group, used, None, None]
                ids = torch.cat([parts[group][0], form.ids[used].reshape(-1)])
                values = torch.cat([parts[group][1], (form.values[used] * factor).reshape(-1, width)])
                parts[group] = _merged(ids, values)

    def _table(self, name: str, parts: list[tuple[Tensor, Tensor]]) -> Tensor:
        whole = parts[0][1].new_zeros(self.groups, *self._shapes[name])
        for group, (ids, values) in enumerate(parts):
            whole[group].index_add_(0, ids, values)
        return whole.flatten(1)


def _merged(ids: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
    """Each id once, with the sum of its rows."""
    rows, place = torch.unique(ids, return_inverse=True)
    return rows, values.new_zeros(len(rows), values.shape[1]).index_add_(0, place, values)


def _combined(form: Form, weights: Tensor) -> Tensor:
    """``weights`` (groups, B) times the gradients, (groups, P); factors are not written out."""
    if not isinstance(form, Factors):
        return weights @ form.written_out()
    left, right = form.left, form.right
    found = left.new_zeros(len(weights), left.shape[2] * right.shape[2])
    for group, each in enumerate(weights):
        used = each.nonzero()[:, 0]
        if len(used):
            scaled = left[used] * each[used, None, None]
            found[group] = (scaled.flatten(0, 1).t() @ right[used].flatten(0, 1)).reshape(-1)
    return found


def _kind(form: Form) -> tuple[torch.device, torch.dtype]:
    """Where and in which number type the gradients are."""
    tensors = [value for value in vars(form).values() if isinstance(value, Tensor)]
    values = next(tensor for tensor in tensors if tensor.is_floating_point())
    return values.device, values.dtype
