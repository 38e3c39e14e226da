"""The Report page: what it says first, the file it makes, and the presentation's place in the address."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.test_pages import Visit, healthy, said, visit
from tracin_viz.audit import Workspace
from tracin_viz.config import Home
from tracin_viz.ui.report.making import _MADE

__all__ = ["visit"]  # a fixture of the other module, used here too


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def test_the_page_says_whether_people_have_reviewed(visit: Visit, tiny_home: Path):
    audit = Workspace(Home(tiny_home)).open("tiny")
    decided = bool(audit.decisions())
    app = visit(tiny_home, "7_report", audit="tiny")
    healthy(app, "7_report")
    assert ("Not reviewed" in said(app)) is not decided
    audit.decide("train:2", "keep", annotator="ada")
    assert "Reviewed by people" in said(visit(tiny_home, "7_report", audit="tiny"))


def test_the_file_is_made_once_and_offered_until_something_changes(visit: Visit, tiny_home: Path):
    app = visit(tiny_home, "7_report", audit="tiny")
    app.selectbox(key="report_findings").set_value(6).run()
    assert "Make the report" in labels(app)
    app.button(key="make").click().run()
    healthy(app, "7_report")
    assert not app.error
    assert "Make the report" not in labels(app)
    page = app.session_state[_MADE][1].decode("utf-8")
    assert page.count('class="card"') == 6
    assert "One file of" in said(app)
    app.toggle(key="report_names").set_value(False).run()
    assert "Make the report" in labels(app), "the file at hand is no longer what is asked for"


@pytest.mark.parametrize("asked", ["2", "abc", "99999999", "-1"])
def test_a_presentation_covers_the_page_whatever_the_address_says(visit: Visit, tiny_home: Path, asked: str):
    app = visit(tiny_home, "7_report", audit="tiny", present=asked)
    healthy(app, "7_report")
    assert not app.error
    assert "Make the report" not in labels(app)
