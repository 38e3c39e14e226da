"""Content keys: equal content gives an equal key, on any machine and in any version that shares FORMAT.

Values are hashed with their type and length in front, so ``1``, ``"1"``, ``b"1"``, ``1.0`` and ``True``
differ, and so do ``["ab", "c"]`` and ``["a", "bc"]``. Identity is never a name, a length or a file time.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from hashlib import _Hash

#: Raised when the meaning of stored bytes changes; old artifacts are then simply not found.
FORMAT = 2
#: Bytes of a class name in a link, each written in up to three letters; mail programs cut long links.
LONGEST_IN_ADDRESS = 120


def fingerprint(value: object) -> str:
    """Hexadecimal key (40 digits) of a nested value.

    Args:
        value: ``None``, bool, int, float, str, bytes, a numpy array, or lists, tuples and string-keyed
            mappings of those. The order of a mapping's keys does not matter.

    Raises:
        TypeError: A value of another kind, which could not be told apart safely.
    """
    digest = hashlib.sha256()
    _feed(digest, value)
    return digest.hexdigest()[:40]


def in_address(name: str) -> str:
    """``name`` as a link holds it: itself, or ``~`` and a digest where it is too long for that."""
    is_long = len(name.encode("utf-8", "replace")) > LONGEST_IN_ADDRESS
    return name if not is_long else f"~{fingerprint(name)[:16]}"


def from_address(word: str, names: Iterable[str]) -> str | None:
    """The one of ``names`` that ``in_address`` writes as ``word``; ``None`` where there is none."""
    is_digest = word.startswith("~")
    return next((name for name in names if name == word or (is_digest and in_address(name) == word)), None)


def fingerprint_file(path: Path) -> str:
    """Key (40 digits) of a file's bytes, read in pieces of 1 MiB."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()[:40]


def _feed(digest: _Hash, value: Any) -> None:
    if value is None:
        _put(digest, b"n", b"")
    elif isinstance(value, bool):
        _put(digest, b"b", bytes([value]))
    elif isinstance(value, int):
        _put(digest, b"i", str(value).encode())
    elif isinstance(value, float):
        _put(digest, b"f", struct.pack("<d", value))
    elif isinstance(value, str):
        _put(digest, b"s", value.encode("utf-8", "surrogatepass"))
    elif isinstance(value, bytes):
        _put(digest, b"y", value)
    elif isinstance(value, np.ndarray):
        _put(digest, b"a", f"{value.dtype.str}{value.shape}".encode())
        _put(digest, b"y", np.ascontiguousarray(value).tobytes())
    elif isinstance(value, Mapping):
        _put(digest, b"m", str(len(value)).encode())
        for key in sorted(value):
            _feed(digest, key)
            _feed(digest, value[key])
    elif isinstance(value, Sequence):
        _put(digest, b"l", str(len(value)).encode())
        for entry in value:
            _feed(digest, entry)
    else:
        raise TypeError(f"a {type(value).__name__} has no content key; pass plain values or arrays")


def _put(digest: _Hash, kind: bytes, content: bytes) -> None:
    digest.update(kind + struct.pack("<Q", len(content)) + content)
