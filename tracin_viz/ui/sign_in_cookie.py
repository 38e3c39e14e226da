"""The cookie that Streamlit sets when somebody signs in, read from a request to one of our own routes.

Pages know who is signed in from ``st.user``; routes have no visit to ask. The reading is Streamlit's own
(1.67), functions that its documentation does not name: ``tests/ui/test_sign_in.py`` fails where they change.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def claims_in(cookies: Mapping[str, str], origin: str) -> dict[str, Any]:
    """What the provider said about who is signed in.

    Args:
        cookies: Of the request.
        origin: Where the request's page is from; empty = not said.

    Returns:
        The claims; empty where nobody is signed in, the signature is wrong or a month old, or the cookie
        was made for another address of a server with the same secret.
    """
    from streamlit.auth_util import get_cookie_with_chunks
    from streamlit.web.server.server_util import get_cookie_secret
    from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
    from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

    secret = get_cookie_secret()

    def one(name: str) -> bytes | None:
        value = cookies.get(name)
        return (
            None if value is None else decode_signed_value(secret, name, value.encode("latin-1", "replace"))
        )

    raw = get_cookie_with_chunks(one, USER_COOKIE_NAME)
    try:
        found = json.loads(raw) if raw else None
    except ValueError:
        return {}
    if not isinstance(found, dict) or found.get("is_logged_in") is not True:
        return {}
    return {} if origin and found.get("origin") != origin else found
