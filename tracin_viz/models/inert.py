"""Harmless stand-ins for the few classes that trainers put beside their weights.

A pickle names classes and asks for them to be built. Trainers name some that hold nothing but plain
values: timm and the torchvision references an ``argparse.Namespace`` of their arguments, Lightning users a
path, fastai a list of its own. Refusing those files would refuse most checkpoints there are, and building
the named classes would run their code. So those names get a class of ours that keeps what it is given and
does nothing; the libraries are neither imported nor called. Every other name stays refused.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

_FORMATS = {"f4": "f", "f8": "d", "f2": "e", "i1": "b", "i2": "h", "i4": "i", "i8": "q", "b1": "?"}
_FORMATS |= {"u1": "B", "u2": "H", "u4": "I", "u8": "Q"}


class Inert:
    """What a pickle wanted to build: its arguments and its attributes, nothing else."""

    given: tuple[Any, ...]
    values: dict[str, Any]

    def __new__(cls, *given: Any) -> Inert:  # noqa: D102 - the class says it
        made = super().__new__(cls)
        made.__dict__["given"] = given
        made.__dict__["values"] = {}
        return made

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, tuple) and state and isinstance(state[0], dict):
            state = state[0]
        self.__dict__["values"] = dict(state) if isinstance(state, dict) else {"state": state}


class NumberType(Inert):
    """Stand-in for ``numpy.dtype``: knows how one plain number is stored."""

    def decoded(self, stored: bytes) -> float | None:
        """The number in ``stored``; ``None`` for anything that is not one plain number."""
        code = str(self.given[0]).lstrip("<=|>") if self.given else ""
        state = self.values.get("state")
        order = state[1] if isinstance(state, tuple) and len(state) > 1 else "<"
        form = _FORMATS.get(code)
        if form is None or not isinstance(stored, bytes) or struct.calcsize(form) != len(stored):
            return None
        return float(struct.unpack((">" if order == ">" else "<") + form, stored)[0])


def number(kind: Any = None, stored: Any = b"") -> float | None:
    """Stand-in for numpy's scalar: the number itself."""
    return kind.decoded(_bytes(stored)) if isinstance(kind, NumberType) else None


def _bytes(stored: Any) -> bytes:
    return stored.encode("latin-1", "replace") if isinstance(stored, str) else stored


def path_text(*parts: Any) -> str:
    """Stand-in for a path: its text, which nobody opens."""
    return "/".join(str(part) for part in parts)


#: The whole allow-list: what a pickle may name, and what it gets.
STAND_INS: tuple[tuple[Callable[..., Any], str], ...] = (
    (Inert, "argparse.Namespace"),
    (Inert, "types.SimpleNamespace"),
    (Inert, "fastcore.foundation.L"),
    (Inert, "lightning.fabric.utilities.data.AttributeDict"),
    (Inert, "lightning_fabric.utilities.data.AttributeDict"),
    (Inert, "pytorch_lightning.utilities.parsing.AttributeDict"),
    *((path_text, f"{module}.{kind}") for module in ("pathlib", "pathlib._local") for kind in (
        "PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath", "Path"
    )),
    (number, "numpy._core.multiarray.scalar"),
    (number, "numpy.core.multiarray.scalar"),
    (NumberType, "numpy.dtype"),
    *((NumberType, f"numpy.dtypes.{kind}DType") for kind in ("Float64", "Float32", "Int64", "Int32", "Bool")),
)  # fmt: skip

#: Their names, for messages and tests.
ALLOWED = frozenset(name for _, name in STAND_INS)
