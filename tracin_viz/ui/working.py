"""Work of some seconds that a page waits for: how far it is, how long it takes still, and a stop button."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from tracin_viz.ui import text
from tracin_viz.ui.language import tr

_Value = TypeVar("_Value")
#: Seconds between two looks at the bar, and before a guess at the rest says anything.
_EVERY, _KNOWN = 0.2, 1.0


def followed(words: str, work: Callable[[Callable[[int, int], None]], _Value], *, key: str) -> _Value:
    """Do the work with a bar, the time that is left and a button that stops it.

    A press on the button is a new run of the page, which ends this one at its next word about progress; work
    that leaves nothing behind when that raises is thereby undone.

    Args:
        words: What is being done, translated.
        work: Takes what it tells of its progress: how much is done, of how much.
        key: Of the button.
    """
    place = st.empty()
    began = time.monotonic()
    shown = 0.0

    with place.container():
        bar = st.progress(0.0, text=words)
        st.button(tr("Stop"), key=key, icon=":material/stop_circle:")

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
