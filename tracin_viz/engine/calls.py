"""What the interception hands to a rule: one call, and the tensors in it that are made of parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

Key = tuple[str, tuple[str, ...]]


@dataclass
class Source:
    """A tensor made of parameters only.

    Attributes:
        tensor: The tensor (kept, so that its ``id`` stays its own during the pass).
        names: Parameters it is computed from.
        shadow: The same value with an autograd graph to shadow leaves; ``None`` for a parameter itself.
        ids: For rows looked up in a table by constant ids: those ids.
    """

    tensor: Tensor
    names: tuple[str, ...]
    shadow: Tensor | None = None
    ids: Tensor | None = None


@dataclass
class Call:
    """One intercepted call.

    Attributes:
        name: Name of the operation, without overload ("linear", "conv2d", "__add__").
        func: The function to run.
        args: Positional arguments.
        kwargs: Keyword arguments.
        sources: Those of the arguments that are sources.
    """

    name: str
    func: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    sources: list[Source]

    def get(self, position: int, keyword: str, default: Any = None) -> Any:
        """The argument at ``position`` or called ``keyword``."""
        if position < len(self.args):
            return self.args[position]
        return self.kwargs.get(keyword, default)

    def run(self) -> Any:
        """The result of the call as the model wrote it."""
        return self.func(*self.args, **self.kwargs)

    @property
    def key(self) -> Key:
        """What the layout of this call is remembered under."""
        return self.name, tuple(name for source in self.sources for name in source.names)


def name_of(func: Any) -> str:
    """Name of an operation, without overload."""
    name = getattr(func, "__name__", str(func))
    return name.partition(".")[0] if isinstance(func, torch._ops.OpOverload) else name


def tensors_in(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[Tensor]:
    """The tensors among arguments, also inside lists and tuples."""
    for value in (*args, *kwargs.values()):
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from tensors_in(tuple(value), {})


def replaced(value: Any, by: Callable[[Tensor], Tensor]) -> Any:
    """``value`` with ``by(tensor)`` in the place of each tensor inside it."""
    if isinstance(value, Tensor):
        return by(value)
    if isinstance(value, list | tuple):
        return type(value)(replaced(entry, by) for entry in value)
    if isinstance(value, dict):
        return {key: replaced(entry, by) for key, entry in value.items()}
    return value
