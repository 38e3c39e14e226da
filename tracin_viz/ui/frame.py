"""The frame around every page: navigation, heading with tools, and the line about the audit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from tracin_viz.audit import Audit, AuditSummary
from tracin_viz.errors import NotComputedError, NotFoundError
from tracin_viz.ui import text
from tracin_viz.ui.access import read_only, say_read_only
from tracin_viz.ui.guard import guarded, show_error
from tracin_viz.ui.help.tour import draw_tour
from tracin_viz.ui.language import tr, trn
from tracin_viz.ui.navigation import PAGES, choose_page, go, page
from tracin_viz.ui.person_menu import say_outcome
from tracin_viz.ui.session import choose_audit, current_audit, workspace
from tracin_viz.ui.toolbar import listen, toolbar

__all__ = ["PAGES", "audit_page", "go", "guarded", "heading", "navigate", "page", "show_error"]


def navigate() -> None:
    """Draw the navigation and run the page that the address names."""
    st.set_page_config(page_title="TracIn-Viz", page_icon="🔎", layout="wide")
    st.logo(str(Path(__file__).with_name("logo.svg")))
    st.html(Path(__file__).with_name("frame.css"))
    chosen = choose_page()
    listen()
    draw_tour()
    say_outcome()
    chosen.run()


def heading(question: str) -> None:
    """The question that a page about no audit answers, already translated, and the tools."""
    with _heading(question):
        toolbar()


def _heading(question: str) -> DeltaGenerator:
    """Draw the question; returns the place of the tools."""
    with st.container(horizontal=True, vertical_alignment="center", key="heading"):
        st.title(question, anchor=False, width="stretch")
        return st.container(width="content", key="tools_place")


def audit_page(question: str, body: Callable[[Audit], None], *, needs_scores: bool = True) -> None:
    """A page about one audit: heading, header line, then ``body``; or what is missing and where to get it.

    Args:
        question: The question that this page answers, marked with ``later``.
        body: Draws the page for the chosen audit.
        needs_scores: Whether the page is empty until scores are computed.
    """
    tools = _heading(tr(question))
    _audit_page(body, needs_scores, tools)


@guarded
def _audit_page(body: Callable[[Audit], None], needs_scores: bool, tools: DeltaGenerator) -> None:
    summaries = workspace().summaries()
    audit = None
    try:
        audit = current_audit(summaries)
    finally:
        with tools:
            toolbar(audit)
    if audit is None:
        raise NotFoundError(tr(text.NO_AUDIT), remedy=tr(text.NO_AUDIT_REMEDY))
    _header(audit, summaries)
    if needs_scores and not audit.ready().scores:
        raise NotComputedError(
            tr(
                "Nothing to show for {audit}: {state}.",
                audit=audit.title,
                state=tr(text.STATES.get(str(audit.status()["state"]), text.STATES["created"])),
            ),
            remedy=tr("Influence is computed in the background: start or follow that on the Compute page."),
        )
    audit.warm()
    body(audit)


def _header(audit: Audit, summaries: list[AuditSummary]) -> None:
    checkpoints = trn("{n} checkpoint", "{n} checkpoints", len(audit.checkpoints))
    line = f"{text.sizes(audit.splits)} · {checkpoints}"
    decided = len(audit.decisions())
    if decided:
        line += f" · :green[{tr(text.SAVED)} {decided:,}]"
    with st.container(horizontal=True, vertical_alignment="center", key="header"):
        titles = {summary.name: summary.title for summary in summaries}
        if len(titles) > 1:
            key = "audit_choice"
            st.session_state[key] = audit.name
            st.selectbox(
                tr("Audit"),
                list(titles),
                key=key,
                format_func=titles.__getitem__,
                label_visibility="collapsed",
                width=280,
                on_change=lambda: choose_audit(st.session_state[key]),
            )
        else:
            st.markdown(f"**{text.plain(audit.title)}**", width="content")
        st.caption(line)
    if read_only():
        say_read_only()
