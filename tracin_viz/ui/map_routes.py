"""HTTP routes of the map: the bytes of points under their content's name, and the card of one example."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import asdict
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tracin_viz.audit import Audit
from tracin_viz.errors import TracinVizError
from tracin_viz.ui.blobs import BLOBS, Blobs
from tracin_viz.ui.cards import example_card
from tracin_viz.ui.components.gallery import LONGEST_TEXT
from tracin_viz.ui.results import state_key
from tracin_viz.ui.routes import FOR_GOOD, is_number, prefix
from tracin_viz.ui.session import open_audit

_SAFE = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'"}
_log = logging.getLogger(__name__)


def bytes_url() -> str:
    """Address before the name of a blob."""
    return f"{prefix()}/bytes/"


def card_url(audit: Audit, split: str = "train") -> str:
    """Address of the card of an example, ``{row}`` standing for its row; changes with the results."""
    version = state_key(audit)[:12]
    return f"{prefix()}/card/{quote(audit.name, safe='')}/{quote(split, safe='')}/{{row}}?v={version}"


def map_routes(find: Callable[[str], Audit] = open_audit, blobs: Blobs = BLOBS) -> list[Route]:
    """The routes for ``st.App``.

    Args:
        find: Opens an audit by name; another one in tests.
        blobs: The bytes that are held.
    """

    def held(request: Request) -> Response:
        body = blobs.get(request.path_params["rest"])
        if body is None:
            return _missing("These bytes are not held any more.")
        return Response(
            body, media_type="application/octet-stream", headers={**_SAFE, "Cache-Control": FOR_GOOD}
        )

    def card(request: Request) -> Response:
        return _card(request, find)

    # Catch-all paths: what does not fit is our 404, not Streamlit's index page with status 200.
    return [
        Route(f"{prefix()}/bytes/{{rest:path}}", held, methods=["GET"]),
        Route(f"{prefix()}/card/{{rest:path}}", card, methods=["GET"]),
    ]


def _card(request: Request, find: Callable[[str], Audit]) -> Response:
    name, _, place = request.path_params["rest"].partition("/")
    split, _, number = place.rpartition("/")
    if not is_number(number):
        return _missing("There is no such example.")
    try:
        audit = find(name)
        if not 0 <= int(number) < audit.splits.get(split, 0):
            return _missing("There is no such example.")
        card = example_card(audit, audit.examples(split).iloc[int(number)].to_dict())
        current = request.query_params.get("v") == state_key(audit)[:12]
    except (TracinVizError, OSError) as error:
        _log.warning("no card for %s: %s", request.url.path, error)
        return _missing("There is no such example.")
    fields = {**asdict(card), "text": card.text[:LONGEST_TEXT]}
    # Escaped to ASCII: a text may hold half of a surrogate pair, which has no UTF-8 form.
    body = json.dumps(fields, ensure_ascii=True, allow_nan=False).encode("ascii")
    headers = {**_SAFE, "Cache-Control": FOR_GOOD if current else "no-cache"}
    return Response(body, media_type="application/json", headers=headers)


def _missing(words: str) -> Response:
    return PlainTextResponse(words, status_code=404, headers={"Cache-Control": "no-store"})
