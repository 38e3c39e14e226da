"""Whatever is no element of ours is text, in every place of a page."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from tests.ui.hostile import HOSTILE
from tracin_viz.report.markup import clean, said, tag


class Reader(HTMLParser):
    """What a browser would see: elements with their attributes, and the text."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data.replace("\u00a0", " ")


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text_as_child_attribute_and_in_a_sentence(text: str):
    page = tag("div", tag("img", alt=text), text, said("{name} decided", name=text))
    seen = Reader(page)
    assert [name for name, _ in seen.elements] == ["div", "img", "bdi"]
    assert seen.elements[1][1]["alt"] == clean(text).replace("\r\n", "\n").replace("\r", "\n")
    assert clean(text)[:50].replace("\u00a0", " ") in seen.text
    page.encode("utf-8")


def test_a_sentence_keeps_words_that_look_like_places():
    assert said("{known} and {unknown}", known="a") == "<bdi>a</bdi> and {unknown}"
    assert said("{label}", label="{label}") == "<bdi>{label}</bdi>"


@pytest.mark.parametrize("forbidden", ["\x00", "\x1b", "\x85", "\ud800", "\uffff"])
def test_characters_that_a_file_cannot_hold_are_replaced(forbidden: str):
    assert clean(f"a{forbidden}b") == "a\ufffdb"


def test_signs_that_turn_the_direction_are_taken_out():
    assert clean("safe\u202eexe.gnp") == "safeexe.gnp"


def test_long_text_is_cut():
    assert len(clean("x" * 10_000, longest=100)) == 100
