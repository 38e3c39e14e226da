"""Work that a page waits for, with a bar and the time that is left."""

from __future__ import annotations

import pytest
from streamlit.runtime.scriptrunner_utils.exceptions import StopException
from streamlit.testing.v1 import AppTest

from tracin_viz.ui import working


def draw() -> None:
    """Some work, and what came of it."""
    import streamlit as st

    from tracin_viz.ui.working import followed

    def work(told):  # type: ignore[no-untyped-def]
        for done in range(1, 5):
            told(done, 4)
        return "made"

    st.markdown(followed("Writing…", work))


def test_when_the_work_is_done_only_its_result_is_left():
    app = AppTest.from_function(draw, default_timeout=60).run()
    assert not app.exception and [one.value for one in app.markdown] == ["made"]
    assert not app.button


def test_the_bar_says_share_and_time_left_and_a_run_that_ends_takes_the_work_along(monkeypatch):
    said: list[str] = []
    now = [0.0]

    class Bar:
        def progress(self, share: float, text: str) -> None:
            said.append(text)
            if share == 0.5:
                raise StopException  # what Streamlit raises in a run that another one replaces

    class Place:
        def progress(self, share: float, text: str) -> Bar:
            return Bar()

        def empty(self) -> None:
            said.append("emptied")

    monkeypatch.setattr(working.st, "empty", Place)
    monkeypatch.setattr(working.time, "monotonic", lambda: now[0])

    def work(told) -> None:
        for done in range(1, 11):
            now[0] = 2.0 * done
            told(done, 10)

    with pytest.raises(StopException):
        working.followed("Writing…", work)
    assert said[0] == "Writing… · 10% · about 18 s left" and said[4].startswith("Writing… · 50%")
    assert said[5:] == ["emptied"]
