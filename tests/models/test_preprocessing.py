from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tracin_viz.errors import InputError
from tracin_viz.models.preprocessing import ImagePreprocessing

SIZES = [(28, 28), (40, 30), (31, 47), (20, 60)]


def pictures(mode: str = "RGB", sizes: list[tuple[int, int]] = SIZES) -> list[Image.Image]:
    generator = np.random.default_rng(0)
    arrays = [generator.integers(0, 256, (height, width, 3), dtype=np.uint8) for width, height in sizes]
    return [Image.fromarray(array).convert(mode) for array in arrays]


PROCESSORS: dict[str, tuple[str, dict[str, Any]]] = {
    "vit": ("ViTImageProcessorPil", {"size": {"height": 24, "width": 20}}),
    "vit, other numbers": (
        "ViTImageProcessorPil",
        {
            "size": {"height": 32, "width": 32},
            "resample": 3,
            "image_mean": [0.4, 0.5, 0.6],
            "image_std": [0.2] * 3,
        },
    ),
    "vit, not normalised": (
        "ViTImageProcessorPil",
        {"size": {"height": 9, "width": 9}, "do_normalize": False},
    ),
    "clip": (
        "CLIPImageProcessorPil",
        {"size": {"shortest_edge": 24}, "crop_size": {"height": 20, "width": 22}},
    ),
    "clip, crop larger than the picture": (
        "CLIPImageProcessorPil",
        {"size": {"shortest_edge": 17}, "crop_size": {"height": 24, "width": 26}},
    ),
    "convnext": ("ConvNextImageProcessorPil", {"size": {"shortest_edge": 32}, "crop_pct": 0.875}),
    "convnext, large": ("ConvNextImageProcessorPil", {"size": {"shortest_edge": 384}}),
    "deit": (
        "DeiTImageProcessorPil",
        {"size": {"height": 30, "width": 30}, "crop_size": {"height": 26, "width": 26}},
    ),
}


@pytest.mark.parametrize("case", PROCESSORS)
def test_pixels_equal_those_of_the_hugging_face_processor(case):
    import transformers

    name, options = PROCESSORS[case]
    processor = getattr(transformers, name)(**options)
    ours = ImagePreprocessing.from_config(json.loads(processor.to_json_string()), channels=3).apply(
        pictures()
    )
    theirs = np.stack([processor(picture, return_tensors="np")["pixel_values"][0] for picture in pictures()])
    assert ours.dtype == np.float32 and ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, atol=2e-6)


def test_grey_networks_get_one_channel_and_colour_networks_three():
    config = {"size": 16, "image_mean": 0.5, "image_std": 0.5}
    grey = ImagePreprocessing.from_config(config, channels=1)
    colour = ImagePreprocessing.from_config(config, channels=3)
    for mode in ("L", "RGB"):
        assert grey.apply(pictures(mode)).shape == (4, 1, 16, 16)
        assert colour.apply(pictures(mode)).shape == (4, 3, 16, 16)
    assert np.array_equal(grey.apply(pictures("L")), colour.apply(pictures("L"))[:, :1])


def test_three_equal_numbers_serve_a_network_of_one_channel():
    config = {"size": 16, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    assert ImagePreprocessing.from_config(config, channels=1).mean == (0.5,)


def test_a_thousand_digits_take_less_than_a_fifth_of_a_second():
    settings = ImagePreprocessing.from_config(
        {"size": 28, "image_mean": [0.5], "image_std": [0.5]}, channels=1
    )
    digits = pictures("L", [(28, 28)] * 1000)
    best = min(_seconds(settings, digits) for _ in range(5))
    assert best < 0.2


def _seconds(settings: ImagePreprocessing, digits: list[Image.Image]) -> float:
    start = time.process_time()
    settings.apply(digits)
    return time.process_time() - start


def test_pictures_that_stay_different_in_size_are_refused_with_their_sizes():
    with pytest.raises(InputError, match=r"28 × 28.*do_resize"):
        ImagePreprocessing.from_config({"do_resize": False}, channels=3).apply(pictures())


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"do_pad": True}, "do_pad"),
        ({"rescale_offset": True}, "rescale_offset"),
        ({"size": "large"}, "size = large"),
        ({"size": {"height": 0, "width": 4}}, "size = 0"),
        ({"size": 10**9}, "size = 1000000000"),
        ({"size": {"longest_edge": 4}}, "size"),
        ({"resample": 17}, "resample = 17"),
        ({"resample": [2]}, "resample"),
        ({"image_mean": [0.5, 0.5]}, "(image_mean): it has 2 numbers for 3 channels"),
        ({"image_std": [0.5, 0.0, 0.5]}, "(image_std): it holds a number that is not positive"),
        ({"image_std": None}, "image_std = None"),
        ({"image_mean": 1e308}, "image_mean = 1e+308"),
        ({"rescale_factor": 1e308}, "rescale_factor"),
        ({"rescale_factor": "x"}, "rescale_factor"),
        ({"do_center_crop": True, "crop_size": []}, "crop_size"),
    ],
)
def test_settings_that_are_not_known_or_make_no_sense_are_refused_never_skipped(change, named):
    good = {"size": 16, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    assert ImagePreprocessing.from_config(good, channels=3)
    with pytest.raises(InputError) as caught:
        ImagePreprocessing.from_config(good | change, channels=3)
    assert named in str(caught.value) and "preprocessor_config.json" in str(caught.value)
