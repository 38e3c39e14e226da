"""The line about who taught the model a suspect: fetched after the cards are there, so that nothing waits.

The strongest proponents and opponents of a page of suspects take the query process up to seconds on a large
audit. The cards come first; the browser asks for the line by HTTP and puts it in when it arrives.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tracin_viz.audit import Audit, Teacher
from tracin_viz.errors import TracinVizError
from tracin_viz.fingerprint import fingerprint
from tracin_viz.ui.components.gallery import LaterLines
from tracin_viz.ui.language import tr
from tracin_viz.ui.results import state_key
from tracin_viz.ui.routes import FOR_GOOD, is_number, prefix
from tracin_viz.ui.session import open_audit, visit
from tracin_viz.ui.short import short
from tracin_viz.ui.theme import SIGNS

#: Proponents and opponents whose labels are told.
TOP = 5
MOST = 100
#: Characters of a label in the line, which may hold ten of them.
NAME = 32
_SAFE = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'"}
_log = logging.getLogger(__name__)


def teachers_of(audit: Audit, rows: Sequence[int]) -> LaterLines:
    """Where the browser finds the lines for these training rows, and their words."""
    version, who = state_key(audit)[:12], fingerprint([visit()])[:12]
    address = f"{prefix()}/teachers/{quote(audit.name, safe='')}"
    return LaterLines(
        f"{address}?v={version}&s={who}&rows={','.join(map(str, rows[:MOST]))}",
        {
            "proponents": f"{SIGNS['proponent']} {tr('for it: {labels}')}",
            "opponents": f"{SIGNS['opponent']} {tr('against it: {labels}')}",
        },
    )


def teacher_routes(find: Callable[[str], Audit] = open_audit) -> list[Route]:
    """The route for ``st.App``.

    Args:
        find: Opens an audit by name; another one in tests.
    """

    def lines(request: Request) -> Response:
        return _lines(request, find)

    return [Route(f"{prefix()}/teachers/{{rest:path}}", lines, methods=["GET"])]


def _lines(request: Request, find: Callable[[str], Audit]) -> Response:
    rows = request.query_params.get("rows", "").split(",")
    if not 0 < len(rows) <= MOST or not all(is_number(row) for row in rows):
        return _missing()
    try:
        audit = find(request.path_params["rest"])
        session = request.query_params.get("s", "")[:40]
        found = audit.teachers([int(row) for row in rows], top=TOP, session=session)
        current = request.query_params.get("v") == state_key(audit)[:12]
    except (TracinVizError, OSError) as error:
        _log.info("no teachers for %s: %s", request.url.path, error)
        return _missing()
    lines = {
        f"train:{row}": {"proponents": labels(one.proponents), "opponents": labels(one.opponents)}
        for row, one in found.items()
    }
    # Escaped to ASCII: a label may hold half of a surrogate pair, which has no UTF-8 form.
    body = json.dumps(lines, ensure_ascii=True, allow_nan=False).encode("ascii")
    headers = {**_SAFE, "Cache-Control": FOR_GOOD if current else "no-cache"}
    return Response(body, media_type="application/json", headers=headers)


def labels(teachers: Iterable[Teacher]) -> str:
    """Their labels with how often each occurs, the most frequent first: ``7 ×4, 9``."""
    counted = Counter(one.label for one in teachers)
    return ", ".join(
        f"{short(label, NAME)} ×{number}" if number > 1 else short(label, NAME)
        for label, number in counted.most_common()
    )


def _missing() -> Response:
    words = "There are no such training examples, or a newer question took the place of this one."
    return PlainTextResponse(words, status_code=404, headers={"Cache-Control": "no-store"})
