"""Around Streamlit's sign-in: back to the page that somebody came from, and words where it fails.

Streamlit always returns to its first page, says nothing when the provider refuses, and answers where the
provider is away with a bare "Authentication error". The page that gets ``?sign_in=…`` says what happened.
"""

from __future__ import annotations

import logging
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: What the address says after a sign-in that did not work.
OUTCOMES = ("unreachable", "refused", "failed")
PARAMETER = "sign_in"
_BACK = "tracin_viz_back"
_USER = b"_streamlit_user="
_MINUTES = 10

_log = logging.getLogger(__name__)


class SignIn:
    """Remembers where somebody signs in, and brings them back there.

    Args:
        app: Streamlit's own routes of the sign-in.
        prefix: Before every path, where the server has a base path.
    """

    def __init__(self, app: ASGIApp, prefix: str = "") -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; only the answers of the two addresses of a sign-in are looked at."""
        path = scope["path"].removeprefix(self._prefix) if scope["type"] == "http" else ""
        if path not in ("/auth/login", "/oauth2callback"):
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        answer, begin = _Answer(), path == "/auth/login"
        try:
            await self._app(scope, receive, answer.take)
        except Exception:  # a slip in the settings; the page says where to look, the log has the rest
            _log.exception("sign-in failed")
            answer.status = 500
        back = self._came_from(request) if begin else unquote(request.cookies.get(_BACK, ""))
        back = back if _is_own(back) else f"{self._prefix}/"
        outcome = _begun(answer) if begin else _ended(answer, request)
        if begin and not outcome:
            answer.set_cookie(_BACK, quote(back, safe=""), self._prefix)
            await answer.give(send)
        elif begin or answer.status != 302:
            await RedirectResponse(_with(back, outcome or "failed"), 303)(scope, receive, send)
        else:
            answer.go_to(_with(back, outcome))
            answer.set_cookie(_BACK, "", self._prefix)
            await answer.give(send)

    def _came_from(self, request: Request) -> str:
        page = urlsplit(request.headers.get("referer", ""))
        if page.netloc != request.headers.get("host", ""):
            return ""
        return page.path + (f"?{page.query}" if page.query else "")


class _Answer:
    """An answer that is held back until it is known what becomes of it."""

    def __init__(self) -> None:
        self.status = 0
        self.messages: list[Message] = []

    async def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        self.messages.append(message)

    def headers(self) -> list[tuple[bytes, bytes]]:
        given = self.messages[0]["headers"] if self.messages else ()
        return [(bytes(name).lower(), bytes(value)) for name, value in given]

    def go_to(self, address: str) -> None:
        kept = [one for one in self.headers() if one[0] != b"location"]
        self.messages[0]["headers"] = [*kept, (b"location", address.encode("ascii"))]

    def set_cookie(self, name: str, value: str, prefix: str) -> None:
        age = _MINUTES * 60 if value else 0
        cookie = f"{name}={value}; Path={prefix or '/'}; Max-Age={age}; HttpOnly; SameSite=Lax"
        self.messages[0]["headers"] = [*self.headers(), (b"set-cookie", cookie.encode("ascii"))]

    async def give(self, send: Send) -> None:
        for message in self.messages:
            await send(message)


def _begun(answer: _Answer) -> str:
    """Empty when the browser is on its way to the provider, else what is wrong."""
    return "" if answer.status in (302, 303, 307) else "unreachable"


def _ended(answer: _Answer, request: Request) -> str:
    """Empty when somebody is signed in, or came back from signing out; else what happened."""
    set_now = [value.partition(b";")[0] for name, value in answer.headers() if name == b"set-cookie"]
    if any(one.startswith(_USER) and one.removeprefix(_USER).strip(b'"') for one in set_now):
        return ""
    if "error" in request.query_params:
        return "refused"
    return "failed" if "code" in request.query_params else ""


def _is_own(address: str) -> bool:
    """Whether an address is one of this server, so that no cookie leads anybody elsewhere."""
    found = urlsplit(address)
    return address.startswith("/") and not address.startswith(("//", "/\\")) and not found.netloc


def _with(address: str, outcome: str) -> str:
    """The address, saying what became of the sign-in."""
    found = urlsplit(address)
    asked = {
        name: values
        for name, values in parse_qs(found.query, keep_blank_values=True).items()
        if name != PARAMETER
    }
    if outcome:
        asked[PARAMETER] = [outcome]
    query = urlencode(asked, doseq=True)
    return quote(found.path, safe="/%:") + (f"?{query}" if query else "")
