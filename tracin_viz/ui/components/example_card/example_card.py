"""One example large: a picture to enlarge or the whole text, labels, how sure the model is, and why.

Text of the data set reaches the page through ``textContent`` only and pictures through ``img.src``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tracin_viz.ui.components.registering import component
from tracin_viz.ui.language import tr

SCRIPTS = ("parts/element.js", "parts/picture.js", "shading.js", "zoom.js", "example_card.js")
#: Characters of a text or label that are sent; a browser needs seconds for a line of millions.
LONGEST_TEXT = 100_000


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
class Fact:
    """One line of what is known.

    Attributes:
        name: What it is.
        value: The label or number.
        share: Length of the bar beside it, 0 … 1; ``None`` = no bar.
        number: What the bar says, in words.
        differs: Drawn as something that disagrees.
    """

    name: str
    value: str
    share: float | None = None
    number: str = ""
    differs: bool = False


@dataclass(frozen=True)
class Link:
    """A way to another page that is about this example.

    Attributes:
        page: Name of the page; comes back when the link is followed.
        words: What is done there.
        address: The page's address, for another tab.
        main: Drawn as the main way on.
    """

    page: str
    words: str
    address: str
    main: bool = False


@dataclass(frozen=True)
class LargeCard:
    """One example.

    Attributes:
        id: ``split:row``, with a button that copies it; empty = not an example of the data.
        alt: What the picture shows, for people who do not see it.
        src: Address of the picture; empty for texts.
        zoom: Address of the picture as large as there is; empty = ``src``.
        text: The whole text; empty for pictures.
        pieces: The same text in stretches, where some are shaded; they are drawn instead of ``text``.
        facts: What is known, in reading order.
        details: More of it, small, beneath everything.
        flag: How suspicious it is; empty = not said.
        reasons: Why it is a suspect, a sentence each.
        note: A line under everything.
        done: What was decided about it; empty = nothing yet.
        links: Where to go on.
    """

    id: str = ""
    alt: str = ""
    src: str = ""
    zoom: str = ""
    text: str = ""
    pieces: Sequence[Piece] = ()
    facts: Sequence[Fact] = ()
    details: Sequence[Fact] = ()
    flag: str = ""
    reasons: Sequence[str] = ()
    note: str = ""
    done: str = ""
    links: Sequence[Link] = ()


def example_cards(
    cards: Sequence[LargeCard], *, key: str, label: str, compact: bool = False
) -> tuple[str, str]:
    """Draw examples large: one, or a few under each other.

    Args:
        cards: In reading order.
        key: Unique on the page.
        label: What they are, read aloud before them.
        compact: With a smaller picture where text stands beside it.

    Returns:
        The page and the example of a link that was just followed; two empty words otherwise. A link that was
        not drawn is ignored, because the browser's message can be anything.
    """
    found = component("example_card", SCRIPTS)(
        key=key,
        data={
            "cards": [_sent(card) for card in cards],
            "label": label,
            "compact": compact,
            "words": _words(),
        },
        on_go_change=lambda: None,
    )
    event = found.get("go")
    drawn = [(link.page, card.id) for card in cards for link in card.links]
    asked = (event.get("page"), event.get("id")) if isinstance(event, dict) else ("", "")
    return next((one for one in drawn if one == asked), ("", ""))


def _words() -> dict[str, str]:
    return {
        "missing": tr("picture not readable"),
        "copy": tr("Copy {id}", id="{id}"),
        "copied": tr("copied"),
        "enlarge": tr("Enlarge"),
        "larger": tr("Larger"),
        "smaller": tr("Smaller"),
        "close": tr("Close"),
        "keys": tr("+ and − change the size, arrows move the picture, Esc closes"),
        "text": tr("The whole text"),
    }


def _sent(card: LargeCard) -> dict[str, Any]:
    fields = asdict(card)
    fields["text"] = "" if card.pieces else _cut(card.text)
    for fact in (*fields["facts"], *fields["details"]):
        fact["value"] = _cut(fact["value"])
    return fields


def _cut(words: str) -> str:
    return words if len(words) <= LONGEST_TEXT else words[:LONGEST_TEXT] + " …"
