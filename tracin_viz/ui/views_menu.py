"""Saved views beside the heading: save what the page shows, open, rename, remove, and take a link along."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import escape
from urllib.parse import urlencode

import streamlit as st

from tracin_viz.audit import Audit, View
from tracin_viz.errors import TracinVizError
from tracin_viz.fingerprint import fingerprint
from tracin_viz.ui import text
from tracin_viz.ui.access import deciding, may_decide
from tracin_viz.ui.guard import guarded, show_error
from tracin_viz.ui.language import tr
from tracin_viz.ui.navigation import PAGES, present_page

_REMOVED, _RENAMED, _PROBLEM = "view_removed", "view_renamed", "view_problem"
#: Of the address, but no part of what a page shows.
_NO_VIEW = ("lang",)


def present_view(audit: Audit) -> dict[str, list[str]]:
    """What the address of this page says, with the audit in any case; filters can have several values."""
    shown = {name: st.query_params.get_all(name) for name in st.query_params if name not in _NO_VIEW}
    return {"audit": [audit.name], **shown}


def address(page: str, parameters: Mapping[str, str | Sequence[str]]) -> str:
    """A page and its parameters as an address relative to any other page."""
    return f"{'./' if page == 'start' else page}?{urlencode(parameters, doseq=True)}"


@st.fragment
@guarded
def views_menu(audit: Audit) -> None:
    """The menu; what is in it is made when it is open."""
    menu = st.popover(
        tr("Views"), icon=":material/bookmark:", key="views", on_change="rerun", help=tr("Saved views")
    )
    if not menu.open:
        return
    with menu:
        if may_decide():
            _save(audit)
        _problem()
        _undo(audit)
        found = audit.views.newest_first()
        if not found:
            st.caption(tr("No view is saved yet. A view keeps page, filters and selection, not the results."))
        for view in found:
            _row(audit, view)
        st.markdown(tr("**Link to what this page shows**"))
        st.code(_absolute(address(present_page(), present_view(audit))), language=None, wrap_lines=True)


def _absolute(relative: str) -> str:
    here = str(st.context.url or "").partition("?")[0]
    return f"{here.rpartition('/')[0]}/{relative.removeprefix('./')}"


def _save(audit: Audit) -> None:
    key = "view_name"
    with st.form("save_view", clear_on_submit=True, border=False):
        st.text_input(tr("Name for what this page shows"), key=key, max_chars=80)
        st.form_submit_button(
            tr("Save this view"),
            key="view_save",
            icon=":material/bookmark_add:",
            on_click=lambda: _saved(audit, str(st.session_state[key])),
        )


@guarded
def _saved(audit: Audit, name: str) -> None:
    deciding()
    with _kept_problem():
        audit.views.save(name, present_page(), present_view(audit))


def _row(audit: Audit, view: View) -> None:
    mark = fingerprint([view.name])[:10]
    if st.session_state.get(_RENAMED) == view.name:
        _rename(audit, view, mark)
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=f"view_{mark}"):
        # A link of its own loads the page anew: choices of this visit must not mix with the view's.
        link = address(view.page, _with_language(view.parameters))
        st.html(f'<a style="color: inherit" href="{escape(link)}">{escape(view.name)}</a>', width="stretch")
        title = PAGES[view.page][1] if view.page in PAGES else view.page
        st.caption(tr(title), width="content")
        if may_decide():
            st.button(
                tr("Rename"),
                key=f"view_rename_{mark}",
                icon=":material/edit:",
                type="tertiary",
                on_click=_begin_renaming,
                args=(view.name,),
            )
            st.button(
                tr("Delete"),
                key=f"view_delete_{mark}",
                icon=":material/delete:",
                type="tertiary",
                on_click=_remove,
                args=(audit, view.name),
            )


def _with_language(parameters: dict[str, str | list[str]]) -> dict[str, str | list[str]]:
    chosen = st.query_params.get("lang")
    return {**parameters, "lang": str(chosen)} if chosen else parameters


def _rename(audit: Audit, view: View, mark: str) -> None:
    key = f"view_new_name_{mark}"
    with st.form(f"rename_{mark}", border=False):
        st.text_input(tr("New name"), value=view.name, key=key, max_chars=80)
        st.form_submit_button(
            tr("Rename"),
            key="view_renamed_now",
            on_click=lambda: _renamed(audit, view.name, str(st.session_state[key])),
        )


def _begin_renaming(name: str) -> None:
    st.session_state[_RENAMED] = name


@guarded
def _renamed(audit: Audit, name: str, new: str) -> None:
    deciding()
    with _kept_problem():
        audit.views.rename(name, new)
        st.session_state.pop(_RENAMED, None)


@guarded
def _remove(audit: Audit, name: str) -> None:
    deciding()
    with _kept_problem():
        st.session_state[_REMOVED] = (audit.name, audit.views.remove(name))


def _undo(audit: Audit) -> None:
    owner, removed = st.session_state.get(_REMOVED, ("", None))
    if owner != audit.name or removed is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="view_undo_bar"):
        st.caption(tr("“{name}” was deleted.", name=text.plain(removed.name)))
        st.button(tr("Undo"), key="view_undo", icon=":material/undo:", on_click=_bring_back, args=(audit,))


@guarded
def _bring_back(audit: Audit) -> None:
    deciding()
    with _kept_problem():
        audit.views.restore(st.session_state[_REMOVED][1])
        st.session_state.pop(_REMOVED, None)


@contextmanager
def _kept_problem() -> Iterator[None]:
    """Keep what went wrong in a callback for the drawing after it: a callback cannot show a panel."""
    st.session_state.pop(_PROBLEM, None)
    try:
        yield
    except TracinVizError as error:
        st.session_state[_PROBLEM] = error


def _problem() -> None:
    problem = st.session_state.pop(_PROBLEM, None)
    if problem is not None:
        show_error(problem, key="view_error", leave=False)
