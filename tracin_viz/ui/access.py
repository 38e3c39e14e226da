"""What this visit may do: everything, or only look (``make run READ_ONLY=1``, or by the visitor's role).

Where people sign in (``[auth]`` in Streamlit's secrets) each has a role; elsewhere everybody may do all.
Pages ask ``may_decide`` and ``may_manage`` before they draw what changes something; every callback asks again
with ``deciding`` and ``managing``, because a hidden button is no wall. Our HTTP routes ask ``visitor_of``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.requests import Request
from streamlit.runtime.scriptrunner import get_script_run_ctx

from tracin_viz.errors import ReadOnlyError
from tracin_viz.ui.language import tr
from tracin_viz.ui.sign_in_cookie import claims_in

#: Set to 1 when the server is started for people who only look.
READ_ONLY_VARIABLE = "TRACIN_VIZ_READ_ONLY"
#: Roles, each with the rights of those before it.
ROLES = ("viewer", "annotator", "admin")
#: Characters that the secret of the sign-in cookie must have: whoever guesses it can be anybody.
SHORTEST_SECRET = 24
_OFF = ("", "0", "false", "no", "off")


@dataclass(frozen=True)
class Visitor:
    """Who sends a request, and what that person may do.

    Attributes:
        name: From ``name_of``; empty = nobody is signed in; ``None`` = nobody signs in at this server.
        role: A word of ``ROLES``.
    """

    name: str | None
    role: str


def read_only() -> bool:
    """Whether this server was started for looking only."""
    return os.environ.get(READ_ONLY_VARIABLE, "").strip().lower() not in _OFF


def may_decide() -> bool:
    """Whether this visit may decide about labels, undo, and keep selections and views."""
    return not read_only() and role() != "viewer"


def may_manage() -> bool:
    """Whether this visit may create audits, upload, start and stop runs, and change settings for all."""
    return not read_only() and role() == "admin"


def may_import() -> bool:
    """Whether this visit may take over a file of decisions, which says itself whose they are."""
    return may_manage() if signs_in() else may_decide()


def signs_in() -> bool:
    """Whether people sign in at this server (OpenID Connect, ``st.login``).

    So it is, too, where that was meant and does not work: a slip in the file of secrets must not make
    everybody an admin.
    """
    return bool(sign_in_trouble()) or "auth" in _secrets()


def sign_in_trouble() -> str:
    """Why nobody can sign in although somebody meant it so.

    Returns:
        ``unreadable``: the file of secrets cannot be read; ``no auth``: it has ``[roles]`` and no ``[auth]``;
        ``secret``: the cookie's secret is missing or too short; empty = all is well.
    """
    secrets = _secrets()
    if not secrets:
        there = any(Path(path).exists() for path in st.get_option("secrets.files"))
        return "unreadable" if there and not st.secrets.load_if_toml_exists() else ""
    if "auth" not in secrets:
        return "no auth" if "roles" in secrets else ""
    return "secret" if len(str(secrets["auth"].get("cookie_secret", ""))) < SHORTEST_SECRET else ""


def claims() -> Mapping[str, Any]:
    """What the provider said about who is signed in on this visit; empty = nobody is."""
    if sign_in_trouble() or get_script_run_ctx(suppress_warning=True) is None:
        return {}
    found = st.user.to_dict()
    return found if found.get("is_logged_in") is True else {}


def person() -> str:
    """Who is signed in, by verified address or the provider's own identifier; empty = nobody."""
    return _name(claims()) if signs_in() else ""


def role() -> str:
    """The role of this visit: a word of ``ROLES``."""
    return _role(person()) if signs_in() else "admin"


def visitor_of(request: Request) -> Visitor:
    """Who sends a request to one of our own routes, by the cookie that Streamlit set when they signed in."""
    if not signs_in():
        return Visitor(None, "admin")
    found = {} if sign_in_trouble() else claims_in(request.cookies, request.headers.get("origin", ""))
    name = _name(found)
    return Visitor(name, _role(name))


def deciding_at(request: Request) -> Visitor:
    """The wall in front of every route that changes a label.

    Raises:
        ReadOnlyError: Whoever sent this may only look.
    """
    return _let_in(request, ("annotator", "admin"))


def managing_at(request: Request) -> Visitor:
    """The wall in front of every route that changes audits, runs and files.

    Raises:
        ReadOnlyError: Whoever sent this may only look, or decide.
    """
    return _let_in(request, ("admin",))


def _let_in(request: Request, roles: tuple[str, ...]) -> Visitor:
    if read_only():
        raise ReadOnlyError()
    found = visitor_of(request)
    if found.name == "":
        raise ReadOnlyError("Nobody is signed in.", remedy="Reload the page and sign in.")
    if found.role not in roles:
        raise ReadOnlyError(
            f"{found.name} is a {found.role} here, and this needs a role that may do more.",
            remedy="Ask whoever runs this server for another role.",
        )
    return found


def name_of(claims: Mapping[str, Any], *, trusting: bool = False) -> str:
    """The name that stands for a signed-in person, in decisions and in the table of roles.

    Args:
        claims: Of the identity token.
        trusting: Addresses count even where the provider does not say that it verified them (Microsoft's
            never does), but not where it says that it did not: such an address could be anybody's.
    """
    email, said = str(claims.get("email") or "").strip(), claims.get("email_verified")
    verified = said is True or str(said).lower() == "true" or (trusting and said is None)
    if verified and "@" in email:
        return email.lower()
    subject = str(claims.get("sub") or "").strip()
    # At some providers people choose it themselves: it must not pass for somebody's address.
    return f"sub:{subject}" if "@" in subject else subject


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
        # Addresses are the same in capitals; a provider's identifiers are not.
        if any(fnmatchcase(who, one.lower() if "@" in who else one) for one in map(str, patterns)):
            return name
    return "viewer"


def _name(claims: Mapping[str, Any]) -> str:
    return name_of(claims, trusting=(_secrets().get("roles") or {}).get("trust_addresses") is True)


def _role(who: str) -> str:
    return role_of(who, _secrets().get("roles")) if who else "viewer"


def _secrets() -> Mapping[str, Any]:
    return st.secrets if st.secrets.load_if_toml_exists() else {}


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


def importing() -> None:
    """The wall in front of files of decisions.

    Raises:
        ReadOnlyError: This visit may not take them over.
    """
    if not may_import():
        raise ReadOnlyError()


def say_read_only() -> None:
    """One line where the controls would be: why there are none."""
    with st.container(key="read_only"):
        st.caption(tr("This is a read-only view: everything can be seen, nothing can be changed."))
