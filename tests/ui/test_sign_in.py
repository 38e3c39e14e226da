"""Who may do what where people sign in: cookies as Streamlit signs them, at our own routes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient
from streamlit.auth_util import set_cookie_with_chunks
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from tests.ui.test_pages import Visit, said, visit
from tests.ui.test_relabel_routes import Browser, entry
from tests.ui.test_upload_routes import HOST, Client
from tracin_viz.audit import Audit, Workspace
from tracin_viz.ui.access import may_decide, may_import, may_manage, name_of, role_of, sign_in_trouble
from tracin_viz.ui.relabel.passes import issue
from tracin_viz.ui.sign_in import SignIn

__all__ = ["visit"]  # a fixture of the other module, used here too

SECRET = "twenty-four letters at least"
AUTH = {
    "redirect_uri": f"http://{HOST}/oauth2callback",
    "cookie_secret": SECRET,
    "client_id": "app",
    "client_secret": "secret",
    "server_metadata_url": "http://127.0.0.1:9/.well-known/openid-configuration",
}
ROLES = {"admin": ["ada@example.org"], "annotator": ["*@example.org"]}
ADA, BEN, VIC = (
    {"email": f"{who}", "email_verified": True}
    for who in ("ada@example.org", "ben@example.org", "vic@elsewhere.org")
)
Secrets = Callable[[Mapping[str, Any] | str], None]


@pytest.fixture
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Secrets]:
    """Writes the file of secrets that Streamlit reads from then on."""
    path = tmp_path / "secrets.toml"
    real = st.get_option
    monkeypatch.setattr(st, "get_option", lambda name: [str(path)] if name == "secrets.files" else real(name))
    monkeypatch.setattr("streamlit.config.get_option", st.get_option)

    def write(said: Mapping[str, Any] | str) -> None:
        if not isinstance(said, str):
            tables = [
                f"[{name}]\n" + "\n".join(f"{k} = {json.dumps(v)}" for k, v in one.items())
                for name, one in said.items()
            ]
            said = "\n".join(tables)
        path.write_text(said, encoding="utf-8")
        st.secrets._reset()

    yield write
    st.secrets._reset()


def cookie(claims: Mapping[str, Any], *, secret: str = SECRET, origin: str = f"http://{HOST}") -> str:
    """What Streamlit's answer to a sign-in leaves in the browser."""
    set_now: dict[str, str] = {}
    set_cookie_with_chunks(
        lambda name, value: set_now.update({name: create_signed_value(secret, name, value).decode()}),
        lambda name, value: create_signed_value(secret, name, value),
        "_streamlit_user",
        {**claims, "origin": origin, "is_logged_in": True, "provider": "default"},
        cookie_attr_size=100,
    )
    return "; ".join(f"{name}={value}" for name, value in set_now.items())


@pytest.fixture
def audit(workspace: Workspace) -> Audit:
    return workspace.open("tiny")


def test_decisions_need_the_cookie_of_the_person_for_whom_the_pass_was_made(audit: Audit, secrets: Secrets):
    secrets({"auth": AUTH, "roles": ROLES})
    before = len(audit.history())
    bens, nobodys = Browser(audit, "ben@example.org"), Browser(audit)
    for browser, sent in [
        (bens, {}),  # nobody signed in, with the pass of an annotator
        (bens, {"cookie": cookie(VIC)}),  # a viewer with that pass
        (bens, {"cookie": cookie(ADA)}),  # an admin who is not Ben
        (bens, {"cookie": cookie(BEN, secret="x" * 30)}),  # a forged cookie
        (bens, {"cookie": cookie(BEN, origin="http://elsewhere")}),  # another app with the same secret
        (bens, {"cookie": cookie({**BEN, "email_verified": False, "sub": "ben"})}),
        (bens, {"cookie": "_streamlit_user=x"}),
        (nobodys, {"cookie": cookie(BEN)}),  # a pass from before people had to sign in
    ]:
        for name in ("ben@example.org", "ada@example.org", "vic@elsewhere.org"):
            assert browser.decide(entry(31, annotator=name), **sent)[0] == 403
            assert (
                browser.ask(
                    "POST", "/decisions-offer/tiny", {"session": "x", "annotator": name, "count": 1}, **sent
                )[0]
                == 403
            )
    assert len(audit.history()) == before
    large = {**BEN, "groups": ["a group with a long name"] * 400}  # of several cookies
    for number, claims in ((32, BEN), (33, large)):
        told = bens.decide(entry(number, annotator="ben@example.org"), cookie=cookie(claims))
        assert (told[0], told[1]["stored"]) == (200, [f"route-decision-{number}"])
    status, told = bens.decide(entry(34, annotator="ada@example.org"), cookie=cookie(BEN))
    assert (status, told["stored"], len(told["refused"])) == (200, [], 1)


def test_a_role_that_was_taken_away_decides_no_more(audit: Audit, secrets: Secrets):
    browser = Browser(audit, "ben@example.org")
    browser.headers["x-tracin-viz-pass"] = issue(audit.signing_key(), "ben@example.org")
    secrets({"auth": AUTH, "roles": {"annotator": []}})
    status, told = browser.decide(entry(35, annotator="ben@example.org"), cookie=cookie(BEN))
    assert status == 403
    assert "viewer" in told["message"]


