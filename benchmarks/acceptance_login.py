"""Signing in by OpenID Connect in a real browser: roles, forged requests, sign-out, faults of the provider.

``python -m benchmarks.acceptance_login [--home WORKSPACE]`` prints one line per finding and ends with
status 1 when one does not hold. Without ``--home`` the digits demo is made first (about a minute).
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

from playwright.sync_api import Browser, Page, expect, sync_playwright

from benchmarks.acceptance import MISSED, ask, report
from tests.browser.provider import Provider, running
from tests.browser.relabelling import press, shown, stored, without_pushed
from tests.browser.serving import ARGUMENTS, chromium, free_port, serve, settle
from tests.browser.signing import PASS, forged, sign_in, sign_out, signed_in
from tracin_viz.audit import Audit, Workspace
from tracin_viz.config import Home

#: As if a reverse proxy served the app under a name of its own.
NAME = "tracin.example.org"
PEOPLE: dict[str, dict[str, Any]] = {
    "ada": {"email": "Ada@Example.org", "email_verified": True, "name": "Ada"},
    "ben": {"email": "ben@example.org", "email_verified": True, "name": "Ben <b>B</b>"},
    "vic": {"email": "vic@elsewhere.org", "email_verified": True},
    # Says it is Ada, which the provider did not verify.
    "una": {"email": "ada@example.org", "email_verified": False},
}
#: Other names of this computer, and nothing outside it.
NAMES = (
    f"--host-resolver-rules=MAP localhost 127.0.0.1, MAP {NAME} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
)
QUEUE = "/relabel?audit=digits&by=self-influence&top=12"


def holds(what: str, found: bool) -> None:
    """Report that something is so."""
    report(what, float(found), 1, "", least=True)


def opened(browser: Browser, address: str) -> Page:
    """A page in a browser of its own."""
    page = browser.new_context(base_url=address).new_page()
    page.set_viewport_size({"width": 1400, "height": 900})
    page.set_default_timeout(60_000)
    without_pushed(page)
    return page


def roles(browser: Browser, address: str, audit: Audit) -> dict[str, Page]:
    """Four people sign in and see what their role lets them do; decisions carry the verified address."""
    pages = {who: opened(browser, address) for who in PEOPLE}
    for who, page in pages.items():
        page.goto(QUEUE)
        sign_in(page, who)
        expect(page).to_have_url(re.compile(re.escape(QUEUE)))
    holds("after signing in the page is the one that was left", True)
    for who, (name, role) in {
        "ada": ("ada@example.org", "admin"),
        "ben": ("ben@example.org", "annotator"),
        "vic": ("vic@elsewhere.org", "viewer"),
        "una": ("una", "viewer"),
    }.items():
        holds(f"{who} is {name}, {role}", signed_in(pages[who]) == (name, role))
    expect(pages["una"].get_by_text("did not say that it verified").first).to_be_visible()
    for who in ("vic", "una"):
        expect(pages[who].get_by_text("and change nothing").first).to_be_visible()
        holds(f"{who} is offered no queue", pages[who].locator(".st-key-start").count() == 0)
    for who, keys in (("ben", "qwq"), ("ada", "ww")):
        pages[who].locator(".st-key-start button").click()
        shown(pages[who])
        press(pages[who], keys)
        stored(pages[who])
    found = [event.annotator for event in audit.history()]
    holds(
        "decisions carry the verified address",
        sorted(found) == ["ada@example.org"] * 2 + ["ben@example.org"] * 3,
    )
    for who, visible in (("vic", 0), ("ben", 0), ("ada", 1)):
        pages[who].goto("/?audit=digits")
        settle(pages[who])
        holds(
            f"{who}: own data can be begun: {bool(visible)}",
            pages[who].locator(".st-key-begin_own").count() == visible,
        )
        pages[who].goto(QUEUE)
        settle(pages[who])
    return pages


def forgeries(pages: dict[str, Page], address: str, audit: Audit) -> None:
    """Nobody decides as somebody else, or without the role, whatever pass they hold."""
    for who in ("ada", "ben"):
        pages[who].locator(".st-key-start button").click()
        shown(pages[who])
    before = len(audit.history())
    bens, adas = (pages[who].evaluate(PASS) for who in ("ben", "ada"))
    status, said = forged(pages["ben"], "ada@example.org", bens)
    holds(
        "an annotator who writes another name: refused alone",
        status == 200 and not said["stored"] and len(said["refused"]) == 1,
    )
    for what, page, held in [
        ("an annotator with the pass of an admin", pages["ben"], adas),
        ("an admin with the pass of an annotator", pages["ada"], bens),
        ("a viewer with the pass of an annotator", pages["vic"], bens),
        ("a viewer without a pass", pages["vic"], ""),
    ]:
        for name in ("ada@example.org", "ben@example.org", "vic@elsewhere.org"):
            status = forged(page, name, held)[0]
            holds(f"{what}, as {name.partition('@')[0]}: {status}", status == 403)
    headers = {"Origin": address, "X-Tracin-Viz-Pass": bens, "Content-Type": "application/json"}
    for path in ("/decisions/digits", "/decisions-offer/digits", "/upload"):
        request = urllib.request.Request(address + path, b"{}", headers)
        try:
            urllib.request.urlopen(request, timeout=30).close()
            status = 200
        except HTTPError as error:
            status = error.code
            error.close()
        holds(f"nobody signed in, with the pass of an annotator: POST {path}: {status}", status == 403)
    holds("none of it is stored", len(audit.history()) == before)


def leaving(page: Page, provider: Provider, audit: Audit) -> None:
    """Signing out ends the right to decide, in this browser and at the provider."""
    held, before = page.evaluate(PASS), len(audit.history())
    sign_out(page)
    holds("signing out reaches the provider", provider.signed_out == 1)
    holds("after signing out nothing is decided", forged(page, "ben@example.org", held)[0] == 403)
    page.goto(QUEUE)
    settle(page)
    expect(page.get_by_text("Sign in to decide about labels").first).to_be_visible()
    holds("… and nothing of it is stored", len(audit.history()) == before)


def faults(browser: Browser, address: str, provider: Provider) -> None:
    """What goes wrong at the provider is said in words, on the page that was left."""
    page = opened(browser, address)
    for fault, words in [
        ("denied", "did not let you in"),
        ("nonce", "the answer of the sign-in service does not hold"),
        ("signature", "the answer of the sign-in service does not hold"),
        ("expired", "the answer of the sign-in service does not hold"),
    ]:
        provider.fault = fault
        page.goto(QUEUE)
        sign_in(page, "ada", works=False)
        expect(page.locator(".st-key-sign_in_outcome")).to_contain_text(words)
        holds(
            f"{fault}: nobody is signed in, and the page says why",
            page.locator(".st-key-person").count() == 0,
        )
    provider.fault = ""
    sign_in(page, "ada")
    holds("after that it works", signed_in(page) == ("ada@example.org", "admin"))
    page.context.close()
    page = opened(browser, address.replace("127.0.0.1", "localhost"))
    page.goto(QUEUE)
    settle(page)
    with page.expect_popup() as led:
        page.locator(".st-key-tools a").first.click()
    expect(led.value).to_have_url(re.compile(re.escape(f"{address}/relabel?audit=digits")))
    sign_in(led.value, "ben")
    holds("under another name of the server: led to the right one", True)
    page.context.close()


def under_a_name(browser: Browser, home: Path, folder: Path, provider: Provider) -> None:
    """The same under a name of its own, as behind a reverse proxy; only where the server was told so."""
    port = free_port()
    address = f"http://{NAME}:{port}"
    provider.secrets(folder, address, admin=["ada@example.org"])
    for hosts, status in (("127.0.0.1 localhost", 400), (f"127.0.0.1 {NAME}", 200)):
        told = {"STREAMLIT_SERVER_ALLOWED_HOSTS": hosts, "HOME": str(folder)}
        with serve(home, log=home / "server.log", port=port, **told):
            page = opened(browser, address)
            answer = page.goto(QUEUE)
            holds(f"under the name {NAME}: {status}", answer is not None and answer.status == status)
            if status == 200:
                sign_in(page, "ada")
                page.locator(".st-key-start button").click()
                shown(page)
                press(page, "q")
                stored(page)
                holds("… signed in, and decided", signed_in(page) == ("ada@example.org", "admin"))
            page.context.close()


def without_provider(browser: Browser, home: Path, folder: Path, provider: Provider) -> None:
    """A provider that is away when somebody wants to sign in."""
    port = free_port()
    provider.secrets(folder, f"http://127.0.0.1:{port}")
    with serve(home, log=home / "server.log", port=port, HOME=str(folder)) as address:
        page = opened(browser, address)
        page.goto(QUEUE)
        settle(page)
        page.locator(".st-key-sign_in_menu button").click()
        expect(page.locator(".st-key-sign_in_outcome")).to_contain_text("cannot be reached")
        expect(page).to_have_url(re.compile("/relabel"))
        holds("a provider that is away: said on the page that was left", True)
        page.context.close()


def broken_secrets(browser: Browser, home: Path, folder: Path) -> None:
    """A slip in the file of secrets makes nobody an admin."""
    (folder / ".streamlit" / "secrets.toml").write_text("[auth\nclient_id = ", encoding="utf-8")
    with serve(home, log=home / "server.log", HOME=str(folder)) as address:
        page = opened(browser, address)
        page.goto(QUEUE)
        settle(page)
        expect(page.locator(".st-key-sign_in_trouble")).to_contain_text("cannot be read")
        holds("secrets that cannot be read: nothing is offered", page.locator(".st-key-start").count() == 0)
        page.context.close()


def main() -> int:
    """Run everything; status 1 when something does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, help="a workspace with the finished digits demo; copied first")
    given = parser.parse_args()
    expect.set_options(timeout=60_000)
    with tempfile.TemporaryDirectory() as name:
        folder, home = Path(name), Path(name) / "home"
        if given.home:
            shutil.copytree(given.home, home, ignore=shutil.ignore_patterns("runtime"))
        else:
            ask(home, "demo", "digits")
        audit, port = Workspace(Home(home)).open("digits"), free_port()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=[*ARGUMENTS[:-1], NAMES])
            with running(PEOPLE) as provider:
                provider.secrets(
                    folder,
                    f"http://127.0.0.1:{port}",
                    admin=["ada@example.org"],
                    annotator=["*@example.org"],
                )
                with serve(home, log=home / "server.log", port=port, HOME=str(folder)) as address:
                    pages = roles(browser, address, audit)
                    forgeries(pages, address, audit)
                    leaving(pages["ben"], provider, audit)
                    faults(browser, address, provider)
                    for page in pages.values():
                        page.context.close()
                under_a_name(browser, home, folder, provider)
            without_provider(browser, home, folder, provider)
            broken_secrets(browser, home, folder)
            browser.close()
    return 1 if MISSED else 0


if __name__ == "__main__":
    sys.exit(main())
