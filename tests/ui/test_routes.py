"""The thumbnail route: pictures of registered audits and nothing else."""

from __future__ import annotations

import asyncio
import io
from dataclasses import dataclass
from typing import Any

import pytest
from PIL import Image
from starlette.applications import Starlette

from tracin_viz.audit import Workspace
from tracin_viz.ui.routes import FOR_GOOD, middleware, routes, thumbnail_url


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


def ask(app: Starlette, target: str, *, method: str = "GET", host: str = "127.0.0.1:8501") -> Answer:
    """Send one request to an ASGI application."""
    path, _, query = target.partition("?")
    scope: dict[str, Any] = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(b"host", host.encode())],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8501),
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(dict(message))

    asyncio.run(app(scope, receive, send))
    headers = {key.decode().lower(): value.decode() for key, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:]))


@pytest.fixture
def app(workspace: Workspace) -> Starlette:
    return Starlette(routes=routes(workspace.open), middleware=middleware())


def test_a_thumbnail_is_a_small_webp_picture(app: Starlette, workspace: Workspace):
    answer = ask(app, thumbnail_url(workspace.open("tiny"), "train:3"))
    assert answer.status == 200
    assert answer.headers["content-type"] == "image/webp"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert max(Image.open(io.BytesIO(answer.body)).size) <= 128


def test_only_the_address_with_the_right_version_is_kept_for_good(app: Starlette, workspace: Workspace):
    right = thumbnail_url(workspace.open("tiny"), "train:3")
    assert ask(app, right).headers["cache-control"] == FOR_GOOD
    assert ask(app, right[:-1] + ("0" if right[-1] != "0" else "1")).headers["cache-control"] == "no-cache"
    assert ask(app, "/thumb/tiny/train/3").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "/thumb/",
        "/thumb/tiny",
        "/thumb/tiny/train",
        "/thumb/tiny/train/",
        "/thumb/tiny/train/999",
        "/thumb/tiny/train/-1",
        "/thumb/tiny/train/3.0",
        "/thumb/tiny/train/٣",
        "/thumb/tiny/train/99999999999999999999",
        "/thumb/tiny/nosplit/0",
        "/thumb/nobody/train/0",
        "/thumb/../../etc/passwd",
        "/thumb/..%2f..%2fetc/passwd/0",
        "/thumb/tiny/../train/0",
        "/thumb//train/0",
        "/thumb/tiny/train/0?s=1000000",
        "/thumb/tiny/train/0?s=abc",
    ],
)
def test_everything_else_is_a_404_of_our_own(app: Starlette, path: str):
    answer = ask(app, path)
    assert answer.status == 404
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_the_route_only_reads(app: Starlette, method: str):
    assert ask(app, "/thumb/tiny/train/3", method=method).status == 405


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", ""])
def test_a_request_for_another_host_is_refused(app: Starlette, host: str):
    assert ask(app, "/thumb/tiny/train/3", host=host).status == 400
    assert ask(app, "/thumb/tiny/train/3", host="localhost:8501").status == 200