def test_only_an_admin_uploads(tmp_path: Path, secrets: Secrets):
    client = Client(tmp_path / "uploads")
    secrets({"auth": AUTH, "roles": ROLES})
    body = json.dumps({"files": [{"path": "a.csv", "size": 3, "changed": 1}]}).encode()
    for sent in (None, cookie(VIC), cookie(BEN), cookie(ADA, secret="y" * 30)):
        assert client.ask("POST", "/upload", [body], cookie=sent)[0] == 403
    assert not (tmp_path / "uploads").exists()
    assert client.ask("POST", "/upload", [body], cookie=cookie(ADA))[0] == 200


@pytest.mark.parametrize(
    ("told", "trouble"),
    [
        ("[auth\nclient_id = ", "unreadable"),
        ({"roles": ROLES}, "no auth"),
        ({"auth": {**AUTH, "cookie_secret": "short"}}, "secret"),
        ({"auth": {"client_id": "app"}}, "secret"),
        ({"auth": AUTH}, ""),
    ],
)
def test_a_slip_in_the_secrets_lets_nobody_in(
    visit: Visit, tiny_home: Path, secrets: Secrets, told: Mapping[str, Any] | str, trouble: str
):
    assert (may_decide(), may_manage(), may_import()) == (True, True, True)
    secrets(told)
    assert sign_in_trouble() == trouble
    assert (may_decide(), may_manage(), may_import()) == (False, False, False)
    if trouble in ("unreadable", ""):
        app = visit(tiny_home, "6_relabel", audit="tiny")
        assert not app.exception
        assert [button.key for button in app.button if button.key == "start"] == []
        assert ("Sign in to decide" in said(app)) == (not trouble)


@pytest.mark.parametrize(
    ("claims", "trusting", "name"),
    [
        ({"email": "Ada@Example.org", "email_verified": True, "sub": "17"}, False, "ada@example.org"),
        ({"email": "ada@example.org", "email_verified": "true", "sub": "17"}, False, "ada@example.org"),
        ({"email": "ada@example.org", "email_verified": False, "sub": "17"}, True, "17"),
        ({"email": "ada@example.org", "sub": "17"}, False, "17"),
        ({"email": "ada@example.org", "sub": "17"}, True, "ada@example.org"),
        ({"sub": "ada@example.org"}, True, "sub:ada@example.org"),
        ({}, True, ""),
    ],
)
def test_a_name_is_a_verified_address_or_cannot_pass_for_one(
    claims: dict[str, Any], trusting: bool, name: str
):
    assert name_of(claims, trusting=trusting) == name


def test_identifiers_keep_their_capitals_and_addresses_do_not():
    roles = {"admin": ["Ada@Example.org", "Xy7"]}
    assert [role_of(who, roles) for who in ("ada@example.org", "Xy7", "xy7")] == ["admin", "admin", "viewer"]


def signing(answer: Callable[[Request], Response]) -> TestClient:
    routes = [Route(path, answer) for path in ("/auth/login", "/oauth2callback", "/other")]
    return TestClient(SignIn(Starlette(routes=routes)), base_url=f"http://{HOST}", follow_redirects=False)


def came(client: TestClient, referer: str) -> Any:
    return client.get("/auth/login", headers={"referer": referer})


def test_signing_in_leads_back_to_the_page_that_was_left():
    def answer(request: Request) -> Response:
        if request.url.path == "/auth/login":
            return RedirectResponse("http://provider/authorize", 302)
        back = RedirectResponse("/", 302)
        if "code" in request.query_params and request.query_params["code"] != "wrong":
            back.set_cookie("_streamlit_user", "signed")
        else:
            back.delete_cookie("_streamlit_user")
        return back

    page = "/relabel?audit=digits&class=a%20%26+b&note="
    for query, outcome in [
        ("code=1&state=2", ""),
        ("code=wrong&state=2", "failed"),
        ("error=access_denied", "refused"),
        ("", ""),
    ]:
        client = signing(answer)
        assert (
            came(client, f"http://{HOST}{page}&sign_in=failed").headers["location"]
            == "http://provider/authorize"
        )
        ended = client.get(f"/oauth2callback?{query}")
        expected = "/relabel?audit=digits&class=a+%26+b&note="
        assert ended.headers["location"] == expected + (f"&sign_in={outcome}" if outcome else "")
        assert "tracin_viz_back" not in client.cookies
    for foreign in (
        "http://evil.example/x",
        "",
        f"http://{HOST}//evil.example/x",
        f"http://{HOST}/\\evil.example",
    ):
        client = signing(answer)
        came(client, foreign)
        assert client.get("/oauth2callback?code=1").headers["location"] == "/"
    client = signing(answer)
    client.cookies.set("tracin_viz_back", "https%3A%2F%2Fevil.example%2F")
    assert client.get("/oauth2callback?code=1").headers["location"] == "/"


def test_a_provider_that_is_away_is_said_on_the_page_that_was_left():
    def broken(request: Request) -> Response:
        if request.url.path == "/oauth2callback":
            raise KeyError("client_id")
        return PlainTextResponse("Authentication error", 400)

    client = signing(broken)
    answer = came(client, f"http://{HOST}/relabel?audit=digits")
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/relabel?audit=digits&sign_in=unreachable",
    )
    assert client.get("/oauth2callback?code=1").headers["location"] == "/?sign_in=failed"
    assert client.get("/other").status_code == 400
