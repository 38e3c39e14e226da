"""Words in the reader's language."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from tracin_viz.ui import language


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        ("zh-CN", "zh"),
        ("zh", "zh"),
        ("zh-Hans-SG", "zh"),
        ("zh-TW", "en"),
        ("zh-Hant", "en"),
        ("de-DE", "en"),
        (None, "en"),
    ],
)
def test_the_browser_s_preference_is_followed_where_there_is_a_catalogue(locale: str | None, expected: str):
    assert language.preferred(locale) == expected


def _page() -> None:
    import streamlit

    from tracin_viz.ui.language import tr, trn

    streamlit.write(tr("Suspects"))
    streamlit.write(trn("{n} example", "{n} examples", 1234))


def test_the_address_names_the_language_and_the_visit_keeps_it():
    page = AppTest.from_function(_page)
    page.query_params["lang"] = "zh"
    page.run()
    assert page.markdown[0].value == "可疑样本"
    del page.query_params["lang"]
    page.run()
    assert page.markdown[0].value == "可疑样本"
    page.query_params["lang"] = "xx"
    page.session_state["language"] = "en"
    page.run()
    assert [part.value for part in page.markdown] == ["Suspects", "1,234 examples"]


@pytest.mark.parametrize("name", ["", "../zh", "xx", "/etc/passwd"])
def test_languages_that_there_are_not_are_english(name: str):
    say, count = language.translators(name)
    assert say("Suspects") == "Suspects"
    assert count("{n} example", "{n} examples", 2) == "2 examples"
