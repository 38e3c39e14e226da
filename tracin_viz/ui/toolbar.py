"""What stands beside the heading of every page: the language."""

from __future__ import annotations

import streamlit as st

from tracin_viz.ui.language import LANGUAGES, choose_language, language, publish_language, tr


def toolbar() -> None:
    """Draw the tools."""
    publish_language()
    with st.container(horizontal=True, vertical_alignment="center", width="content", key="tools"):
        _language()


def _language() -> None:
    key = "language_choice"
    st.session_state[key] = language()
    st.selectbox(
        tr("Language"),
        list(LANGUAGES),
        key=key,
        format_func=LANGUAGES.__getitem__,
        label_visibility="collapsed",
        width=124,
        on_change=lambda: choose_language(str(st.session_state[key])),
    )
