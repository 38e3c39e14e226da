"""The upload's HTTP routes: pieces go from the network to the disk and stay nowhere in between.

    POST   /upload                  {"files": [{"path", "size", "changed"}]}  -> {"id", "offsets", "finished"}
    GET    /upload/<id>                                                        -> the same
    PUT    /upload/<id>/<n>?offset=k  bytes of file n from k on                -> the same
    DELETE /upload/<id>

Our routes get neither Streamlit's login nor its protection against forged requests, so each request must
carry the token that our page gave its visitor, and those that change something must come from our own page;
where people sign in, an admin must be signed in while the request is made.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import streamlit as st
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tracin_viz.audit import OffsetError, Upload, Uploads
from tracin_viz.errors import InputError, NotFoundError, ReadOnlyError, StoreError, TracinVizError
from tracin_viz.ui.access import managing, managing_at
from tracin_viz.ui.translation import answering

TOKEN_HEADER = "x-tracin-viz-token"
#: Bytes collected before a thread writes them: fewer switches, and still nothing to speak of in memory.
BUFFER = 1 << 20
#: Bytes of an announcement: 5,000 files with long names.
_ANNOUNCEMENT = 8 << 20
_TOKENS_KEPT = 2_000


class Tokens:
    """Which visitors may upload: random words that our own pages gave them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, float] = {}

    def issue(self) -> str:
        """A new token."""
        token = secrets.token_urlsafe(24)
        with self._lock:
            while len(self._known) >= _TOKENS_KEPT:
                self._known.pop(min(self._known, key=self._known.__getitem__))
            self._known[token] = time.monotonic()
        return token

    def holds(self, token: str) -> bool:
        """Whether ``token`` was issued by this process."""
        with self._lock:
            if token not in self._known:
                return False
            self._known[token] = time.monotonic()
            return True


TOKENS = Tokens()


def token() -> str:
    """The token of this browser session.

    Raises:
        ReadOnlyError: This visit may not upload.
    """
    managing()
    kept = str(st.session_state.get("upload_token", ""))
    if not TOKENS.holds(kept):
        kept = TOKENS.issue()
        st.session_state["upload_token"] = kept
    return kept


def upload_routes(prefix: str, find: Callable[[], Uploads], tokens: Tokens = TOKENS) -> list[Route]:
    """The routes for ``st.App``.

    Args:
        prefix: Before every path, where the server has a base path.
        find: Gives the uploads of the workspace.
        tokens: Who may upload.
    """

    async def begin(request: Request) -> Response:
        return await _answered(request, tokens, lambda: _begin(request, find()))

    async def one(request: Request) -> Response:
        return await _answered(request, tokens, lambda: _one(request, find()))

    async def piece(request: Request) -> Response:
        return await _answered(request, tokens, lambda: _piece(request, find()))

    return [
        Route(f"{prefix}/upload", begin, methods=["POST"]),
        Route(f"{prefix}/upload/{{id}}", one, methods=["GET", "DELETE"]),
        Route(f"{prefix}/upload/{{id}}/{{number:int}}", piece, methods=["PUT"]),
    ]


async def _begin(request: Request, uploads: Uploads) -> Upload:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _ANNOUNCEMENT:
            raise InputError("Too many files for one upload.", remedy="Put them into one zip file.")
    try:
        files = json.loads(body)["files"]
        announced = [dict(entry) for entry in files]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError("This is no list of files.", remedy="Choose the files again.") from error
    return await asyncio.to_thread(uploads.begin, announced)


async def _one(request: Request, uploads: Uploads) -> Upload:
    identifier = request.path_params["id"]
    found = await asyncio.to_thread(uploads.state, identifier)
    if request.method == "DELETE":
        await asyncio.to_thread(uploads.remove, identifier)
    return found


async def _piece(request: Request, uploads: Uploads) -> Upload:
    identifier, number = request.path_params["id"], request.path_params["number"]
    offset = request.query_params.get("offset", "")
    if not (offset.isascii() and offset.isdecimal()):
        raise InputError("The piece does not say where it belongs.", remedy="Choose the files again.")
    writer = await asyncio.to_thread(uploads.writer, identifier, number, int(offset))
    buffer = bytearray()
    # Where the connection breaks, what arrived is kept: the browser asks how far it is and goes on there.
    with contextlib.suppress(ClientDisconnect):
        async for part in request.stream():
            buffer += part
            if len(buffer) >= BUFFER:
                await asyncio.to_thread(writer.write, bytes(buffer))
                buffer.clear()
    if buffer:
        await asyncio.to_thread(writer.write, bytes(buffer))
    return await asyncio.to_thread(uploads.finish, identifier)


async def _answered(request: Request, tokens: Tokens, answer: Callable[[], Any]) -> Response:
    say = answering(request.headers)
    try:
        _check(request, tokens)
        managing_at(request)
        upload: Upload = await answer()
    except OffsetError as error:
        return _failed(409, error, say, offset=error.offset)
    except ReadOnlyError as error:
        return _failed(403, error, say)
    except NotFoundError as error:
        return _failed(404, error, say)
    except StoreError as error:
        return _failed(507, error, say)
    except TracinVizError as error:
        return _failed(400, error, say)
    return _json(200, {"id": upload.id, "offsets": upload.offsets, "finished": upload.finished})


def _check(request: Request, tokens: Tokens) -> None:
    """Refuse a request that is not from our own page."""
    again = "Reload the page and try again."
    if not tokens.holds(request.headers.get(TOKEN_HEADER, "")):
        raise ReadOnlyError("This page has been open since the server was started anew.", remedy=again)
    origin = urlsplit(request.headers.get("origin", "")).netloc
    foreign = request.method != "GET" and origin != request.headers.get("host", "")
    if foreign or request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise ReadOnlyError("Uploads are taken from the app's own pages only.", remedy=again)


def _failed(status: int, error: TracinVizError, say: Callable[[str], str], **more: Any) -> Response:
    return _json(status, {"message": say(error.message), "remedy": say(error.remedy), **more})


def _json(status: int, document: dict[str, Any]) -> Response:
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return JSONResponse(document, status_code=status, headers=headers)
