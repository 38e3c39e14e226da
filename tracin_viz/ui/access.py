"""What this visit may do: everything, or only look (``make run READ_ONLY=1``, or by the visitor's role).

Where people sign in (``[auth]`` in Streamlit's secrets) each has a role; elsewhere everybody may do all.
Pages ask ``may_decide`` and ``may_manage`` before they draw what changes something; every callback and route
asks again with ``deciding`` and ``managing``, because a hidden button is no wall.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from tracin_viz.errors import ReadOnlyError
from tracin_viz.ui.language import tr

#: Set to 1 when the server is started for people who only look.
READ_ONLY_VARIABLE = "TRACIN_VIZ_READ_ONLY"
#: Roles, each with the rights of those before it.
ROLES = ("viewer", "annotator", "admin")
_OFF = ("", "0", "false", "no", "off")


def read_only() -> bool:
    """Whether this server was started for looking only."""
    return os.environ.get(READ_ONLY_VARIABLE, "").strip().lower() not in _OFF


def may_decide() -> bool:
    """Whether this visit may decide about labels, undo, and keep selections and views."""
    return not read_only() and role() != "viewer"


def may_manage() -> bool:
    """Whether this visit may create audits, upload, start and stop runs, and change settings for all."""
    return not read_only() and role() == "admin"


def signs_in() -> bool:
    """Whether people sign in at this server (OpenID Connect, ``st.login``)."""
    return get_script_run_ctx(suppress_warning=True) is not None and "auth" in _secrets()


def person() -> str:
    """Who is signed in, by verified address or the provider's own identifier; empty = nobody."""
    return name_of(_claims()) if signs_in() and st.user.is_logged_in else ""


def role() -> str:
    """The role of this visit: a word of ``ROLES``."""
    if not signs_in():
        return "admin"
    who = person()
    return role_of(who, _secrets().get("roles")) if who else "viewer"


def name_of(claims: Mapping[str, Any]) -> str:
    """The name that stands for a signed-in person, in decisions and in the table of roles.

    An address that the provider did not verify could be anybody's.
    """
    email = str(claims.get("email") or "").strip()
    if email and claims.get("email_verified") is not False:
        return email.lower()
    return str(claims.get("sub") or "").strip()


def role_of(who: str, roles: Mapping[str, Any] | None) -> str:
    """The highest role that ``[roles]`` of the secrets gives to somebody.

    Args:
        who: From ``name_of``.
        roles: Lists of names or patterns by role (``admin = ["ada@example.org"]``, ``annotator =
            ["*@example.org"]``); who is on none may look. Without the table everybody is an admin.
    """
    if roles is None:
        return "admin"
    for name in reversed(ROLES):
        listed = roles.get(name, ())
        patterns = [listed] if isinstance(listed, str) else list(listed)
        if any(fnmatchcase(who, str(pattern).lower()) for pattern in patterns):
            return name
    return "viewer"


def _secrets() -> Mapping[str, Any]:
    return st.secrets if st.secrets.load_if_toml_exists() else {}


def _claims() -> Mapping[str, Any]:
    return st.user.to_dict()


def deciding() -> None:
    """The wall in front of every change of a label.

    Raises:
        ReadOnlyError: This visit may only look.
    """
    if not may_decide():
        raise ReadOnlyError()


def managing() -> None:
    """The wall in front of every change of audits, runs and files.

    Raises:
        ReadOnlyError: This visit may only look.
    """
    if not may_manage():
        raise ReadOnlyError()


def say_read_only() -> None:
    """One line where the controls would be: why there are none."""
    with st.container(key="read_only"):
        st.caption(tr("This is a read-only view: everything can be seen, nothing can be changed."))
