"""Who decides: the signed-in person, else the name that was asked for once and is kept in this browser."""

from __future__ import annotations

from urllib.parse import unquote

import streamlit as st

from tracin_viz.ui import text
from tracin_viz.ui.access import person, sign_in_trouble, signs_in
from tracin_viz.ui.language import tr
from tracin_viz.ui.person_menu import sign_in_buttons, why_viewer

#: Cookie that the card sets; it holds a name that its owner typed, and proves nothing.
COOKIE = "tracin_viz_name"
LONGEST = 200
_NAME = "annotator_name"


def annotator() -> str:
    """Name of this visit's annotator; empty = not known yet."""
    if signs_in():
        return person()
    return str(st.session_state.get(_NAME) or unquote(st.context.cookies.get(COOKIE, ""))).strip()[:LONGEST]


def call(name: str) -> None:
    """Decide under this name from now on."""
    st.session_state[_NAME] = name.strip()[:LONGEST]


def ask_name() -> str:
    """The field for the name, inside a form; returns what is in it. Who is signed in is only shown."""
    if signs_in():
        st.caption(tr("Signed in as {name}. Decisions carry this name.", name=text.plain(person())))
        return person()
    return (
        st.text_input(
            tr("Your name"),
            value=annotator(),
            key="annotator",
            max_chars=LONGEST,
            help=tr("Stored with every decision, so that others see who made it."),
        )
        or ""
    ).strip()


def ask_to_sign_in() -> None:
    """Where people sign in and nobody is: the way to do it; else who is, and what that role may do."""
    if not signs_in() or sign_in_trouble():
        return
    if not person():
        st.info(tr("Sign in to decide about labels. Everything can be looked at without."))
        sign_in_buttons("page")
    else:
        st.info(tr("{name} may look at everything, and change nothing.", name=text.plain(person())))
        why_viewer()
