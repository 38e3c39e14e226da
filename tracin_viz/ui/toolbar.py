"""What every page has: saved views, help and the language beside the heading, and an ear for keys."""

from __future__ import annotations

import streamlit as st

from tracin_viz.audit import Audit
from tracin_viz.ui.components.shell import shell
from tracin_viz.ui.guard import guarded
from tracin_viz.ui.help import tour
from tracin_viz.ui.help.panel import ask_for_help, show_help
from tracin_viz.ui.language import LANGUAGES, choose_language, language, publish_language, tr
from tracin_viz.ui.person_menu import person_menu
from tracin_viz.ui.views_menu import views_menu


def toolbar(audit: Audit | None = None) -> None:
    """Draw the tools.

    Args:
        audit: Whose views are offered; ``None`` on pages that are about no audit.
    """
    publish_language()
    with st.container(
        horizontal=True, vertical_alignment="center", width="content", gap="xsmall", key="tools"
    ):
        if audit is not None:
            with st.container(width="content", key="views_place"):
                views_menu(audit)
        st.button(
            tr("Help"), key="help", icon=":material/help:", on_click=ask_for_help, help=tr("Help (key ?)")
        )
        _language()
        person_menu()
    show_help()


@guarded
def listen() -> None:
    """Listen for keys and for a first visit.

    Drawn outside of the pages: a part of a page is taken away with it, and a key pressed just then is lost.
    """
    step = tour.present_step()
    shell(
        language=language(),
        offer=tour.offered(),
        step="" if step is None else str(step),
        focus="tour_next",
        on_help=ask_for_help,
        on_first=tour.begin_first,
        on_leave=tour.leave,
    )


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
