"""Messages between the app and the query process: one JSON frame, then the raw bytes of each array.

Only ``send_bytes`` and ``recv_bytes`` are used: ``send`` and ``recv`` of the same class unpickle. Sizes,
types and shapes are checked before anything is built from them.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from tracin_viz.errors import JobError, Problem, TracinVizError, by_name

HEADER_LIMIT = 1 << 20
ARRAYS_LIMIT = 256 << 20
ARRAY_COUNT_LIMIT = 64
DIMENSION_LIMIT = 16
#: Types of arrays that may pass, little-endian.
DTYPES = frozenset(("|b1", "|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f2", "<f4", "<f8"))

Array = np.ndarray[Any, np.dtype[Any]]


class Wire(Protocol):
    """What is used of a connection of ``multiprocessing.connection``, on any system."""

    def send_bytes(self, buf: Any) -> None:
        """Send one frame."""

    def recv_bytes(self, maxlength: int | None = None) -> bytes:
        """Wait for one frame."""

    def poll(self, timeout: float | None = 0.0) -> bool:
        """Whether a frame, or the end, can be read within ``timeout`` seconds."""

    def close(self) -> None:
        """End the connection."""


class MalformedMessageError(JobError):
    """Bytes that are no message of this version."""


def send(wire: Wire, body: dict[str, Any], arrays: Sequence[Array] = ()) -> None:
    """Send plain values and arrays.

    Raises:
        JobError: They are larger than the limits, or of a type that may not pass.
        TypeError: ``body`` holds something JSON cannot express.
        OSError: The other side is gone.
    """
    total = sum(array.nbytes for array in arrays)
    if total > ARRAYS_LIMIT or len(arrays) > ARRAY_COUNT_LIMIT:
        raise JobError(
            f"{len(arrays)} arrays of {total >> 20} MB together are too large for one message "
            f"(at most {ARRAY_COUNT_LIMIT} arrays, {ARRAYS_LIMIT >> 20} MB).",
            remedy="Ask for fewer examples at once.",
        )
    ready = [_portable(array) for array in arrays]
    described = [{"dtype": array.dtype.str, "shape": list(array.shape)} for array in ready]
    frame = json.dumps({"body": body, "arrays": described}, default=_plain).encode()
    if len(frame) > HEADER_LIMIT:
        raise JobError(
            f"A message header of {len(frame) >> 10} KB is larger than {HEADER_LIMIT >> 10} KB.",
            remedy="Ask for fewer examples at once, or give a shorter text.",
        )
    wire.send_bytes(frame)
    for array in ready:
        if array.size:  # an empty frame cannot be told from the end on every system
            wire.send_bytes(array.reshape(-1).view(np.uint8).data)


def receive(wire: Wire, timeout: float) -> tuple[dict[str, Any], list[Array]]:
    """Wait for a message.

    Args:
        wire: Connection to read from.
        timeout: Seconds until the last of its frames must begin to arrive.

    Returns:
        The plain values, and arrays that may be written to.

    Raises:
        TimeoutError: Nothing came in time.
        MalformedMessageError: What came is no message, or larger than the limits.
        EOFError, OSError: The other side is gone.
    """
    deadline = time.monotonic() + timeout
    frame = _frame(wire, HEADER_LIMIT, deadline)
    try:
        message = json.loads(frame)
        body = message["body"]
        described = [_description(entry) for entry in message["arrays"]]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise MalformedMessageError(f"A message cannot be read: {error}.") from error
    if not isinstance(body, dict) or len(described) > ARRAY_COUNT_LIMIT:
        raise MalformedMessageError("A message has no readable body, or too many arrays.")
    if sum(size for _, _, size in described) > ARRAYS_LIMIT:
        raise MalformedMessageError(f"A message announces more than {ARRAYS_LIMIT >> 20} MB.")
    arrays = []
    for dtype, shape, size in described:
        content = _frame(wire, size, deadline) if size else b""
        if len(content) != size:
            raise MalformedMessageError(f"An array of {size} bytes arrived with {len(content)}.")
        array = np.frombuffer(bytearray(content), dtype).reshape(shape)
        if dtype.kind == "b" and array.size and array.view(np.uint8).max() > 1:
            raise MalformedMessageError("A truth value is neither 0 nor 1.")
        arrays.append(array)
    return body, arrays


def describe_error(error: TracinVizError) -> dict[str, Any]:
    """An error as plain values, for ``rebuild_error`` on the other side."""
    return {
        "class": type(error).__name__,
        "message": error.message,
        "remedy": error.remedy,
        "problems": [problem.as_dict() for problem in error.problems],
    }


def rebuild_error(described: dict[str, Any]) -> TracinVizError:
    """The error of the other side, as the same class."""
    problems = [
        Problem(**{name: str(value) for name, value in entry.items()}) for entry in described["problems"]
    ]
    return by_name(described["class"])(described["message"], remedy=described["remedy"], problems=problems)


def _portable(array: Array) -> Array:
    array = np.asarray(array, order="C")
    little = array.dtype.newbyteorder("<")
    if little.str not in DTYPES:
        raise JobError(
            f"Arrays of type {array.dtype} cannot be sent.", remedy="Send numbers or truth values."
        )
    return array.astype(little, copy=False)


def _description(entry: dict[str, Any]) -> tuple[np.dtype[Any], tuple[int, ...], int]:
    name, shape = entry["dtype"], entry["shape"]
    if name not in DTYPES:
        raise ValueError(f"arrays of type {name!r} are not allowed")
    if not isinstance(shape, list) or len(shape) > DIMENSION_LIMIT:
        raise ValueError("a shape must be a short list")
    if not all(type(length) is int and 0 <= length <= ARRAYS_LIMIT for length in shape):
        raise ValueError(f"shape {shape} is impossible")
    dtype = np.dtype(name)
    return dtype, tuple(shape), math.prod(shape) * dtype.itemsize


def _frame(wire: Wire, limit: int, deadline: float) -> bytes:
    if not wire.poll(max(0.0, deadline - time.monotonic())):
        raise TimeoutError("nothing arrived in time")
    return wire.recv_bytes(limit)


def _plain(value: object) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} cannot be put into a message header")
