"""The upload routes: from our own pages only, piece by piece, and in words where something is refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from tracin_viz.store.upload_limits import UploadLimits
from tracin_viz.store.uploads import Uploads
from tracin_viz.ui.routes import middleware
from tracin_viz.ui.upload_routes import BUFFER, Tokens, upload_routes

HOST = "127.0.0.1:8501"


class Client:
    """A browser on our own page, or one that is not."""

    def __init__(self, folder: Path) -> None:
        self.uploads = Uploads(folder, UploadLimits(largest=8 << 20, keep_free=0))
        tokens = Tokens()
        routes = upload_routes("", lambda: self.uploads, tokens)
        self.app = Starlette(routes=routes, middleware=middleware())
        self.headers = {"host": HOST, "origin": f"http://{HOST}", "x-tracin-viz-token": tokens.issue()}

    def ask(
        self,
        method: str,
        target: str,
        pieces: Sequence[bytes] = (b"",),
        *,
        breaks: bool = False,
        **headers: str | None,
    ) -> tuple[int, dict[str, Any]]:
        path, _, query = target.partition("?")
        sent = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        scope: dict[str, Any] = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(k.encode(), v.encode()) for k, v in sent.items() if v is not None],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 8501),
        }
        waiting = [
            {"type": "http.request", "body": piece, "more_body": breaks or place < len(pieces) - 1}
            for place, piece in enumerate(pieces)
        ]
        answers: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return waiting.pop(0) if waiting else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            answers.append(dict(message))

        asyncio.run(self.app(scope, receive, send))
        body = b"".join(message.get("body", b"") for message in answers[1:])
        return answers[0]["status"], json.loads(body) if body.startswith(b"{") else {}

    def begin(self, *files: tuple[str, int]) -> str:
        listed = [{"path": path, "size": size, "changed": 1} for path, size in files]
        status, answer = self.ask("POST", "/upload", [json.dumps({"files": listed}).encode()])
        assert status == 200, answer
        return str(answer["id"])


@pytest.fixture
def client(tmp_path: Path) -> Client:
    return Client(tmp_path / "uploads")


def test_a_file_arrives_in_pieces(client: Client):
    content = bytes(range(256)) * ((3 * BUFFER) // 256)
    upload = client.begin(("a.zip", len(content)))
    half = len(content) // 2
    small = [content[place : place + 65_536] for place in range(0, half, 65_536)]
    small[-1] = small[-1][: half - 65_536 * (len(small) - 1)]
    assert client.ask("PUT", f"/upload/{upload}/0?offset=0", small)[1]["offsets"] == [half]
    status, answer = client.ask("PUT", f"/upload/{upload}/0?offset={half}", [content[half:]])
    assert (status, answer["finished"]) == (200, True)
    assert client.uploads.path(upload).read_bytes() == content


def test_a_broken_connection_keeps_what_arrived(client: Client):
    upload = client.begin(("a", 10))
    client.ask("PUT", f"/upload/{upload}/0?offset=0", [b"1234"], breaks=True)
    assert client.ask("GET", f"/upload/{upload}")[1] == {"id": upload, "offsets": [4], "finished": False}
    assert client.ask("PUT", f"/upload/{upload}/0?offset=0", [b"1234567890"]) == (
        409,
        {
            "message": "The piece does not follow what has arrived.",
            "remedy": "Go on from byte 4.",
            "offset": 4,
        },
    )
    assert client.ask("PUT", f"/upload/{upload}/0?offset=4", [b"567890"])[1]["finished"]
    assert client.uploads.path(upload).read_bytes() == b"1234567890"


@pytest.mark.parametrize(
    "headers",
    [
        {"x_tracin_viz_token": None},
        {"x_tracin_viz_token": "guessed"},
        {"origin": None},
        {"origin": "http://evil.example"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "null"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
    ],
)
def test_other_pages_may_not_upload(client: Client, headers: dict[str, str | None]):
    upload = client.begin(("a", 4))
    body = json.dumps({"files": [{"path": "b", "size": 1, "changed": 1}]}).encode()
    for method, target, piece in (
        ("POST", "/upload", body),
        ("PUT", f"/upload/{upload}/0?offset=0", b"1234"),
        ("DELETE", f"/upload/{upload}", b""),
    ):
        assert client.ask(method, target, [piece], **headers)[0] == 403, method
    assert client.uploads.state(upload).offsets == (0,)
    assert len(list(client.uploads.folder.iterdir())) == 1


def test_another_host_name_is_refused(client: Client):
    assert client.ask("POST", "/upload", host="evil.example", origin="http://evil.example")[0] == 400


def test_reading_the_state_needs_the_token_too(client: Client):
    upload = client.begin(("a", 4))
    assert client.ask("GET", f"/upload/{upload}", origin=None)[0] == 200  # browsers send none with GET
    assert client.ask("GET", f"/upload/{upload}", x_tracin_viz_token=None)[0] == 403


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "/upload/" + "0" * 32, 404),
        ("PUT", "/upload/" + "0" * 32 + "/0?offset=0", 404),
        ("PUT", "/upload/{upload}/1?offset=0", 404),
        ("PUT", "/upload/{upload}/0", 400),
        ("PUT", "/upload/{upload}/0?offset=-1", 400),
        ("PUT", "/upload/{upload}/0?offset=٣", 400),
        ("PUT", "/upload/{upload}/x?offset=0", 404),
        ("PUT", "/upload/../../etc/passwd?offset=0", 404),
    ],
)
def test_nonsense_is_answered_in_words(client: Client, method: str, target: str, status: int):
    upload = client.begin(("a", 4))
    assert client.ask(method, target.format(upload=upload), [b"1234"])[0] == status
    assert client.uploads.state(upload).offsets == (0,)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"files": 3}', b'{"files": [3]}', b"\xff", b"{" * 9_000_000])
def test_a_broken_announcement_is_refused(client: Client, body: bytes):
    status, answer = client.ask("POST", "/upload", [body])
    assert status == 400
    assert answer["message"]
    assert not client.uploads.folder.exists()


def test_too_much_is_refused_before_a_byte_is_sent(client: Client):
    listed = [{"path": "a", "size": 9 << 20, "changed": 1}]
    status, answer = client.ask("POST", "/upload", [json.dumps({"files": listed}).encode()])
    assert status == 400
    assert "may be uploaded at once" in answer["message"]


def test_a_full_disk_has_a_status_of_its_own(client: Client):
    upload = client.begin(("a", 4))
    client.uploads.limits = UploadLimits(largest=8 << 20, keep_free=1 << 62)
    status, answer = client.ask("PUT", f"/upload/{upload}/0?offset=0", [b"1234"])
    assert status == 507
    assert "free" in answer["message"]


def test_a_cancelled_upload_is_gone(client: Client):
    upload = client.begin(("a", 4))
    assert client.ask("DELETE", f"/upload/{upload}")[0] == 200
    assert list(client.uploads.folder.iterdir()) == []
    assert client.ask("PUT", f"/upload/{upload}/0?offset=0", [b"1234"])[0] == 404
