"""Decoding one picture from hostile bytes, the same way every time.

First frame only; EXIF orientation applied; transparency dropped without blending (what ``convert("RGB")``
did when the model was trained); 16 bits per channel scaled to 8.
"""

from __future__ import annotations

import contextlib
import io
import threading
import warnings
from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from tracin_viz.data.problems import shown
from tracin_viz.errors import InputError

#: Decoders that may see the bytes. Others are left out on purpose: Pillow's EPS reader starts a program.
DECODERS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"})

#: Pixels of one picture; more would need > 256 MiB once decoded. Pillow itself only warns from 89 million.
MAX_PIXELS = 1 << 26
#: Bytes of one picture's file.
MAX_BYTES = 1 << 28

_GREY = frozenset({"1", "L", "LA", "La"})


def decode(content: bytes, name: str) -> Image.Image:
    """The picture in ``content`` as an ``RGB`` or ``L`` image of 8 bits per channel.

    Args:
        content: Bytes of a file.
        name: Its name, for messages.

    Raises:
        InputError: It is no picture of a known format, is damaged, or has more than ``MAX_PIXELS``.
    """
    with quiet_pillow(), _readable(name):
        picture = _opened(content, name)
        picture.load()
        return _eight_bits(_upright(picture), name)


def check_header(content: bytes, name: str) -> None:
    """Raise what ``decode`` would raise for this picture as far as its header tells."""
    with quiet_pillow(), _readable(name):
        _opened(content, name)


def is_animated(content: bytes) -> bool:
    """Whether the picture in ``content`` has several frames or pages, of which ``decode`` takes the first."""
    if content.startswith(b"\x89PNG"):
        return b"acTL" in content[:4096]
    if content.startswith(b"RIFF"):
        return b"ANIM" in content[:128]
    if not content.startswith((b"GIF8", b"II*\0", b"MM\0*")):
        return False
    try:
        with quiet_pillow(), Image.open(io.BytesIO(content), formats=DECODERS) as picture:
            return bool(getattr(picture, "n_frames", 1) > 1)
    except Exception:  # damaged after the first frame: that one is all there is
        return False


def _opened(content: bytes, name: str) -> Image.Image:
    picture = Image.open(io.BytesIO(content), formats=DECODERS)
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise InputError(
            f"Image '{shown(name)}' has {width} × {height} pixels; at most {MAX_PIXELS:,} are read.",
            remedy="Replace it by a smaller copy.",
        )
    return picture


def _upright(picture: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(picture)
    except Exception:  # damaged EXIF raises nearly anything; the pixels are good, so keep them as stored
        return picture


def _eight_bits(picture: Image.Image, name: str) -> Image.Image:
    if picture.mode.startswith("I"):
        values = np.asarray(picture).astype(np.int64)
        if values.min() < 0 or values.max() > 65535:
            raise InputError(
                f"Image '{shown(name)}' has values outside 0…65535.", remedy="Save it with 8 or 16 bits."
            )
        return Image.fromarray(((values + 128) // 257).astype(np.uint8))
    if picture.mode == "F":
        raise InputError(
            f"Image '{shown(name)}' has floating-point pixels, whose range is not known.",
            remedy="Save it with 8 or 16 bits.",
        )
    wanted = "L" if picture.mode in _GREY else "RGB"
    return picture if picture.mode == wanted else picture.convert(wanted)


@contextlib.contextmanager
def _readable(name: str) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # decoders raise nearly anything on hostile bytes; the file is then unusable
        raise InputError(
            f"Image '{shown(name)}' cannot be read ({shown(_reason(error))}).",
            remedy="Replace the file or take it out of the folder.",
        ) from error


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "no known image format"
    if isinstance(error, Image.DecompressionBombError):
        return f"more than {MAX_PIXELS:,} pixels"
    return str(error) or type(error).__name__


class _Quiet:
    """Pillow's warnings about hostile files, off while any thread decodes.

    ``warnings.catch_warnings`` swaps a list that all threads share: two overlapping blocks would leave it
    swapped for good. So the first thread in installs it, and the last one out puts the old one back.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.inside = 0
        self.block: warnings.catch_warnings[None] | None = None


_QUIET = _Quiet()


@contextlib.contextmanager
def quiet_pillow() -> Iterator[None]:
    """Without Pillow's warnings inside the block; around many pictures it saves switching for each."""
    with _QUIET.lock:
        if _QUIET.inside == 0:
            _QUIET.block = warnings.catch_warnings()
            _QUIET.block.__enter__()
            warnings.filterwarnings("ignore", module=r"PIL\.")
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        _QUIET.inside += 1
    try:
        yield
    finally:
        with _QUIET.lock:
            _QUIET.inside -= 1
            if _QUIET.inside == 0 and _QUIET.block is not None:
                _QUIET.block.__exit__(None, None, None)
                _QUIET.block = None
