"""HTTP routes beside the pages: thumbnails, and the check of the Host header.

A browser caches a thumbnail for good, because its address holds a fingerprint of what it shows. Only names
of registered audits and numbers of examples are looked up; no part of an address is used as a path.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from urllib.parse import quote

import streamlit as st
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tracin_viz.audit import Audit, Uploads
from tracin_viz.errors import TracinVizError
from tracin_viz.fingerprint import fingerprint
from tracin_viz.ui.look_only import LookOnly
from tracin_viz.ui.session import data_key, open_audit, workspace
from tracin_viz.ui.sign_in import SignIn
from tracin_viz.ui.upload_routes import upload_routes

#: Pixel widths that may be asked for: a free choice would let anybody fill the thumbnail table.
SIZES = (128, 384, 1024)
LARGEST = SIZES[-1]
_THIS_COMPUTER = ("127.0.0.1", "localhost")
FOR_GOOD = "private, max-age=31536000, immutable"

_log = logging.getLogger(__name__)


def thumbnail_url(audit: Audit, example_id: str, *, size: int = 128) -> str:
    """Address of an example's thumbnail; changes when the audit shows other data."""
    split, _, row = example_id.rpartition(":")
    version = _version(audit, split, row, size)
    return f"{prefix()}/thumb/{quote(audit.name, safe='')}/{quote(split, safe='')}/{row}?s={size}&v={version}"


def routes(
    find: Callable[[str], Audit] = open_audit, uploads: Callable[[], Uploads] = lambda: workspace().uploads
) -> list[Route]:
    """The routes for ``st.App``.

    Args:
        find: Opens an audit by name; another one in tests.
        uploads: Gives the uploads of the workspace.
    """

    def thumb(request: Request) -> Response:
        return _thumbnail(request, find)

    # One catch-all path: what does not fit is our 404, not Streamlit's index page with status 200.
    return [
        Route(f"{prefix()}/thumb/{{rest:path}}", thumb, methods=["GET"]),
        *upload_routes(prefix(), uploads),
    ]


def middleware() -> list[Middleware]:
    """Refuses requests sent to another host name (DNS rebinding), and changes where people may only look."""
    # Streamlit's own list for the pages' connection: this computer only, unless somebody says more.
    hosts = [str(one).strip().lower() for one in st.get_option("server.allowedHosts") or _THIS_COMPUTER]
    return [
        Middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False),
        Middleware(LookOnly, prefix=prefix()),
        Middleware(SignIn, prefix=prefix()),
    ]


def _thumbnail(request: Request, find: Callable[[str], Audit]) -> Response:
    name, _, place = request.path_params["rest"].partition("/")
    split, _, number = place.rpartition("/")
    size = request.query_params.get("s", str(SIZES[0]))
    if not (is_number(number) and is_number(size) and int(size) in SIZES):
        return _missing()
    try:
        audit = find(name)
        if not 0 <= int(number) < audit.splits.get(split, 0):
            return _missing()
        picture = audit.thumbnail(split, int(number), int(size))
    except (TracinVizError, OSError) as error:
        _log.warning("no thumbnail for %s: %s", request.url.path, error)
        return _missing()
    current = request.query_params.get("v") == _version(audit, split, number, int(size))
    headers = {
        "Cache-Control": FOR_GOOD if current else "no-cache",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'",
    }
    return Response(picture, media_type="image/webp", headers=headers)


def is_number(text: str) -> bool:
    """Whether ``text`` is a row number: digits only, and not too many of them."""
    return text.isascii() and text.isdigit() and len(text) <= 9


def _missing() -> Response:
    return PlainTextResponse(
        "There is no such picture.", status_code=404, headers={"Cache-Control": "no-store"}
    )


def _version(audit: Audit, split: str, row: str, size: int) -> str:
    return _stamp(data_key(audit), split, row, size)


@functools.lru_cache(maxsize=1 << 14)
def _stamp(data: str, split: str, row: str, size: int) -> str:
    return fingerprint([data, split, row, size])[:12]


def upload_url() -> str:
    """Address that files are sent to."""
    return f"{prefix()}/upload"


def prefix() -> str:
    """What stands before all our own addresses."""
    # Streamlit puts server.baseUrlPath before its own routes only.
    path = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{path}" if path else ""
