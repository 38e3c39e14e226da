"""A small OpenID provider on 127.0.0.1: discovery, sign-in page, tokens signed with RS256, keys, sign-out.

It is strict where providers are: one client, one return address, codes that hold once and only with the
verifier of the request (PKCE), and a nonce that comes back in the token. ``fault`` makes it go wrong.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, PASSWORD = "tracin-viz", "a secret that only the two of them know"


@dataclass
class Provider:
    """Its people, and what is on the way.

    Attributes:
        people: Claims by subject.
        returns: Addresses that people may be sent back to.
        fault: ``nonce``, ``signature``, ``denied`` or ``expired`` make the next answers wrong.
        address: Where it is, the issuer.
        signed_out: How often somebody came to sign out.
    """

    people: dict[str, dict[str, Any]]
    returns: list[str]
    fault: str = ""
    address: str = ""
    signed_out: int = 0
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one", "use": "sig"}))
    other: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))

    def discovery(self) -> dict[str, Any]:
        """What ``/.well-known/openid-configuration`` says."""
        return {
            "issuer": self.address,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "jwks_uri": f"{self.address}/keys",
            "end_session_endpoint": f"{self.address}/leave",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }

    def page(self, asked: dict[str, str]) -> tuple[int, str]:
        """The page on which somebody says who they are."""
        wrong = self._wrong(asked)
        if wrong:
            return 400, f"<p>{html.escape(wrong)}</p>"
        kept = "".join(
            f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
            for name, value in asked.items()
        )
        buttons = "".join(f'<p><button name="who" value="{one}">{one}</button></p>' for one in self.people)
        return 200, f'<h1>Who are you?</h1><form method="post" action="/authorize">{kept}{buttons}</form>'

    def sent_back(self, asked: dict[str, str]) -> str:
        """Where the browser goes once somebody has said who they are."""
        if self._wrong(asked) or asked.get("who") not in self.people:
            return ""
        if self.fault == "denied":
            said = {"error": "access_denied", "error_description": "This account is not for this app."}
        else:
            said = {"code": secrets.token_urlsafe(24)}
            self.codes[said["code"]] = asked
        return f"{asked['redirect_uri']}?{urlencode({**said, 'state': asked['state']})}"

    def token(self, sent: dict[str, str], client: str) -> tuple[int, dict[str, Any]]:
        """The token for a code, which holds once."""
        asked = self.codes.pop(sent.get("code", ""), None)
        digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        proof = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if client != f"{CLIENT}:{PASSWORD}":
            return 401, {"error": "invalid_client"}
        if asked is None or asked["code_challenge"] != proof or asked["redirect_uri"] != sent["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        now = int(time.time()) - (7200 if self.fault == "expired" else 0)
        claims = {"iss": self.address, "aud": CLIENT, "iat": now, "exp": now + 3600, "sub": asked["who"]}
        claims["nonce"] = "another" if self.fault == "nonce" else asked["nonce"]
        key = self.other if self.fault == "signature" else self.key
        signed = jwt.encode({"alg": "RS256", "kid": "one"}, {**claims, **self.people[asked["who"]]}, key)
        return 200, {"access_token": "none", "token_type": "Bearer", "expires_in": 3600, "id_token": signed}

    def _wrong(self, asked: dict[str, str]) -> str:
        if asked.get("client_id") != CLIENT or asked.get("redirect_uri") not in self.returns:
            return "This client or this address to return to is not known."
        needed = ("state", "nonce", "code_challenge")
        if asked.get("response_type") != "code" or not all(asked.get(name) for name in needed):
            return "A code, a state, a nonce and a challenge are needed."
        if asked.get("code_challenge_method") != "S256" or "openid" not in asked.get("scope", "").split():
            return "This is no OpenID Connect."
        return ""

    def secrets(self, folder: Path, app: str, **roles: list[str]) -> None:
        """Write the file of secrets of an app at ``app`` into a home folder."""
        told = {
            "redirect_uri": f"{app}/oauth2callback",
            "cookie_secret": secrets.token_hex(32),
            "client_id": CLIENT,
            "client_secret": PASSWORD,
            "server_metadata_url": f"{self.address}/.well-known/openid-configuration",
        }
        lines = ["[auth]", *(f"{name} = {json.dumps(value)}" for name, value in told.items()), "[roles]"]
        lines += [f"{name} = {json.dumps(value)}" for name, value in roles.items()]
        (folder / ".streamlit").mkdir(parents=True, exist_ok=True)
        (folder / ".streamlit" / "secrets.toml").write_text("\n".join(lines), encoding="utf-8")
        self.returns.append(told["redirect_uri"])


@contextmanager
def running(people: dict[str, dict[str, Any]], port: int = 0) -> Iterator[Provider]:
    """The provider on a free port, or on ``port``."""
    provider = Provider(people, [])
    server = ThreadingHTTPServer(("127.0.0.1", port), _handler(provider))
    provider.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            where = urlsplit(self.path)
            asked = _single(where.query)
            if where.path == "/.well-known/openid-configuration":
                self._json(200, provider.discovery())
            elif where.path == "/keys":
                self._json(200, {"keys": [provider.key.as_dict(private=False)]})
            elif where.path == "/authorize":
                status, page = provider.page(asked)
                self._say(status, "text/html; charset=utf-8", page.encode())
            elif where.path == "/leave" and asked.get("post_logout_redirect_uri") in provider.returns:
                provider.signed_out += 1
                self._go(asked["post_logout_redirect_uri"])
            else:
                self._json(404, {"error": "not_found"})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
            sent, path = _single(body), urlsplit(self.path).path
            if path == "/authorize":
                back = provider.sent_back(sent)
                self._go(back) if back else self._json(400, {"error": "invalid_request"})
            elif path == "/token":
                kind, _, given = self.headers.get("Authorization", "").partition(" ")
                known = base64.b64decode(given).decode() if kind == "Basic" else ""
                client = ":".join(unquote(part) for part in known.split(":", 1))
                self._json(*provider.token(sent, client))
            else:
                self._json(404, {"error": "not_found"})

        def _go(self, address: str) -> None:
            self.send_response(302)
            self.send_header("Location", address)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _json(self, status: int, document: dict[str, Any]) -> None:
            self._say(status, "application/json", json.dumps(document).encode())

        def _say(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Nothing is written about requests."""

    return Handler


def _single(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}
