"""Small pictures for galleries."""

from __future__ import annotations

import io

from PIL import Image

#: Below this many pixels on the longer side a picture is enlarged in whole steps.
TINY = 64


def thumbnail(content: Image.Image, size: int) -> bytes:
    """A picture that fits in ``size`` × ``size`` pixels, as WebP.

    Large pictures are made smaller. Tiny ones (28 × 28 digits) are enlarged by whole factors without
    smoothing, so that every pixel stays a sharp square: smoothing would show detail that is not there.
    Others stay as they are.

    Args:
        content: ``RGB`` or ``L``.
        size: Pixels on the longer side, at most.
    """
    longest = max(content.size)
    picture = content
    if longest > size:
        picture = content.copy()
        picture.thumbnail((size, size), Image.Resampling.LANCZOS)
    elif longest <= TINY and size >= 2 * longest:
        factor = size // longest
        picture = content.resize((content.width * factor, content.height * factor), Image.Resampling.NEAREST)
    output = io.BytesIO()
    # Sharp squares cost little without loss and would get fringes with it; photographs the other way round.
    picture.save(output, "WEBP", lossless=longest <= TINY, quality=80, method=2)
    return output.getvalue()
