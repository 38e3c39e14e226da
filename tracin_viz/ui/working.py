"""Work of some seconds that a page waits for: how far it is, and how long it takes still."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from tracin_viz.ui import text

_Value = TypeVar("_Value")
#: Seconds between two looks at the bar, and before a guess at the rest says anything.
_EVERY, _KNOWN = 0.2, 1.0


def followed(words: str, work: Callable[[Callable[[int, int], None]], _Value]) -> _Value:
    """Do the work with a bar and the time that is left.

    Closing the page, or a new run of all of it, ends this run at the next word about progress; work that
    leaves nothing behind when that raises is thereby undone. No button stops it: Streamlit does not
    interrupt a dialog for a press inside the same dialog.

    Args:
        words: What is being done, translated.
        work: Takes what it tells of its progress: how much is done, of how much.
    """
    place = st.empty()
    began = time.monotonic()
    shown = 0.0
    bar = place.progress(0.0, text=words)

    def told(done: int, total: int) -> None:
        nonlocal shown
        now = time.monotonic()
        if now - shown < _EVERY and done < total:
            return
        shown = now
        share = min(1.0, done / total) if total else 0.0
        known = share > 0 and now - began > _KNOWN
        left = text.duration((now - began) / share * (1 - share)) if known and share < 1 else ""
        bar.progress(share, text=f"{words} · {share:.0%}" + (f" · {left}" if left else ""))

    try:
        return work(told)
    finally:
        place.empty()
