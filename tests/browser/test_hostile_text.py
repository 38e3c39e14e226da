"""Class names and texts that look like markup, script or Markdown are letters on every page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.serving import ROOT, serve
from tests.ui.hostile import HOSTILE

OpenPage = Callable[..., Page]

SCRIPT = """
import streamlit as st
from tests.ui.hostile import HOSTILE
from tracin_viz.ui.components.gallery import Card, gallery
from tracin_viz.ui.text import plain

for place, words in enumerate(HOSTILE):
    with st.container(key=f"markdown{place}"):
        st.markdown(plain(words))
    with st.container(key=f"caption{place}"):
        st.caption(plain(words))
    with st.container(key=f"error{place}"):
        st.error(plain(words))
    st.button(plain(words), key=f"button{place}")
gallery(
    [Card(id=f"train:{n}", alt=words, text=words, given=words, other=words, why=words, done=words)
     for n, words in enumerate(HOSTILE)],
    key="gallery", label=HOSTILE[0], on_pick=lambda identity: None,
)
st.text("all drawn")
"""
MARKUP = "a, img, strong, em, code, script, del, h1, li, blockquote, table, .katex, hr"


def test_hostile_text_is_letters_in_widgets_and_cards(open_page: OpenPage, tmp_path: Path):
    script = tmp_path / "hostile_app.py"
    script.write_text(f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{SCRIPT}", encoding="utf-8")
    with serve(tmp_path / "home", log=tmp_path / "log", script=str(script)) as address:
        page = open_page(address)
        page.goto("/")
        expect(page.get_by_text("all drawn")).to_be_visible()
        for place, words in enumerate(HOSTILE):
            expected = " ".join(words.split())
            for kind in ("markdown", "caption", "error", "button"):
                holder = page.locator(f".st-key-{kind}{place}")
                seen = " ".join(holder.inner_text().replace("\u2060", "").split())
                assert seen == expected, kind
                assert holder.locator(MARKUP).count() == 0, (kind, words)
            card = page.locator(f'.st-key-gallery .card[data-id="train:{place}"]')
            assert card.locator(".words").text_content() == words
            assert card.locator(".given").text_content() == words
            assert card.locator(MARKUP).count() == 0
        assert page.evaluate("window.hit") is None
