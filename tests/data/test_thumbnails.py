from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tracin_viz.data.thumbnails import thumbnail


def opened(content: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(content))
    assert picture.format == "WEBP"
    return picture


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_tiny_pictures_grow_by_whole_squares_without_new_colours(mode):
    small = Image.fromarray(np.random.default_rng(0).integers(0, 256, (28, 28, 3), dtype=np.uint8)).convert(
        mode
    )
    large = opened(thumbnail(small, 128))
    assert large.size == (112, 112)
    expected = np.asarray(small.convert("RGB")).repeat(4, axis=0).repeat(4, axis=1)
    assert np.array_equal(np.asarray(large.convert("RGB")), expected)


@pytest.mark.parametrize(
    ("size", "expected"), [((400, 200), (128, 64)), ((100, 90), (100, 90)), ((1, 900), (1, 128))]
)
def test_large_pictures_shrink_and_middling_ones_stay(size, expected):
    assert opened(thumbnail(Image.new("RGB", size), 128)).size == expected


def test_the_content_itself_is_not_changed():
    picture = Image.new("RGB", (400, 400))
    thumbnail(picture, 64)
    assert picture.size == (400, 400)
