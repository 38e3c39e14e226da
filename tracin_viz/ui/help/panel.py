"""The help panel on the right: how to read this page, its keys, the words, and the tour again."""

from __future__ import annotations

import streamlit as st

from tracin_viz.ui.guard import guarded
from tracin_viz.ui.help.tour import begin, can_tour
from tracin_viz.ui.help.words import GLOSSARY, KEYS, KEYS_EVERYWHERE, READING
from tracin_viz.ui.language import tr
from tracin_viz.ui.navigation import present_page

_ASKED = "help_asked"


def ask_for_help() -> None:
    """Open the panel where ``show_help`` is called in this run."""
    st.session_state[_ASKED] = True


def show_help() -> None:
    """Open the panel if somebody asked for it, once."""
    if st.session_state.pop(_ASKED, False):
        st.dialog(tr("Help"), position="right", width="medium")(guarded(_body))()


def _body() -> None:
    name = present_page()
    # The callback also counts where the panel is not drawn again; the rerun closes it.
    if can_tour() and st.button(
        tr("Begin the tour again"), key="tour_again", icon=":material/tour:", on_click=begin
    ):
        st.rerun()
    if name in READING:
        st.subheader(tr("How to read this page"), anchor=False)
        st.write(tr(READING[name]))
    st.subheader(tr("Keys"), anchor=False)
    keys = (*KEYS_EVERYWHERE, *KEYS.get(name, ()))
    st.markdown("\n".join(f"- **{tr(key)}**: {tr(meaning)}" for key, meaning in keys))
    st.subheader(tr("What the words mean"), anchor=False)
    st.markdown("\n\n".join(f"**{tr(word)}.** {tr(meaning)}" for word, meaning in GLOSSARY))
    st.caption(
        tr(
            "The method is TracIn (Pruthi, Liu, Kale and Sundararajan, “Estimating Training Data Influence "
            "by Tracing Gradient Descent”, 2020)."
        )
    )
