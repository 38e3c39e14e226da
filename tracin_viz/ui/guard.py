"""The outermost wall of everything that a page draws: errors become panels in words, never tracebacks."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterable
from typing import ParamSpec

import streamlit as st

from tracin_viz.errors import (
    InputError,
    JobError,
    NotComputedError,
    NotFoundError,
    Problem,
    TracinVizError,
)
from tracin_viz.ui import text
from tracin_viz.ui.language import tr
from tracin_viz.ui.navigation import go, page
from tracin_viz.ui.translation import said, said_place

_P = ParamSpec("_P")
_log = logging.getLogger(__name__)


def guarded(body: Callable[_P, None]) -> Callable[_P, None]:
    """Run ``body``; an error becomes a panel with message, remedy and next step.

    This is the outermost wall of a page: whatever comes through, known or not, is shown in words and
    logged in full, never as a traceback.
    """

    @functools.wraps(body)
    def walled(*args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            body(*args, **kwargs)
        except TracinVizError as error:
            show_error(error)
        except Exception:
            _log.exception("a page failed")
            with st.container(key="unexpected_error"):
                st.error(tr("Something went wrong that should not have. The server's log has the details."))
                st.caption(tr("Reload the page. If it happens again, please report it with the log."))

    return walled


def show_error(error: TracinVizError, *, key: str = "known_error", leave: bool = True) -> None:
    """Message, single problems and remedy of an error, and the page that helps.

    Args:
        error: What happened.
        key: Of the panel.
        leave: Offer a link to the page that helps; not where the remedy is on this page.
    """
    if isinstance(error, NotComputedError) and leave:
        _nothing_yet(error, key)
        return
    with st.container(key=key):
        show = st.info if isinstance(error, NotComputedError) else st.error
        show(text.plain(said(error.message), longest=600))
        if error.problems:
            problem_table(error.problems)
        if error.remedy:
            st.markdown(
                tr("**What to do:** {remedy}", remedy=text.plain(said(error.remedy), longest=600)),
            )
        if not leave:
            return
        if isinstance(error, JobError):
            st.page_link(page("compute"), label=tr("Go to Compute"), icon=":material/memory:")
        elif isinstance(error, (NotFoundError, InputError)):
            st.page_link(page("start"), label=tr("Go to Start"), icon=":material/home:")


def _nothing_yet(error: NotComputedError, key: str) -> None:
    """The empty state of a page: what is not there yet, and the one button that changes that."""
    with st.container(key=key, border=True, horizontal_alignment="center", gap="small"):
        st.markdown("# :material/hourglass_empty:", width="content")
        st.subheader(text.plain(said(error.message), longest=600), anchor=False, width="content")
        if error.remedy:
            st.markdown(text.plain(said(error.remedy), longest=600), width="content")
        if st.button(tr("Go to Compute"), key=f"{key}_compute", type="primary", icon=":material/memory:"):
            go("compute")


def problem_table(problems: Iterable[Problem]) -> None:
    """Single problems: where, what is wrong, and what to do about it."""
    where, wrong, remedy = tr("Where"), tr("What is wrong"), tr("What to do")
    st.dataframe(
        [{where: said_place(p.where), wrong: said(p.message), remedy: said(p.remedy)} for p in problems],
        hide_index=True,
        width="stretch",
    )
