"""The closest proponents and opponents of a training example, for the card; they never hold it up."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

from tracin_viz.audit import Audit
from tracin_viz.ui.relabel.examples import small_card
from tracin_viz.ui.results import state_key

#: Of each kind.
SHOWN = 4
KEPT = 2_000

_lock = threading.Lock()
_kept: OrderedDict[tuple[str, str, str], dict[str, Any]] = OrderedDict()


def pushed(audit: Audit, identity: str, *, visit: str) -> dict[str, Any]:
    """The training examples that pushed the model most towards the label of ``identity``, and away from it.

    Args:
        audit: The audit.
        identity: A training example; it is its own strongest proponent and therefore left out.
        visit: Whose question this is: a newer one of the same visit takes its place.
    """
    key = (str(audit.home.root), state_key(audit), identity)
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    found = audit.influence(query=identity, top=SHOWN + 1, session=f"relabel {visit}")
    made = {
        side: [small_card(audit, row) for row in found[side] if row["id"] != identity][:SHOWN]
        for side in ("proponents", "opponents")
    }
    with _lock:
        _kept[key] = made
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    return made
