"""Texts whose pieces are shaded by their part of an influence; sign by colour and by the kind of underline.

Text of the data set reaches the page through ``textContent`` only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from tracin_viz.ui.components.registering import component


@dataclass(frozen=True)
class Piece:
    """A stretch of a text.

    Attributes:
        text: Its characters.
        share: −1 … 1, its part beside the strongest piece on the page; 0 = not shaded.
        number: The part in words, for the tooltip.
    """

    text: str
    share: float = 0.0
    number: str = ""


@dataclass(frozen=True)
class ShadedText:
    """One text.

    Attributes:
        title: Which example it is.
        pieces: The whole text, in order.
        note: A line under it: the strongest pieces with their numbers, which says it without colour.
    """

    title: str
    pieces: Sequence[Piece]
    note: str = ""


def words(texts: Sequence[ShadedText], *, key: str, label: str) -> None:
    """Draw texts with shaded pieces.

    Args:
        texts: In reading order.
        key: Unique on the page.
        label: What they are, read aloud before them.
    """
    component("words", ("parts/element.js", "words.js"))(
        key=key, data={"texts": [asdict(one) for one in texts], "label": label}
    )
