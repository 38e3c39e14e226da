from __future__ import annotations

import io
import threading
import warnings

import numpy as np
import pytest
from PIL import Image

from tracin_viz.data import images as module
from tracin_viz.data.images import check_header, decode
from tracin_viz.errors import InputError


def stored(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    output = io.BytesIO()
    picture.save(output, kind, **options)
    return output.getvalue()


def test_sixteen_bit_greys_are_scaled_to_eight():
    values = np.array([[0, 128, 257, 32896, 65535]], dtype=np.uint16)
    result = decode(stored(Image.fromarray(values)), "x")
    assert result.mode == "L"
    assert np.asarray(result).tolist() == [[0, 0, 1, 128, 255]]


@pytest.mark.parametrize(
    ("mode", "becomes"), [("1", "L"), ("L", "L"), ("LA", "L"), ("P", "RGB"), ("RGB", "RGB"), ("RGBA", "RGB")]
)
def test_every_png_mode_becomes_grey_or_colour(mode, becomes):
    picture = Image.new("RGBA", (3, 2), (255, 0, 0, 128)).convert(mode)
    result = decode(stored(picture), "x")
    assert result.mode == becomes and result.size == (3, 2)


def test_cmyk_becomes_rgb():
    result = decode(stored(Image.new("CMYK", (2, 2), (0, 255, 255, 0)), "JPEG", quality=100), "x")
    assert result.mode == "RGB"
    red, green, blue = result.getpixel((0, 0))
    assert red > 240 and green < 15 and blue < 15


def test_the_first_frame_of_an_animation_is_taken():
    frames = [Image.new("RGB", (2, 2), colour) for colour in ((200, 0, 0), (0, 200, 0))]
    result = decode(stored(frames[0], "GIF", save_all=True, append_images=frames[1:]), "x")
    assert result.convert("RGB").getpixel((0, 0)) == (200, 0, 0)


def test_exif_orientation_is_applied():
    picture = Image.new("L", (4, 2), 0)
    picture.putpixel((0, 0), 255)
    exif = Image.Exif()
    exif[0x0112] = 6  # shown upright after a quarter turn clockwise
    result = decode(stored(picture, exif=exif), "x")
    assert result.size == (2, 4)
    assert result.getpixel((1, 0)) == 255


def test_damaged_exif_leaves_the_picture_as_stored():
    exif = b"Exif\x00\x00II*\x00\xff\xff\xff\xff"
    result = decode(stored(Image.new("RGB", (4, 2), (9, 9, 9)), "JPEG", exif=exif), "x")
    assert result.size == (4, 2)


def test_floating_point_pixels_are_refused():
    content = stored(Image.fromarray(np.ones((2, 2), dtype=np.float32)), "TIFF")
    with pytest.raises(InputError, match=r"floating-point.*8 or 16 bits"):
        decode(content, "x.tif")


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(monkeypatch):
    content = stored(Image.new("L", (300, 300)))
    monkeypatch.setattr(module, "MAX_PIXELS", 300 * 300)
    assert decode(content, "x").size == (300, 300)
    monkeypatch.setattr(module, "MAX_PIXELS", 300 * 300 - 1)
    for look in (decode, check_header):
        with pytest.raises(InputError, match="300 × 300 pixels"):
            look(content, "big.png")


@pytest.mark.parametrize("side", [10_000, 15_000, 60_000])
def test_a_decompression_bomb_is_an_input_error_and_no_warning(side):
    tiny = stored(Image.new("1", (8, 8)), "BMP")
    bomb = tiny[:18] + side.to_bytes(4, "little") * 2 + tiny[26:]
    with pytest.raises(InputError, match="pixels"):
        check_header(bomb, "bomb.bmp")


def test_postscript_is_never_given_to_its_decoder():
    with pytest.raises(InputError, match="no known image format"):
        decode(stored(Image.new("RGB", (2, 2)), "EPS"), "x.png")


def test_damaged_bytes_give_a_picture_or_an_input_error_and_nothing_else():
    generator = np.random.default_rng(0)
    noise = Image.fromarray(generator.integers(0, 256, (16, 16, 3), dtype=np.uint8))
    kinds = [stored(noise, kind) for kind in ("PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP", "PPM")]
    outcomes = set()
    for round_ in range(700):
        content = bytearray(kinds[round_ % len(kinds)])
        for _ in range(int(generator.integers(1, 6))):
            content[int(generator.integers(len(content)))] = int(generator.integers(256))
        cut = len(content) if round_ % 3 else int(generator.integers(1, len(content)))
        try:
            outcomes.add(decode(bytes(content[:cut]), "x").mode)
        except InputError:
            outcomes.add("refused")
    assert {"RGB", "refused"} <= outcomes


def test_warning_filters_are_as_before_after_threads_have_decoded():
    content = stored(Image.new("RGB", (64, 64)))
    before = list(warnings.filters)
    threads = [threading.Thread(target=lambda: [decode(content, "x") for _ in range(50)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(warnings.filters) == before
