"""A look that goes on in the background, as a panel: how long already, cancel, and what came of it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from tracin_viz.audit import Draft, Look
from tracin_viz.errors import CancelledError
from tracin_viz.ui.frame import guarded, show_error
from tracin_viz.ui.language import tr
from tracin_viz.ui.session import workspace

#: Seconds between looks at the look.
EVERY = 0.5


def awaited(draft: Draft, kind: str, words: str) -> dict[str, Any] | None:
    """What the look found; ``None`` while it goes on or when it failed, which the page then shows.

    Args:
        draft: What is looked at.
        kind: ``"data"``, ``"model"`` or ``"fit"``.
        words: What is being done, for the panel.
    """
    look = workspace().look_for(draft, kind)
    if look.running:
        _panel(look, kind, words)
        return None
    if look.error is not None:
        if isinstance(look.error, CancelledError):
            st.info(tr("Looking was stopped."))
        else:
            show_error(look.error, key=f"{kind}_error", leave=False)
        st.button(
            tr("Look again"),
            key=f"again_{kind}",
            icon=":material/refresh:",
            on_click=_again,
            args=(draft, kind),
        )
        return None
    return look.found


def look_again(draft: Draft, kind: str) -> None:
    """A way to say that the files changed: a look is kept while its folder's own time is the same."""
    st.button(
        tr("Look again"),
        key=f"renew_{kind}",
        type="tertiary",
        icon=":material/refresh:",
        on_click=_again,
        args=(draft, kind),
        help=tr("If the files changed meanwhile."),
    )


def _panel(look: Look, kind: str, words: str) -> None:
    @st.fragment(run_every=EVERY)
    @guarded
    def panel() -> None:
        if not look.running:
            st.rerun()
        with st.container(horizontal=True, vertical_alignment="center", key=f"looking_{kind}"):
            st.markdown(f":material/hourglass_top: {words} … {look.seconds:.0f} s")
            st.button(tr("Stop"), key=f"stop_{kind}", type="tertiary", on_click=look.cancel)

    panel()


def _again(draft: Draft, kind: str) -> None:
    workspace().look_for(draft, kind, again=True)
    if kind != "fit" and draft.data and draft.model:  # what was tried together is no longer true either
        workspace().look_for(draft, "fit", again=True)
