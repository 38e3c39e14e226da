"""Cards of examples in the browser: picture or text, labels, one score, one line of why (DESIGN §10).

Text of the data set reaches the page through ``textContent`` only and pictures through ``img.src`` of the
thumbnail route, so a label such as ``<img onerror=…>`` is five words on a card and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import streamlit as st

from tracin_viz.ui import text
from tracin_viz.ui.components.registering import component
from tracin_viz.ui.language import tr

Layout = Literal["grid", "dense", "strip", "thumbs"]
Sign = Literal["proponent", "opponent", "suspect", "decided", ""]

SCRIPTS = ("parts/element.js", "parts/picture.js", "gallery.js")
#: A text card shows about six lines; the rest of a long document would only be sent, not seen.
LONGEST_TEXT = 600
#: The same for the lines under it: callers shorten names, but no line may ever be longer than a screen.
LONGEST_LINE = 300


@dataclass(frozen=True)
class Card:
    """One example as a card.

    Attributes:
        id: ``split:row``; comes back when the card is chosen.
        alt: What the picture shows, for people who do not see it.
        src: Address of the thumbnail; empty for text examples.
        text: The text of the example; empty for pictures.
        given: The label in the data.
        other: The prediction or suggestion beside it.
        other_kind: "predicted" or "suggested": how ``other`` is read aloud and in the tooltip.
        differs: Whether ``given`` and ``other`` disagree (drawn stronger).
        sign: Which meaning colours the score.
        number: The score with its unit, already formatted.
        bar: Length of the score's bar, −1 … 1; ``None`` = no bar.
        why: One line of explanation.
        done: What was decided about it ("relabelled as 7"); empty = nothing yet.
    """

    id: str
    alt: str
    src: str = ""
    text: str = ""
    given: str = ""
    other: str = ""
    other_kind: str = "predicted"
    differs: bool = False
    sign: Sign = ""
    number: str = ""
    bar: float | None = None
    why: str = ""
    done: str = ""


@dataclass(frozen=True)
class LaterLines:
    """A line of each card that the browser asks for when the cards are there.

    Attributes:
        url: Answers with ``{id: {name: labels}}``.
        words: By name, the line with ``{labels}`` in it; an empty answer is no line.
    """

    url: str
    words: dict[str, str]


def gallery(
    cards: Sequence[Card],
    *,
    key: str,
    label: str,
    layout: Layout = "grid",
    on_pick: Callable[[str], None] | None = None,
    selected: str = "",
    marked: Collection[str] = (),
    on_mark: Callable[[list[str]], None] | None = None,
    ahead: Sequence[Card] = (),
    later_lines: LaterLines | None = None,
) -> None:
    """Draw cards.

    Args:
        cards: In reading order.
        key: Unique on the page.
        label: What these cards are, read aloud before them.
        layout: "grid" wraps, "dense" does so with smaller cards, "strip" is one row that scrolls inside
            itself, "thumbs" is one row of small pictures.
        on_pick: Called with a card's id when it is clicked or chosen by keyboard; an id that was not drawn
            is ignored, because the browser's message can be anything.
        selected: Id of the card drawn as chosen.
        marked: Ids of the cards with a tick; several can be marked when ``on_mark`` is given.
        on_mark: Called with the ids of all marked cards, in reading order, when that changes.
        ahead: Cards that come next; their pictures are fetched while these are looked at.
        later_lines: What is told about the cards when it is known.
    """
    shown = frozenset(card.id for card in cards)

    def picked() -> None:
        event = st.session_state[key].get("pick")
        chosen = event.get("id") if isinstance(event, dict) else None
        if on_pick is not None and chosen in shown:
            on_pick(chosen)

    def marking() -> None:
        event = st.session_state[key].get("mark")
        ids = event.get("ids") if isinstance(event, dict) else None
        if on_mark is not None and isinstance(ids, list):
            on_mark([one for one in ids if isinstance(one, str) and one in shown])

    component("gallery", SCRIPTS)(
        key=key,
        data={
            "cards": [_sent(card) for card in cards],
            "layout": layout,
            "label": label,
            "selected": selected,
            "clickable": on_pick is not None,
            "marked": [card.id for card in cards if card.id in marked],
            "markable": on_mark is not None,
            "mark_words": tr(text.MARK),
            "missing_words": tr("picture not readable"),
            "ahead": [card.src for card in ahead if card.src],
            "later": None if later_lines is None else asdict(later_lines),
        },
        on_pick_change=picked,
        on_mark_change=marking,
    )


def _sent(card: Card) -> dict[str, Any]:
    # Not `asdict`, which copies every field in depth: half of what a page of cards cost.
    fields = dict(vars(card))
    for name in ("alt", "given", "other", "why", "done"):
        fields[name] = _cut(fields[name])
    if len(card.text) > LONGEST_TEXT:
        fields["text"] = card.text[:LONGEST_TEXT] + " …"
    return fields


def _cut(words: str) -> str:
    return words if len(words) <= LONGEST_LINE else words[: LONGEST_LINE - 1] + "…"
