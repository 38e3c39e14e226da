"""The frame around every page: navigation, header line, and errors as panels instead of tracebacks."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec

import streamlit as st

from tracin_viz.audit import Audit, AuditSummary
from tracin_viz.errors import InputError, JobError, NotComputedError, NotFoundError, TracinVizError
from tracin_viz.ui import text
from tracin_viz.ui.access import read_only, say_read_only
from tracin_viz.ui.language import tr
from tracin_viz.ui.session import choose_audit, current_audit, workspace

_P = ParamSpec("_P")
_log = logging.getLogger(__name__)
_ROOT = Path(__file__).parents[2]

#: name: (file, title, icon, what it is for)
PAGES: dict[str, tuple[str, str, str, str]] = {
    "start": ("1_start.py", "Start", "home", "Choose what to audit, or look at a finished example."),
    "own": ("own.py", "Your own data", "add", "Bring a model and data of your own."),
    "compute": ("2_compute.py", "Compute", "memory", "Turn checkpoints into influence scores."),
    "influence": (
        "3_influence.py",
        "Influence",
        "compare_arrows",
        "Training examples for and against a prediction.",
    ),
    "suspects": ("4_suspects.py", "Suspects", "flag", "Training labels that look wrong or rare."),
    "clusters": ("5_clusters.py", "Clusters", "bubble_chart", "Examples that the model treats alike."),
    "relabel": ("6_relabel.py", "Relabel", "edit", "Decide about suspects one by one."),
}


def page(name: str) -> st.Page:
    """The page ``name`` as Streamlit's navigation knows it."""
    file, title, icon, purpose = PAGES[name]
    return st.Page(
        _ROOT / "pages" / file,
        title=title,
        icon=f":material/{icon}:",
        url_path=None if name == "start" else name,
        default=name == "start",
        visibility="hidden" if name == "own" else "visible",
        help=purpose,
    )


def navigate() -> None:
    """Draw the navigation and run the page that the address names."""
    st.set_page_config(page_title="TracIn-Viz", page_icon="🔎", layout="wide")
    st.logo(str(Path(__file__).with_name("logo.svg")))
    st.navigation([page(name) for name in PAGES], position="top").run()


def go(name: str, **parameters: str) -> None:
    """Switch to page ``name`` with these address parameters."""
    st.switch_page(page(name), query_params=parameters)


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
                st.error("Something went wrong that should not have. The server's log has the details.")
                st.caption("Reload the page. If it happens again, please report it with the log.")

    return walled


def show_error(error: TracinVizError, *, key: str = "known_error", leave: bool = True) -> None:
    """Message, single problems and remedy of an error, and the page that helps.

    Args:
        error: What happened.
        key: Of the panel.
        leave: Offer a link to the page that helps; not where the remedy is on this page.
    """
    with st.container(key=key):
        show = st.info if isinstance(error, NotComputedError) else st.error
        show(text.plain(error.message, longest=600))
        if error.problems:
            st.dataframe(
                [
                    {"Where": p.where, "What is wrong": p.message, "What to do": p.remedy}
                    for p in error.problems
                ],
                hide_index=True,
                width="stretch",
            )
        if error.remedy:
            st.markdown(f"**What to do:** {text.plain(error.remedy, longest=600)}")
        if not leave:
            return
        if isinstance(error, (NotComputedError, JobError)):
            st.page_link(page("compute"), label="Go to Compute", icon=":material/memory:")
        elif isinstance(error, (NotFoundError, InputError)):
            st.page_link(page("start"), label="Go to Start", icon=":material/home:")


def audit_page(question: str, body: Callable[[Audit], None], *, needs_scores: bool = True) -> None:
    """A page about one audit: heading, header line, then ``body``; or what is missing and where to get it.

    Args:
        question: The question that this page answers.
        body: Draws the page for the chosen audit.
        needs_scores: Whether the page is empty until scores are computed.
    """
    st.title(question, anchor=False)
    _audit_page(body, needs_scores)


@guarded
def _audit_page(body: Callable[[Audit], None], needs_scores: bool) -> None:
    summaries = workspace().summaries()
    audit = current_audit(summaries)
    if audit is None:
        raise NotFoundError(tr(text.NO_AUDIT), remedy=tr(text.NO_AUDIT_REMEDY))
    _header(audit, summaries)
    if needs_scores and not audit.ready().scores:
        raise NotComputedError(
            f"Scores of '{audit.name}' are {text.STATES.get(str(audit.status()['state']), 'not there')}.",
            remedy="They are computed in the background; follow or start that on the Compute page.",
        )
    audit.warm()
    body(audit)


def _header(audit: Audit, summaries: list[AuditSummary]) -> None:
    sizes = " · ".join(f"{number:,} {text.plain(split)}" for split, number in text.train_first(audit.splits))
    line = f"{sizes} · {text.count(len(audit.checkpoints), 'checkpoint')}"
    decided = len(audit.decisions())
    if decided:
        line += f" · :green[{tr(text.SAVED)} {decided:,}]"
    with st.container(horizontal=True, vertical_alignment="center", key="header"):
        titles = {summary.name: summary.title for summary in summaries}
        if len(titles) > 1:
            key = "audit_choice"
            st.session_state[key] = audit.name
            st.selectbox(
                "Audit",
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
