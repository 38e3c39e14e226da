"""The tools beside the heading: views as links, help about this page, the tour's steps, the language."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from tracin_viz.config import HOME_VARIABLE
from tracin_viz.ui.help import tour, words
from tracin_viz.ui.navigation import PAGES
from tracin_viz.ui.views_menu import address

ROOT = Path(__file__).parents[2]


@pytest.fixture
def app(tiny_home: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv(HOME_VARIABLE, str(tiny_home))
    return AppTest.from_file(str(ROOT / "pages" / "navigation.py"), default_timeout=240)


def test_the_address_of_a_view_holds_every_parameter_whatever_its_letters():
    parameters = {"audit": ["digits"], "class": ["a&b=c?#%\"'<script>", "[b]"], "q": ["十 ❤"]}
    parts = urlsplit(address("suspects", parameters))
    assert (parts.scheme, parts.netloc, parts.path) == ("", "", "suspects")
    assert parse_qs(parts.query) == parameters
    assert address("start", {"lang": "zh"}) == "./?lang=zh"


def test_every_page_can_be_read_and_every_step_of_the_tour_has_its_page():
    assert set(PAGES) <= set(words.READING)
    assert set(words.KEYS) <= set(words.READING)
    assert [page for page, _ in tour.steps()] == [page for page, _ in tour.STEPS if page in PAGES]
    assert tour.STEPS[0][0] == "start"


def _asked(app: AppTest) -> str:
    """The language in the address; Streamlit's harness gives a list where a rerun set it."""
    found = app.query_params["lang"]
    return found if isinstance(found, str) else found[0]


def test_the_chosen_language_stays_in_the_address_when_the_page_is_switched(app: AppTest):
    app.run()
    app.selectbox(key="language_choice").set_value("zh").run()
    assert _asked(app) == "zh"
    assert app.selectbox(key="language_choice").value == "zh"
    app.selectbox(key="language_choice").set_value("en").run()
    assert _asked(app) == "en"
    app.selectbox(key="language_choice").set_value("zh").run()
    app.switch_page("2_compute.py").run()
    assert _asked(app) == "zh"


def test_the_tour_walks_over_the_pages_and_ends(app: AppTest):
    app.session_state["tour_step"] = 0
    app.run()
    seen = []
    for _ in tour.steps():
        assert not app.exception
        seen.append(app.session_state["present_page"])
        app.button(key="tour_next").click().run()
    assert seen == [page for page, _ in tour.steps()]
    assert "tour_step" not in app.session_state


def test_the_tour_can_be_left_at_any_step_and_begun_again_from_the_help(app: AppTest):
    app.session_state["tour_step"] = 1
    app.run()
    app.button(key="tour_leave").click().run()
    assert "tour_step" not in app.session_state
    app.button(key="help").click().run()
    said = " ".join(str(one.value) for one in app.markdown)
    assert words.READING["start"] in said
    assert all(meaning in said for _, meaning in words.GLOSSARY)
    app.button(key="tour_again").click().run()
    assert app.session_state["tour_step"] == 0


def test_a_link_with_a_view_is_not_offered_the_tour(app: AppTest, monkeypatch: pytest.MonkeyPatch):
    offers: list[bool] = []
    monkeypatch.setattr(
        "tracin_viz.ui.toolbar.shell", lambda **told: offers.append(told["offer"]), raising=True
    )
    app.query_params["audit"] = "tiny"
    app.run()
    del app.query_params["audit"]
    app.run()
    app.switch_page("2_compute.py").run()
    assert offers == [False, True, False]
