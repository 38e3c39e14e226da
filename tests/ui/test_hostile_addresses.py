"""Whatever an address asks for, a page answers in words: no traceback, no "something went wrong"."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.ui.test_pages import PAGES, Visit, said, visit

__all__ = ["visit"]  # a fixture of the other module, used here too

#: Every parameter that a page reads.
NAMES = (
    *("query", "own_label", "group", "view", "ranking", "answer", "top", "same", "part", "among", "each"),
    *("given", "said", "wrong", "words", "sure", "sel", "item", "session", "by", "of", "from", "page"),
    *("class", "share", "range", "f_label", "f_decided", "f_cluster", "within", "colour", "smallest"),
    *("cautious", "tests", "retrained", "noise", "plant", "with", "left", "right", "step", "draft", "lang"),
)
VALUES = (
    *("", "-1", "0", "999999999999999999999", "1e400", "nan", "٣", "²", "True", "~", "~0123456789abcdef"),
    *("test:0", "test:-1", "test:²", "train:0", "own:", "own:../../x", "cell:a:b", "cell:~0:~1", "sel:../x"),
    *("0.5~", "~~", "inf~-inf", "100-0", "1-1-1", "<img src=x onerror=hit()>", "**b** :red[x]", "../../etc"),
    *("a" * 10_000, "\u202e\u200b", "\x00\n\r", "%00%2e%2e", "'; DROP TABLE events; --", "😀" * 50),
)


def asked(seed: int) -> dict[str, str]:
    """Parameters drawn by ``seed``: each name with one of the values."""
    drawn = random.Random(seed)
    return {name: drawn.choice(VALUES) for name in NAMES if drawn.random() < 0.8}


@pytest.mark.parametrize("name", ["3_influence", "4_suspects", "5_clusters", "6_relabel", "compare"])
def test_nonsense_in_the_address_is_answered_in_words(visit: Visit, tiny_home: Path, name: str):
    app = visit(tiny_home, name, audit="tiny", **asked(1))
    assert not app.exception
    assert "should not have" not in said(app)
    assert app.title[0].value == PAGES[name]
