"""The bytes that the map and its page exchange (docs/decisions/0050-map-and-gallery.md).

Down, by HTTP, little-endian, each with a head of eight bytes: a mark of four letters, the number of points.

    TVxy  float32 x, y per point; NaN = not on the map
    TVcc  uint8 or uint16 category per point (two bytes per point when there are more than 256 categories)
    TVrr  uint32 row per point
    TVmm  one bit per point, the lowest first: the selection

Up, in a message: the bits of the selection as base64.
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from tracin_viz.errors import InputError
from tracin_viz.ui.blobs import Blob

#: Categories that two bytes can tell apart.
MOST_CATEGORIES = 1 << 16
#: Drawn instead of a shape of its own: small and grey.
PLAIN = -1
#: Shapes that the drawing knows: disc, square, triangle, diamond, triangle down, plus, cross, ring.
SHAPES = 8

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Category:
    """One entry of the legend.

    Attributes:
        name: As the data say it.
        count: Points of it.
        colour: ``#rrggbb``; empty = the theme's grey.
        shape: 0 to 7, beside the colour, so that nothing depends on seeing colours; ``PLAIN`` = grey dot.
    """

    name: str
    count: int
    colour: str = ""
    shape: int = PLAIN


class Points:
    """Where the points are, encoded once.

    Args:
        coordinates: (n, 2) places; not finite ones are not drawn and cannot be selected.
        rows: (n,) row that each point stands for; ``None`` = point i is row i.
        frame: Least x and y, largest x and y of the whole map, where this is a part of it: the view stays.
    """

    def __init__(
        self,
        coordinates: npt.NDArray[np.floating],
        rows: npt.NDArray[np.integer] | None = None,
        frame: tuple[float, float, float, float] | None = None,
    ) -> None:
        if coordinates.ndim != 2 or coordinates.shape[1] != 2:
            raise InputError(f"Points need two coordinates each, got an array of shape {coordinates.shape}.")
        if rows is not None and len(rows) != len(coordinates):
            raise InputError(f"{len(rows)} rows do not fit {len(coordinates)} points.")
        self.count = len(coordinates)
        self.frame = frame
        self.places = Blob(_head(b"TVxy", self.count) + np.ascontiguousarray(coordinates, "<f4").tobytes())
        self.rows = None if rows is None else Blob(_head(b"TVrr", self.count) + rows.astype("<u4").tobytes())


def frame_of(coordinates: npt.NDArray[np.floating]) -> tuple[float, float, float, float] | None:
    """Least x and y, largest x and y of the finite places; ``None`` where there are none."""
    placed = coordinates[np.isfinite(coordinates).all(axis=1)]
    if not len(placed):
        return None
    (left, bottom), (right, top) = placed.min(axis=0).tolist(), placed.max(axis=0).tolist()
    return left, bottom, right, top


class Colouring:
    """What the colours mean.

    Args:
        title: Of the legend.
        codes: (n,) category of each point.
        categories: By code.

    Raises:
        InputError: A code without a category, or more categories than two bytes can tell apart.
    """

    def __init__(self, title: str, codes: npt.NDArray[np.integer], categories: Sequence[Category]) -> None:
        if len(categories) > MOST_CATEGORIES:
            raise InputError(f"{len(categories)} categories are too many for a legend.")
        if len(codes) and (codes.min() < 0 or codes.max() >= len(categories)):
            raise InputError(
                f"Codes {codes.min()} to {codes.max()} do not fit {len(categories)} categories of '{title}'."
            )
        self.title = title
        self.codes = codes
        self.categories = tuple(categories)

    @cached_property
    def blob(self) -> Blob:
        """The encoded codes."""
        kind = "<u1" if len(self.categories) <= 256 else "<u2"
        return Blob(_head(b"TVcc", len(self.codes)) + self.codes.astype(kind).tobytes())


def encode_mask(mask: Mask) -> Blob:
    """The selection, as the browser reads it."""
    return Blob(_head(b"TVmm", len(mask)) + np.packbits(mask, bitorder="little").tobytes())


def decode_mask(message: object, count: int) -> Mask:
    """The selection that a browser sent.

    Args:
        message: Base64 of one bit per point; anything at all, since it comes from outside.
        count: Points of the map.

    Returns:
        (count,) True where selected.

    Raises:
        InputError: The message is not that.
    """
    remedy = "Reload the page and select again."
    if not isinstance(message, str) or len(message) > 4 * (count // 8 + 3):
        raise InputError("The selection that the browser sent is not a list of points.", remedy=remedy)
    try:
        packed = np.frombuffer(base64.b64decode(message.encode("ascii"), validate=True), dtype=np.uint8)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise InputError(
            "The selection that the browser sent is not a list of points.", remedy=remedy
        ) from error
    if len(packed) != (count + 7) // 8:
        raise InputError(f"The selection that the browser sent does not fit {count} points.", remedy=remedy)
    return np.unpackbits(packed, count=count, bitorder="little").astype(bool)


def _head(mark: bytes, count: int) -> bytes:
    return mark + struct.pack("<I", count)
