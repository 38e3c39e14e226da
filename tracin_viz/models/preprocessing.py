"""From pictures to ``pixel_values``, as ``preprocessor_config.json`` says.

The steps and their order are those of the Hugging Face image processors: resize, centre crop, rescale,
normalise. Settings that are not known here are refused, never skipped: a model that sees other pictures
than in training gives influences without meaning.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from tracin_viz.data.dataset import Content
from tracin_viz.data.problems import shown
from tracin_viz.errors import InputError

_FILE = "preprocessor_config.json"
_DONE = frozenset(
    {"do_resize", "do_center_crop", "do_rescale", "do_normalize", "do_convert_rgb", "do_reduce_labels"}
)
_MODES = {1: "L", 3: "RGB"}
#: Sides of a resized picture, at most; a wrong size would otherwise ask for all memory.
_MAX_SIDE = 8192
_MAX_NUMBER = 1e6
_MIN_DEVIATION = 1e-6


@dataclass(frozen=True)
class ImagePreprocessing:
    """What is done to a picture.

    Attributes:
        channels: 1 (grey) or 3 (red, green, blue).
        exact: ``(height, width)`` to resize to, or ``None``.
        shortest: Pixels of the shorter side to resize to, keeping the shape, or ``None``.
        crop: ``(height, width)`` of the centre that is kept, or ``None``.
        resample: Pillow's number of the resampling filter.
        factor: Every value is multiplied with it first.
        mean: Subtracted then, per channel.
        std: Divided by then, per channel.
        reverse: Whether the network takes blue, green, red; mean and std are in the network's order.
    """

    channels: int
    exact: tuple[int, int] | None
    shortest: int | None
    crop: tuple[int, int] | None
    resample: int
    factor: float
    mean: tuple[float, ...]
    std: tuple[float, ...]
    reverse: bool = False

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], *, channels: int, reverse: bool = False
    ) -> ImagePreprocessing:
        """The settings in a ``preprocessor_config.json`` for a network of that many channels.

        Raises:
            InputError: One of them is not known here or makes no sense.
        """
        if channels not in _MODES:
            raise InputError(f"The network takes {channels} channels.", remedy="Possible: 1 and 3.")
        for name, value in config.items():
            if value and (name == "rescale_offset" or (name.startswith("do_") and name not in _DONE)):
                raise _refused(f"'{shown(name)}'", "is not known here")
        exact, shortest, crop = _sizes(config)
        resample = config.get("resample", 2)
        if resample not in range(6):
            raise _refused(f"resample = {shown(resample)}", "is no resampling filter (0 to 5)")
        rescale = config.get("do_rescale", True)
        factor = _number(config.get("rescale_factor") or 1 / 255, "rescale_factor") if rescale else 1.0
        normalize = config.get("do_normalize", "image_mean" in config)
        mean = (
            _per_channel(config.get("image_mean"), "image_mean", channels=channels)
            if normalize
            else (0.0,) * channels
        )
        std = (
            _per_channel(config.get("image_std"), "image_std", channels=channels)
            if normalize
            else (1.0,) * channels
        )
        if min(std) < _MIN_DEVIATION:
            raise _refused("image_std", "holds a number that is not positive")
        return cls(channels, exact, shortest, crop, int(resample), factor, mean, std, reverse)

    def as_dict(self) -> dict[str, object]:
        """Plain values, for content keys."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}

    def apply(self, contents: Sequence[Content]) -> npt.NDArray[np.float32]:
        """``(n, channels, height, width)`` float32 for ``n`` pictures.

        Raises:
            InputError: A content is no picture, or the results differ in size.
        """
        arrays = [self._pixels(content) for content in contents]
        sizes = {array.shape for array in arrays}
        if len(sizes) > 1:
            few = ", ".join(sorted({f"{shape[1]} × {shape[0]}" for shape in sizes})[:4])
            raise InputError(
                f"The images have different sizes ({few} …) and {_FILE} does not make them equal.",
                remedy=f"Set do_resize and size in {_FILE} as in the training.",
            )
        stacked = np.stack(arrays).reshape(len(arrays), *arrays[0].shape[:2], self.channels)
        # A value has 256 possibilities: looking the result up is exact and faster than the arithmetic.
        scaled = (np.arange(256) * self.factor).astype(np.float32)
        output = np.empty((len(arrays), self.channels, *stacked.shape[1:3]), dtype=np.float32)
        for channel in range(self.channels):
            table = (scaled - np.float32(self.mean[channel])) / np.float32(self.std[channel])
            np.take(table, stacked[..., channel], out=output[:, channel])
        return output

    def _pixels(self, content: Content) -> npt.NDArray[np.uint8]:
        if not isinstance(content, Image.Image):
            raise InputError("The model takes images, but got a text.", remedy="Give image data.")
        mode = _MODES[self.channels]
        picture = content if content.mode == mode else content.convert(mode)
        size = self._resized(picture.width, picture.height)
        if size != picture.size:
            picture = picture.resize(size, Image.Resampling(self.resample))
        pixels = np.asarray(picture)
        if self.reverse:
            pixels = pixels[..., ::-1]
        return pixels if self.crop is None else _centre(pixels, *self.crop)

    def _resized(self, width: int, height: int) -> tuple[int, int]:
        if self.exact is not None:
            return self.exact[1], self.exact[0]
        if self.shortest is None:
            return width, height
        longer = int(self.shortest * max(width, height) / min(width, height))
        if longer > _MAX_SIDE:
            raise InputError(
                f"An image of {width} × {height} pixels would become {longer} pixels long.",
                remedy="Take it out of the data.",
            )
        return (self.shortest, longer) if width <= height else (longer, self.shortest)


