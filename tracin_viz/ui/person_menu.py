"""Who is signed in, beside the heading of every page; signing in and out, and words where that failed."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

import streamlit as st
from streamlit.auth_util import get_origin_from_redirect_uri
from streamlit.errors import StreamlitAuthError

from tracin_viz.ui import text
from tracin_viz.ui.access import claims, name_of, person, read_only, role, sign_in_trouble, signs_in
from tracin_viz.ui.language import later, tr
from tracin_viz.ui.session import parameter, set_parameter
from tracin_viz.ui.sign_in import OUTCOMES, PARAMETER

_KEPT = "sign_in_outcome"
_ROLES = {"viewer": later("viewer"), "annotator": later("annotator"), "admin": later("admin")}
_RIGHTS = {
    "viewer": later("May look at everything, and change nothing."),
    "annotator": later("May decide about labels, and keep selections and views."),
    "admin": later("May do everything: decide, create audits, upload, compute."),
}
_SAID = {
    "unreachable": (
        later(
            "Signing in is not possible now: the sign-in service cannot be reached, or its address is wrong."
        ),
        later("Try again in a moment. Whoever runs this server finds the reason in its log."),
    ),
    "refused": (
        later("The sign-in service did not let you in, or you went back."),
        later("Sign in with another account, or ask whoever runs the service to let you use this app."),
    ),
    "failed": (
        later("Signing in did not work: the answer of the sign-in service does not hold."),
        later("Try again. Where it happens again, whoever runs this server finds the reason in its log."),
    ),
}
_TROUBLE = {
    "unreadable": later("Nobody can sign in: the file secrets.toml of this server cannot be read."),
    "no auth": later("Nobody can sign in: secrets.toml has [roles], but no [auth]."),
    "secret": later("Nobody can sign in: cookie_secret in secrets.toml is missing or too short."),
    "settings": later("Nobody can sign in: [auth] in secrets.toml is not complete."),
}


def person_menu() -> None:
    """Draw it, where people sign in at this server."""
    if not signs_in():
        return
    who = person()
    if not who:
        if not sign_in_trouble():
            sign_in_buttons("menu")
        return
    with st.popover(
        text.plain(who, longest=24),
        icon=":material/account_circle:",
        key="person",
        help=tr("Who is signed in"),
    ):
        st.markdown(f"**{text.plain(who)}** · {tr(_ROLES[role()])}")
        st.caption(tr(_RIGHTS["viewer" if read_only() else role()]))
        why_viewer()
        st.button(tr("Sign out"), key="sign_out", icon=":material/logout:", on_click=st.logout)


def sign_in_buttons(place: str) -> None:
    """One button for each sign-in service; a link where the page was opened under another address."""
    elsewhere = _right_address()
    if elsewhere:
        st.link_button(
            tr("Sign in"),
            elsewhere,
            icon=":material/login:",
            help=tr("Opens the app at {address}", address=elsewhere),
        )
        return
    for provider in _providers():
        words = tr("Sign in with {service}", service=text.plain(provider)) if provider else tr("Sign in")
        key = f"sign_in_{place}_{provider}" if provider else f"sign_in_{place}"
        st.button(words, key=key, icon=":material/login:", on_click=_sign_in, args=(provider,))


def why_viewer() -> None:
    """Why somebody who signed in may only look."""
    if role() != "viewer" or not person():
        return
    found = claims()
    if found.get("email") and person() != str(found["email"]).strip().lower():
        st.caption(
            tr(
                "The sign-in service did not say that it verified the address {address}, so it does not "
                "count; you are known here as {name}.",
                address=text.plain(str(found["email"])),
                name=text.plain(name_of(found)),
            )
        )
    st.caption(
        tr(
            "Whoever runs this server gives roles: in [roles] of secrets.toml, to {name}.",
            name=text.plain(person()),
        )
    )


def say_outcome() -> None:
    """What became of a sign-in that did not work, once; and what is wrong with the settings."""
    said = parameter(PARAMETER)
    if said:
        set_parameter(PARAMETER, "")
        st.session_state[_KEPT] = said if said in OUTCOMES else ""
    if not signs_in():
        return
    trouble = sign_in_trouble() or ("settings" if st.session_state.get(_KEPT) == "settings" else "")
    outcome = "" if person() else st.session_state.get(_KEPT, "")
    if trouble:
        with st.container(key="sign_in_trouble"):
            st.error(tr(_TROUBLE[trouble]))
            st.caption(
                tr("Until it is mended, everything can be seen and nothing changed. How: docs/signing-in.md")
            )
    elif outcome in _SAID:
        message, remedy = _SAID[outcome]
        with st.container(key="sign_in_outcome"):
            st.warning(tr(message))
            st.caption(tr(remedy))


def _sign_in(provider: str) -> None:
    st.session_state.pop(_KEPT, None)
    try:
        st.login(provider or None)
    except StreamlitAuthError:
        st.session_state[_KEPT] = "settings"


def _providers() -> list[str]:
    """Names of the sign-in services; empty = the one that ``[auth]`` itself describes."""
    auth = st.secrets["auth"]
    named = [name for name, one in auth.items() if isinstance(one, Mapping) and "client_id" in one]
    return named if named and "client_id" not in auth else ["", *named]


def _right_address() -> str:
    """This page under the name that the cookie of the sign-in belongs to; empty = this is it."""
    right, here = get_origin_from_redirect_uri(), urlsplit(str(st.context.url or ""))
    if not right or not here.netloc or right == f"{here.scheme}://{here.netloc}":
        return ""
    query = urlencode(st.query_params.to_dict())
    return f"{right}{here.path}" + (f"?{query}" if query else "")
