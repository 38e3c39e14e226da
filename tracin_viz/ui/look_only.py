"""A wall around a read-only server: no HTTP route of ours takes a request that could change something.

Pages and the workspace refuse too; this one stands in front of routes that are yet to be written.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from tracin_viz.errors import ReadOnlyError
from tracin_viz.ui.access import read_only
from tracin_viz.ui.translation import answering

_LOOKING = ("GET", "HEAD", "OPTIONS")
#: Streamlit's own way for a picture that is only asked about: it stays in the memory of the visit.
_STREAMLIT = "/_stcore/"


class LookOnly:
    """Answers 403 to every request that is not for looking, while the server is read-only.

    Args:
        app: What is behind the wall.
        prefix: Before every path, where the server has a base path.
    """

    def __init__(self, app: ASGIApp, prefix: str = "") -> None:
        self._app = app
        self._streamlit = prefix + _STREAMLIT

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if (
            scope["type"] == "http"
            and scope["method"] not in _LOOKING
            and not scope["path"].startswith(self._streamlit)
            and read_only()
        ):
            error, say = ReadOnlyError(), answering(Headers(scope=scope))
            refused = {"message": say(error.message), "remedy": say(error.remedy)}
            answer = JSONResponse(refused, status_code=403, headers={"Cache-Control": "no-store"})
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)
