from __future__ import annotations

import gzip
from itertools import pairwise

import numpy as np
import pytest

from tracin_viz.data import packed_stream
from tracin_viz.data.packed_stream import GzipStream
from tracin_viz.errors import InputError


@pytest.fixture
def content() -> bytes:
    generator = np.random.default_rng(4)
    return b"".join(generator.bytes(3000) + bytes(5000) for _ in range(400))


@pytest.mark.parametrize("members", [1, 3])
@pytest.mark.parametrize("states", [512, 4])
def test_reading_anywhere_equals_a_slice_of_the_unpacked_file(
    tmp_path, monkeypatch, content, members, states
):
    monkeypatch.setattr(packed_stream, "SPACING", 1 << 16)
    monkeypatch.setattr(packed_stream, "STATES", states)
    cuts = np.linspace(0, len(content), members + 1).astype(int)
    packed = b"".join(gzip.compress(content[a:b]) for a, b in pairwise(cuts))
    (tmp_path / "x.gz").write_bytes(packed + bytes(512))
    stream = GzipStream(tmp_path / "x.gz")
    generator = np.random.default_rng(5)
    for _ in range(150):
        start, count = int(generator.integers(len(content) + 10)), int(generator.integers(40_000))
        stream.seek(start)
        assert stream.read(count) == content[start : start + count]
        assert stream.read(7) == content[start + count : start + count + 7]
    stream.seek(0)
    assert stream.read() == content


@pytest.mark.parametrize("damage", ["cut", "checksum", "trailing"])
def test_a_damaged_gzip_file_is_refused_when_it_is_opened(tmp_path, content, damage):
    packed = bytearray(gzip.compress(content))
    if damage == "cut":
        packed = packed[:-100]
    elif damage == "checksum":
        packed[-6] ^= 1
    else:
        packed += b"more"
    (tmp_path / "x.gz").write_bytes(bytes(packed))
    with pytest.raises(InputError, match="not a gzip archive that can be read"):
        GzipStream(tmp_path / "x.gz")


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    (tmp_path / "x.gz").write_bytes(gzip.compress(bytes(1 << 26)))
    unpacked = []
    advance = GzipStream._advance
    monkeypatch.setattr(GzipStream, "_advance", lambda self: unpacked.append(1) or advance(self))
    with pytest.raises(InputError, match="200-fold"):
        GzipStream(tmp_path / "x.gz")
    assert len(unpacked) <= 18  # pieces of 1 MiB: it stopped at 16 of 64
