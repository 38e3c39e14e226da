"""What a page knows: the workspace, and the audit and view that the address names.

Nothing precious lives in Streamlit's session: decisions are in the database and the view is in the address,
so a reload or a restarted server loses nothing (reference: streamlit.md §1, §4).
"""

from __future__ import annotations

import functools
import threading
import uuid
from collections.abc import Sequence
from typing import TypeVar

import streamlit as st

from tracin_viz.audit import Audit, AuditSummary, Workspace
from tracin_viz.config import Home
from tracin_viz.errors import NotFoundError
from tracin_viz.fingerprint import fingerprint, from_address, in_address
from tracin_viz.ui.access import read_only
from tracin_viz.ui.language import language

_T = TypeVar("_T")

_lock = threading.Lock()
_workspaces: dict[tuple[str, bool], Workspace] = {}
_audits: dict[tuple[str, bool, str, float], Audit] = {}


def workspace() -> Workspace:
    """The workspace of this process; opened once."""
    home = Home.resolve()
    key = (str(home.root), read_only())
    with _lock:
        if key not in _workspaces:
            _workspaces[key] = Workspace(home, read_only=read_only())
        return _workspaces[key]


def open_audit(name: str) -> Audit:
    """Audit ``name``.

    Raises:
        NotFoundError: There is none of that name.
    """
    audit = workspace().open(name)
    # Kept, because an audit reads its log of decisions only once and then follows it.
    key = (str(audit.home.root), read_only(), name, audit.record.created)
    with _lock:
        kept = _audits.setdefault(key, audit)
    if kept.record != audit.record:  # another session or process changed learning rates
        kept.renew(audit.record)
    return kept


def data_key(audit: Audit) -> str:
    """Changes when the audit is created anew: part of every thumbnail's address."""
    return _data_key(audit.name, audit.record.created)


@functools.lru_cache(maxsize=64)
def _data_key(name: str, created: float) -> str:
    return fingerprint([name, created])


def parameter(name: str) -> str:
    """Value of ``name`` in the page's address; empty when absent."""
    return str(st.query_params.get(name, ""))


def set_parameter(name: str, value: str) -> None:
    """Put ``value`` under ``name`` into the address, or take it out when empty."""
    if value:
        if st.query_params.get(name) != value:
            st.query_params[name] = value
    elif name in st.query_params:
        del st.query_params[name]


def linked(name: str, options: Sequence[_T], usual: _T, *, words: str = "") -> str:
    """Key of a choice widget that begins with what the address says under ``name``.

    Streamlit's own binding writes the words of a choice into the address; links need its name. After the
    widget ``publish`` writes the choice back.

    Args:
        name: Parameter of the address.
        options: What may be chosen; anything else in the address counts as ``usual``.
        usual: The choice when the address says nothing.
        words: What the words of the choices depend on besides the language.
    """
    key, kept_words = f"linked_{name}", f"linked_{name}_words"
    words = f"{language()} {words}"
    if st.session_state.get(key) not in options:
        named = {str(option): option for option in reversed(options)}
        st.session_state[key] = named.get(from_address(parameter(name), named) or "", usual)
    elif st.session_state.get(kept_words, words) != words:
        # A browser goes on showing the words that were chosen; only a choice made here is sent in new ones.
        st.session_state[key] = st.session_state[key]
    st.session_state[kept_words] = words
    return key


def publish(name: str, value: object, usual: object) -> None:
    """Put a choice into the address; the usual one is left out, which keeps addresses short."""
    set_parameter(name, "" if value == usual else in_address(str(value)))


def remembered(name: str) -> str:
    """The address's ``name``, else what this session last had there: switching pages empties the address."""
    value = parameter(name) or str(st.session_state.get(f"last_{name}", ""))
    remember(name, value)
    return value


def remember(name: str, value: str) -> None:
    """Put ``value`` into the address and keep it for the other pages."""
    st.session_state[f"last_{name}"] = value
    set_parameter(name, value)


def current_audit(summaries: list[AuditSummary]) -> Audit | None:
    """The audit that the address names, else the last one of this session, else the newest.

    Raises:
        NotFoundError: The address names an audit that does not exist.
    """
    names = [summary.name for summary in summaries]
    asked = parameter("audit")
    if asked and asked not in names:
        raise NotFoundError(
            f"There is no audit called '{asked}'.",
            remedy=f"Choose one of: {', '.join(names)}." if names else "Create one on the Start page.",
        )
    kept = str(st.session_state.get("last_audit", ""))
    name = asked or (kept if kept in names else "") or (names[0] if names else "")
    if not name:
        return None
    remember("audit", name)
    return open_audit(name)


def choose_audit(name: str) -> None:
    """Make ``name`` the audit of all pages; what was chosen inside another audit is forgotten."""
    for forgotten in ("query", "item", "session", "sel", "group", "own_label"):
        remember(forgotten, "")
    remember("audit", name)


def visit() -> str:
    """Name of this browser session towards the query process: a newer question cancels an older one."""
    return str(st.session_state.setdefault("visit", uuid.uuid4().hex))
