"""The small form of an image model's preprocessing, laid over what its files say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tracin_viz.data.problems import shown
from tracin_viz.errors import InputError
from tracin_viz.models.json_files import read_json
from tracin_viz.models.preprocessing import ImagePreprocessing

CHANNELS = {"rgb": 3, "bgr": 3, "grey": 1}
_FIELDS = ("size", "mean", "std", "channels")


def image_settings(places: Sequence[Path]) -> dict[str, Any] | None:
    """The settings in the first ``preprocessor_config.json`` (or ``processor_config.json``) in ``places``."""
    for place in places:
        if (place / "preprocessor_config.json").is_file():
            return read_json(place / "preprocessor_config.json")
        if (place / "processor_config.json").is_file():
            inner = read_json(place / "processor_config.json").get("image_processor")
            if isinstance(inner, dict):
                return inner
    return None


def image_preprocessing(
    settings: Mapping[str, Any] | None, chosen: Mapping[str, Any] | None, *, channels: int | None
) -> ImagePreprocessing:
    """What is done to a picture: the user's choices over what the files say.

    Args:
        settings: Content of ``preprocessor_config.json``, if there is one.
        chosen: Any of ``size`` (a side, or height and width), ``mean``, ``std`` (of values from 0 to 1) and
            ``channels`` (``"rgb"``, ``"bgr"`` or ``"grey"``).
        channels: Those that the network takes, where that is known.

    Raises:
        InputError: A choice makes no sense, or a setting is not known.
    """
    given = {key: value for key, value in (chosen or {}).items() if value is not None}
    unknown = sorted(set(given) - set(_FIELDS))
    if unknown:
        raise InputError(
            f"The preprocessing has no setting '{shown(unknown[0])}'.",
            remedy=f"Possible: {', '.join(_FIELDS)}.",
        )
    order = given.get("channels")
    if order not in (None, *CHANNELS):
        raise InputError(
            f"channels = '{shown(order)}' is not known.", remedy=f"Possible: {', '.join(CHANNELS)}."
        )
    if channels is not None and order is not None and CHANNELS[order] != channels:
        raise InputError(
            f"The network takes {channels} channels, but '{order}' has {CHANNELS[order]}.",
            remedy="Choose rgb or bgr for 3 channels, grey for 1.",
        )
    count = channels or CHANNELS.get(order or "", 0) or _channels_of(settings or {}, given)
    return ImagePreprocessing.from_config(
        _merged(settings or {}, given), channels=count, reverse=order == "bgr"
    )


def _channels_of(settings: Mapping[str, Any], given: Mapping[str, Any]) -> int:
    for value in (given.get("mean"), given.get("std"), settings.get("image_mean")):
        if isinstance(value, list | tuple) and len(value) in (1, 3):
            return len(value)
    return 3


def _merged(settings: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(settings)
    if "size" in given:
        size = given["size"]
        if isinstance(size, list | tuple) and len(size) == 2:
            size = {"height": size[0], "width": size[1]}
        merged = {key: value for key, value in merged.items() if key not in ("crop_pct", "crop_size")}
        merged |= {"size": size, "do_resize": True, "do_center_crop": False}
    if "mean" in given or "std" in given:
        merged["do_normalize"] = True
        merged["image_mean"] = _list(given.get("mean", merged.get("image_mean", 0.0)))
        merged["image_std"] = _list(given.get("std", merged.get("image_std", 1.0)))
    return merged


def _list(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
