"""Data-set text in native widgets is shown letter by letter (the browser's half is in tests/browser)."""

from __future__ import annotations

import re

import pytest

from tests.ui.hostile import HOSTILE
from tracin_viz.ui import text

JOINER = "\u2060"


def seen(escaped: str) -> str:
    """What a Markdown reader makes of backslash escapes."""
    return re.sub(r"\\(.)", r"\1", escaped.replace(JOINER, ""))


@pytest.mark.parametrize("hostile", HOSTILE)
def test_escaped_text_reads_as_it_was(hostile: str):
    expected = re.sub(r"\s+", " ", hostile).strip()
    assert re.sub(r"\s+", " ", seen(text.plain(hostile))) == expected


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_sign_of_markdown_stays_without_its_backslash(hostile: str):
    assert not re.search(r"(?<!\\)[`*_\[\]()<>{}#~|!$&:]", text.plain(hostile))


def test_signs_never_touch_their_neighbours_so_that_no_address_is_recognised():
    escaped = text.plain("www.evil.example https://evil.example me@evil.example")
    assert not re.search(r"www\\?\.", escaped)
    assert "://" not in escaped.replace("\\", "")
    assert not re.search(r"\w@|@\w", escaped)


def test_text_cannot_turn_the_reading_direction_of_what_follows():
    assert "\u202e" not in text.plain("a\u202eb\u2066c")


def test_long_text_is_cut_with_a_sign_of_it():
    assert seen(text.plain("x" * 500, longest=10)) == "x" * 9 + "…"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""),
        (0.2, "about 1 s left"),
        (59, "about 59 s left"),
        (90, "about 2 min left"),
        (7200, "about 2.0 h left"),
    ],
)
def test_time_left_in_words(seconds: float | None, words: str):
    assert text.duration(seconds) == words


def test_counts_and_shares_in_words():
    assert text.count(1, "example") == "1 example"
    assert text.count(4000, "example") == "4,000 examples"
    assert text.count(2, "class", "classes") == "2 classes"
    assert text.percent(0.125, 1) == "12.5 %"
    assert text.percent(None) == text.percent(float("nan")) == "–"


def test_the_training_split_comes_first():
    assert text.train_first({"test": 1, "train": 2}) == [("train", 2), ("test", 1)]