def _sizes(
    config: Mapping[str, Any],
) -> tuple[tuple[int, int] | None, int | None, tuple[int, int] | None]:
    size = config.get("size")
    crops = bool(config.get("do_center_crop"))
    crop_size = size if config.get("crop_size") is None else config["crop_size"]
    crop = _height_width(crop_size, "crop_size") if crops else None
    if not config.get("do_resize", size is not None):
        return None, None, crop
    if isinstance(size, Mapping) and set(size) == {"shortest_edge"}:
        shortest = _side(size["shortest_edge"], "size")
        # ConvNeXt's and ResNet's processor: below 384 a larger picture is made and its centre kept.
        if (portion := config.get("crop_pct")) is not None and not crops:
            if shortest >= 384:
                return (shortest, shortest), None, None
            return None, int(shortest / _number(portion, "crop_pct")), (shortest, shortest)
        return None, shortest, crop
    if isinstance(size, int) and crops:  # the older files of CLIP and its like mean the shorter side
        return None, _side(size, "size"), crop
    return _height_width(size, "size"), None, crop


def _height_width(value: object, name: str) -> tuple[int, int]:
    if isinstance(value, Mapping) and {"height", "width"} <= set(value):
        return _side(value["height"], name), _side(value["width"], name)
    if isinstance(value, Mapping) and set(value) == {"shortest_edge"} and name == "crop_size":
        value = value["shortest_edge"]
    if isinstance(value, int):
        return _side(value, name), _side(value, name)
    raise _refused(f"{name} = {shown(value)}", "is neither a number nor height and width")


def _side(value: object, name: str) -> int:
    if not isinstance(value, int) or not 1 <= value <= _MAX_SIDE:
        raise _refused(f"{name} = {shown(value)}", f"is not between 1 and {_MAX_SIDE}")
    return value


def _number(value: object, name: str) -> float:
    if not _usable(value) or value == 0:
        raise _refused(f"{name} = {shown(value)}", "is no number that can be used")
    return float(value)  # type: ignore[arg-type]


def _usable(value: object) -> bool:
    """Whether a value of a picture can be shifted or scaled by it in float32."""
    return isinstance(value, int | float) and math.isfinite(value) and abs(value) <= _MAX_NUMBER


def _per_channel(value: object, name: str, *, channels: int) -> tuple[float, ...]:
    values: list[Any] = value if isinstance(value, list) else [value] * channels
    if not all(_usable(entry) for entry in values):
        raise _refused(f"{name} = {shown(value)}", "holds no numbers that can be used")
    if channels == 1 and len(set(values)) == 1:  # written for colour, used for grey
        values = values[:1]
    if len(values) != channels:
        raise _refused(name, f"has {len(values)} numbers for {channels} channels")
    return tuple(float(entry) for entry in values)


def _centre(pixels: npt.NDArray[np.uint8], height: int, width: int) -> npt.NDArray[np.uint8]:
    """The middle of a picture, black where the picture is smaller."""
    missing = [max(0, wanted - have) for wanted, have in zip((height, width), pixels.shape, strict=False)]
    if any(missing):
        edges = [(math.ceil(amount / 2), amount // 2) for amount in missing]
        pixels = np.pad(pixels, [*edges, *([(0, 0)] * (pixels.ndim - 2))])
    top, left = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
    return pixels[top : top + height, left : left + width]


def _refused(what: str, why: str) -> InputError:
    return InputError(
        f"A setting of {_FILE} cannot be used ({what}): it {why}.",
        remedy="Write down the preprocessing of the training there.",
    )
