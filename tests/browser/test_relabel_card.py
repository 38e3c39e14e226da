"""The card alone in a browser, without the app: sets of classes, numbers, and more classes than digits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.serving import PATIENCE
from tracin_viz.ui.components.registering import script
from tracin_viz.ui.components.relabel_card.relabel_card import SCRIPTS
from tracin_viz.ui.relabel.words import card_words

HOST = "http://127.0.0.1:9"
PAGE = """<!doctype html><div id="host"></div><script type="module">
const shadow = document.getElementById("host").attachShadow({ mode: "open" });
shadow.innerHTML = '<div id="relabel"></div>';
const draw = (await import("/card.js")).default;
draw({ data: DATA, parentElement: shadow, setTriggerValue: () => {} });
</script>"""

#: Asks for examples of a shared queue, once what was asked before is answered.
OFFERED = """async () => {
    const card = document.querySelector("#host").shadowRoot.querySelector("#relabel");
    while (card.asking) await new Promise((go) => setTimeout(go, 10));
    await card.offer();
}"""


class Server:
    """Answers what the card asks for, and remembers the decisions."""

    def __init__(self, page: Page, data: dict[str, Any]) -> None:
        self.sent: list[dict[str, Any]] = []
        self.data = data
        self.away = False
        self.refuses = False
        self.offer: dict[str, list[str]] = {}
        self.later: dict[str, dict[str, Any]] = {}
        page.route(f"{HOST}/**", self.answer)

    def answer(self, route: Route) -> None:
        path = route.request.url.removeprefix(HOST)
        if self.away:
            route.abort()
        elif path == "/":
            text = json.dumps(self.data).replace("</", "<\\/")
            route.fulfill(content_type="text/html", body=PAGE.replace("DATA", text))
        elif path == "/card.js":
            route.fulfill(content_type="text/javascript", body=script("relabel_card", SCRIPTS))
        elif path == "/c":
            route.fulfill(content_type="application/json", body=json.dumps(self.offer))
        elif self.refuses:
            said = {"message": "Nobody is signed in.", "remedy": "Reload the page and sign in."}
            route.fulfill(status=403, content_type="application/json", body=json.dumps(said))
        elif path.startswith("/decisions/"):
            entries = json.loads(route.request.post_data or "{}")["entries"]
            self.sent += entries
            answer = {"stored": [entry["uuid"] for entry in entries], "refused": []}
            route.fulfill(content_type="application/json", body=json.dumps(answer))
        elif path.startswith("/k?"):
            asked = parse_qs(urlsplit(path).query)["ids"][0].split(",")
            found = [self.later[one] for one in asked if one in self.later]
            route.fulfill(content_type="application/json", body=json.dumps({"cards": found}))
        else:
            route.fulfill(status=404)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    failed: list[str] = []
    page.on("pageerror", lambda error: failed.append(str(error)))
    yield page
    context.close()
    assert failed == []


def card(row: int, given: str, **more: Any) -> dict[str, Any]:
    usual = {"id": f"train:{row}", "src": "", "text": f"<b>text</b> {row}", "given": given, "given_set": []}
    told = {"suggested": "", "take": None, "confidence": None, "percentile": None, "reasons": []}
    return {**usual, **told, **more}


def opened(
    page: Page, cards: list[dict[str, Any]], target: str, classes: list[str], *, first: int | None = None
) -> Server:
    data = {
        "audit": "a",
        "session": "s",
        "annotator": "ada",
        "signed_in": False,
        "mode": "each",
        "target": target,
        "classes": classes,
        "ids": [one["id"] for one in cards],
        "item": "",
        "start": cards[0]["id"],
        "cards": cards[:first],
        "done": [],
        "undone": [],
        "words": card_words(),
        "visit": "v",
        "cookie": "",
        "pass": "p",
        "urls": {"decisions": "/decisions/", "claim": "/c", "cards": "/k", "pushed": "/p/"},
    }
    server = Server(page, data)
    server.later = {one["id"]: one for one in cards}
    page.goto(f"{HOST}/")
    expect(page.locator("#relabel .shown")).to_be_visible()
    expect(page.locator("#relabel .large .words")).to_have_text("<b>text</b> 0")
    return server


def decided(page: Page, server: Server, count: int) -> list[tuple[str, str | None]]:
    expect(page.locator("#relabel")).to_have_attribute("data-waiting", "0")
    expect(page.locator("#relabel .count")).to_contain_text(f"{count} of")
    return [(entry.get("action", "undo"), entry.get("label")) for entry in server.sent]


def test_a_set_of_classes_is_chosen_by_digits_and_confirmed(page: Page):
    cards = [
        card(0, "a, c", given_set=["a", "c"]),
        card(1, "b", given_set=["b"], suggested="with c", take='["b", "c"]'),
        card(2, "b", given_set=["b"]),
        card(3, "", given_set=[]),
    ]
    server = opened(page, cards, "multi-label", ["a", "b", "c"])
    for key in ("2", "1", "Enter", "w", "2", "2", "Enter", "Enter"):
        page.keyboard.press(key)
    found = decided(page, server, 4)
    assert found == [("relabel", '["b","c"]'), ("relabel", '["b", "c"]'), ("keep", None), ("relabel", "[]")]


def test_a_number_is_entered_and_nonsense_is_not_taken(page: Page):
    server = opened(page, [card(0, "3", suggested="4.5", take="4.5"), card(1, "7")], "number", [])
    page.keyboard.press("w")
    page.keyboard.press("/")
    page.keyboard.type("1w")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("This is not a number.")
    page.get_by_label("Number").fill("-2,5")
    page.keyboard.press("Enter")
    assert decided(page, server, 2) == [("relabel", "4.5"), ("relabel", "-2.5")]


def test_more_classes_than_digits_are_found_by_their_names(page: Page):
    classes = [f"class {number}" for number in range(40)]
    server = opened(page, [card(0, "class 3"), card(1, "class 3"), card(2, "class 3")], "class", classes)
    page.keyboard.press("/")
    page.keyboard.type("ss 37")
    page.keyboard.press("Enter")
    page.keyboard.press("0")  # the tenth class: their order never changes
    page.keyboard.press("4")  # the given one is kept
    expect(page.get_by_role("status").filter(has_text="finished")).to_be_attached()
    assert decided(page, server, 3) == [("relabel", "class 37"), ("relabel", "class 9"), ("keep", None)]


def test_a_queue_goes_on_for_fifty_examples_while_the_server_is_away(page: Page):
    cards = [card(row, "a") for row in range(90)]
    with page.expect_response(lambda answer: "/k?" in answer.url):
        server = opened(page, cards, "class", ["a", "b"], first=24)
    page.keyboard.press("q")
    expect(page.locator("#relabel")).to_have_attribute("data-waiting", "0")
    server.away = True
    for _ in range(50):
        page.keyboard.press("e")
    expect(page.locator("#relabel .banner")).to_contain_text("waiting for the server")
    expect(page.locator("#relabel .shown")).to_have_attribute("data-id", "train:51")
    server.away = False
    assert decided(page, server, 51) == [("keep", None)] + [("exclude", None)] * 50
    assert [entry["example"] for entry in server.sent] == [one["id"] for one in cards[:51]]


def test_what_is_taken_back_in_a_shared_queue_stays_with_who_looks_at_it(page: Page):
    cards = [card(row, "a") for row in range(4)]
    ids = [one["id"] for one in cards]
    server = opened(page, cards, "class", ["a", "b"])
    server.data |= {"mode": "shared", "start": ""}
    server.offer = {"offered": ids[:2], "answered": []}
    page.reload()
    shown = page.locator("#relabel .shown")
    expect(shown).to_have_attribute("data-id", ids[0])
    page.keyboard.press("q")
    expect(shown).to_have_attribute("data-id", ids[1])
    # The server offers what it knew before it heard of the undo: the example counts as answered there.
    server.offer = {"offered": ids[1:3], "answered": ids[:1]}
    page.keyboard.press("Backspace")
    expect(shown).to_have_attribute("data-id", ids[0])
    expect(page.locator("#relabel .count")).to_have_text("0 of 4 answered")
    page.evaluate(OFFERED)
    page.keyboard.press("w")  # there is no suggestion to take
    page.keyboard.press("2")
    expect(shown).to_have_attribute("data-id", ids[1])
    assert decided(page, server, 1)[-1] == ("relabel", "b")


def test_who_is_signed_in_no_more_is_told_and_nothing_is_lost(page: Page):
    server = opened(page, [card(row, "a") for row in range(3)], "class", ["a", "b"])
    server.refuses = True
    page.keyboard.press("q")
    expect(page.locator("#relabel .banner")).to_contain_text(
        "Nobody is signed in. Reload the page and sign in."
    )
    server.refuses = False
    assert decided(page, server, 1) == [("keep", None)]
    expect(page.locator("#relabel .banner")).to_have_text("")
