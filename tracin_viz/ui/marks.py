"""Marked examples of a gallery: what is done next is done to them, else to everything that is shown."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import streamlit as st

from tracin_viz.audit import Audit
from tracin_viz.ui.frame import go


class Marks:
    """The marks of one list of examples; kept while pages of it are turned, gone when the list is another.

    Args:
        audit: The audit.
        name: Of the list, unique on the page.
        scope: Says which list it is, for instance ranking and class.
    """

    def __init__(self, audit: Audit, name: str, *scope: object) -> None:
        self._audit = audit
        self._key = f"marks_{name}"
        self._scope = (audit.name, *scope)

    @property
    def ids(self) -> list[str]:
        """Ids of the marked examples."""
        scope, kept = st.session_state.get(self._key, (None, []))
        return list(kept) if scope == self._scope else []

    def replace(self, shown: Iterable[str], marked: Iterable[str]) -> None:
        """Of the ids ``shown`` now, those ``marked`` are; what other pages of the list hold stays."""
        here = set(shown)
        kept = [one for one in self.ids if one not in here]
        st.session_state[self._key] = (self._scope, kept + list(marked))

    def relabel(self, ranking: str = "") -> None:
        """Go to relabelling with the marked training examples as a queue.

        Args:
            ranking: What the queue is ordered by; by default self-influence.
        """
        rows = np.array([int(one.rpartition(":")[2]) for one in self.ids], dtype=np.int64)
        more = {"by": ranking} if ranking else {}
        go("relabel", audit=self._audit.name, sel=self._audit.selections.keep(rows), **more)
