"""HTTP routes of the relabel card.

    POST /decisions/<audit>        {"entries": […]}                    -> {"stored": […], "refused": […]}
    POST /decisions-offer/<audit>  {"session", "annotator", "count"}   -> {"offered": […], "answered": […]}
    GET  /decisions-cards/<audit>?session=…&ids=train:1,train:2        -> {"cards": […]}
    GET  /decisions-pushed/<audit>/<row>?visit=…                       -> {"proponents": […], "opponents"}

Those that change something need a pass of our own page, must come from it, and from somebody who is signed in
now where people sign in: our routes get neither Streamlit's login nor its protection against forged requests.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tracin_viz.audit import Audit, QueueEntry
from tracin_viz.errors import InputError, NotFoundError, ReadOnlyError, StoreError, TracinVizError
from tracin_viz.ui.access import deciding_at
from tracin_viz.ui.language import translators
from tracin_viz.ui.relabel.examples import card_data
from tracin_viz.ui.relabel.passes import Pass, read
from tracin_viz.ui.relabel.pushed import pushed
from tracin_viz.ui.routes import is_number, prefix
from tracin_viz.ui.session import open_audit
from tracin_viz.ui.translation import answering

PASS_HEADER = "x-tracin-viz-pass"
#: Bytes of one delivery: 500 decisions with long notes.
LARGEST = 16 << 20
MOST_CARDS = 60
MOST_OFFERED = 50

_log = logging.getLogger(__name__)


def relabel_routes(find: Callable[[str], Audit] = open_audit) -> list[Route]:
    """The routes for ``st.App``.

    Args:
        find: Opens an audit by name; another one in tests.
    """

    async def decisions(request: Request) -> Response:
        return await _changed(request, find, _decisions)

    async def offer(request: Request) -> Response:
        return await _changed(request, find, _offer)

    async def cards(request: Request) -> Response:
        return await _answered(request, lambda: asyncio.to_thread(_cards, request, find))

    async def closest(request: Request) -> Response:
        return await _answered(request, lambda: asyncio.to_thread(_closest, request, find))

    before = prefix()
    return [
        Route(f"{before}/decisions/{{rest:path}}", decisions, methods=["POST"]),
        Route(f"{before}/decisions-offer/{{rest:path}}", offer, methods=["POST"]),
        Route(f"{before}/decisions-cards/{{rest:path}}", cards, methods=["GET"]),
        Route(f"{before}/decisions-pushed/{{rest:path}}", closest, methods=["GET"]),
    ]


Change = Callable[[Audit, dict[str, Any], Pass], dict[str, Any]]


async def _changed(request: Request, find: Callable[[str], Audit], change: Change) -> Response:
    async def answer() -> dict[str, Any]:
        if not _own(request):
            raise ReadOnlyError("Decisions are taken from the app's own pages only.", remedy="Open the app.")
        # The cookie says who asks now, the pass for whom the page was drawn: both must hold, so that nobody
        # decides after signing out, after losing the role, or with a pass that another person was given.
        visitor = deciding_at(request)
        audit = await asyncio.to_thread(find, request.path_params["rest"])
        held = read(audit.signing_key(), request.headers.get(PASS_HEADER, ""))
        if held is None or held.annotator != visitor.name:
            raise ReadOnlyError("The pass of this page holds no more.", remedy="Reload the page.")
        body = await _body(request)
        return await asyncio.to_thread(change, audit, body, held)

    return await _answered(request, answer)


async def _answered(request: Request, answer: Callable[[], Awaitable[dict[str, Any]]]) -> Response:
    say = answering(request.headers)
    try:
        found = await answer()
        for refused in found.get("refused", ()):
            refused["message"] = say(refused["message"])
        return _json(200, found)
    except ReadOnlyError as error:
        return _failed(403, error, say)
    except NotFoundError as error:
        return _failed(404, error, say)
    except (StoreError, OSError) as error:  # a busy database or a full disk: the outbox tries again
        _log.warning("decisions cannot be stored now: %s", error)
        return _failed(503, error, say)
    except TracinVizError as error:
        return _failed(400, error, say)


def _decisions(audit: Audit, body: dict[str, Any], held: Pass) -> dict[str, Any]:
    entries = body.get("entries")
    if not isinstance(entries, list):
        raise InputError("This is no list of decisions.", remedy="Reload the page.")
    found = audit.deliver(entries, annotator=held.annotator)
    refused = [{"uuid": name, "message": message} for name, message in found.refused]
    return {"stored": list(found.stored), "refused": refused}


def _offer(audit: Audit, body: dict[str, Any], held: Pass) -> dict[str, Any]:
    count, who = body.get("count"), held.annotator or body.get("annotator")
    if not isinstance(count, int) or not isinstance(who, str) or not who.strip():
        raise InputError("It is not said who asks, or for how many examples.", remedy="Reload the page.")
    wanted = max(1, min(count, MOST_OFFERED))
    offered, answered = audit.claim(str(body.get("session", "")), who.strip(), wanted)
    return {"offered": offered, "answered": answered}


def _cards(request: Request, find: Callable[[str], Audit]) -> dict[str, Any]:
    audit = find(request.path_params["rest"])
    asked = request.query_params.get("ids", "").split(",")[:MOST_CARDS]
    session = audit.sessions.get(request.query_params.get("session", ""))
    queue = {entry.example_id: entry for entry in session.queue}
    entries: list[QueueEntry] = [queue[one] for one in asked if one in queue]
    say, _ = translators(request.query_params.get("lang", ""))
    return {"cards": card_data(audit, entries, votes=session.mode == "settle", say=say)}


def _closest(request: Request, find: Callable[[str], Audit]) -> dict[str, Any]:
    name, _, row = request.path_params["rest"].rpartition("/")
    audit = find(name)
    if not is_number(row) or int(row) >= audit.splits["train"]:
        raise NotFoundError("There is no such example.")
    return pushed(audit, f"train:{int(row)}", visit=request.query_params.get("visit", "")[:64])


async def _body(request: Request) -> dict[str, Any]:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST:
            raise InputError("Too many decisions at once.", remedy="Send them in several parts.")
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InputError("These are no decisions.", remedy="Reload the page.") from error
    if not isinstance(found, dict):
        raise InputError("These are no decisions.", remedy="Reload the page.")
    return found


def _own(request: Request) -> bool:
    """Whether the request comes from our own page: a foreign one cannot set these headers."""
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return False
    return urlsplit(request.headers.get("origin", "")).netloc == request.headers.get("host", "")


def _failed(status: int, error: Exception, say: Callable[[str], str]) -> Response:
    known = error if isinstance(error, TracinVizError) else StoreError("This cannot be stored now.")
    return _json(status, {"message": say(known.message), "remedy": say(known.remedy)})


def _json(status: int, document: dict[str, Any]) -> Response:
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    # Escaped to ASCII: a text may hold half of a surrogate pair, which has no UTF-8 form.
    body = json.dumps(document, ensure_ascii=True, allow_nan=False).encode("ascii")
    return Response(body, status_code=status, media_type="application/json", headers=headers)
