"""The first pictures of a gallery inside the page's message: one answer instead of a request for each.

Sixty requests for thumbnails take about half a second in a browser, one message with sixty small pictures a
third of that; those after the first, and those seen before, are better off with the browser's own cache.
"""

from __future__ import annotations

import base64
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace

from tracin_viz.audit import Audit
from tracin_viz.errors import TracinVizError
from tracin_viz.ui.components.gallery import Card

#: Pictures in the message at most.
MOST = 60
#: Seconds that a page may spend on making them; the others are fetched by address as ever.
PATIENCE = 0.05
#: Pictures kept encoded, some 3 kB each.
KEPT = 2_000

_lock = threading.Lock()
_kept: OrderedDict[str, str] = OrderedDict()


def inlined(audit: Audit, cards: Sequence[Card]) -> list[Card]:
    """The same cards; the first ones carry their picture with them.

    Args:
        audit: Where the examples come from.
        cards: In reading order; texts stay as they are.
    """
    begun = time.perf_counter()
    found: list[Card] = []
    for card in cards:
        late = len(found) >= MOST or time.perf_counter() - begun > PATIENCE
        found.append(card if late or not card.src else replace(card, src=_picture(audit, card)))
    return found


def _picture(audit: Audit, card: Card) -> str:
    """The picture as an address of its own; the usual address where there is none."""
    # The usual address changes with what it shows, so it is the name under which the picture is kept.
    with _lock:
        kept = _kept.get(card.src)
        if kept is not None:
            _kept.move_to_end(card.src)
            return kept
    split, _, row = card.id.rpartition(":")
    try:
        picture = audit.thumbnail(split, int(row))
    except (TracinVizError, OSError):
        return card.src
    made = f"data:image/webp;base64,{base64.b64encode(picture).decode('ascii')}"
    with _lock:
        _kept[card.src] = made
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    return made
