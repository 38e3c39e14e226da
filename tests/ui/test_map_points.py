"""The map's bytes: what goes down can be read back, and what comes up is believed only if it fits."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from tracin_viz.errors import InputError
from tracin_viz.ui.blobs import Blob, Blobs
from tracin_viz.ui.components.scatter import Category, Colouring, Points
from tracin_viz.ui.components.scatter.points import decode_mask, encode_mask


def read(blob: Blob, mark: bytes, kind: str) -> np.ndarray:
    assert blob.body[:4] == mark
    return np.frombuffer(blob.body[8:], dtype=kind)


def test_places_rows_and_codes_are_as_documented():
    coordinates = np.random.default_rng(0).normal(size=(1_001, 2))
    coordinates[7] = np.nan
    points = Points(coordinates, rows=np.arange(1_001) * 3)
    assert np.array_equal(
        read(points.places, b"TVxy", "<f4").reshape(-1, 2), coordinates.astype("f4"), equal_nan=True
    )
    assert points.rows is not None
    assert read(points.rows, b"TVrr", "<u4").tolist() == [3 * place for place in range(1_001)]
    for number, kind in ((3, "<u1"), (256, "<u1"), (257, "<u2")):
        codes = np.arange(1_001) % number
        blob = Colouring("x", codes, [Category(str(n), 0) for n in range(number)]).blob
        assert np.array_equal(read(blob, b"TVcc", kind), codes)
        assert int.from_bytes(blob.body[4:8], "little") == 1_001


def test_points_that_do_not_fit_are_refused():
    with pytest.raises(InputError):
        Points(np.zeros((3, 3)))
    with pytest.raises(InputError):
        Points(np.zeros((3, 2)), rows=np.arange(4))
    with pytest.raises(InputError):
        Colouring("x", np.array([0, 2]), [Category("a", 1), Category("b", 1)])


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 4_001])
def test_a_selection_comes_back_as_it_was(count: int):
    mask = np.random.default_rng(count).random(count) < 0.3
    down = encode_mask(mask).body[8:]
    assert np.array_equal(decode_mask(base64.b64encode(down).decode(), count), mask)


@pytest.mark.parametrize(
    "message",
    [None, 5, [1], {}, "", "AAAA", "<script>", "ÄÄ==", "A" * 10_000_000, base64.b64encode(b"x" * 4).decode()],
)
def test_a_selection_that_is_none_is_refused(message: object):
    with pytest.raises(InputError):
        decode_mask(message, 100)


def test_equal_bytes_have_one_name_and_the_longest_unused_go_first():
    blobs = Blobs(largest=250)
    first, second, third = (Blob(bytes([n]) * 100) for n in range(3))
    assert Blob(bytes(100)).name == first.name
    blobs.keep(first)
    blobs.keep(second)
    assert blobs.get(first.name) == first.body
    blobs.keep(third)
    assert blobs.get(second.name) is None
    assert blobs.get(first.name) is not None
    blobs.keep(
        Blob(bytes(10_000))
    )  # larger than everything allowed: held alone, or the map could not be shown
    assert blobs.get(Blob(bytes(10_000)).name) is not None
    assert blobs.get(first.name) is None
