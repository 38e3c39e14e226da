"""Taking labels out of the app and bringing them back, as the Relabel page offers it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.test_pages import said
from tracin_viz.audit import Workspace
from tracin_viz.config import HOME_VARIABLE, Home


def draw() -> None:
    """What the dialog holds; a dialog itself closes with every run of a test."""
    from tracin_viz.ui.exports import export_form
    from tracin_viz.ui.session import open_audit

    export_form(open_audit("tiny"))


@pytest.fixture
def page(fresh_home: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv(HOME_VARIABLE, str(fresh_home))
    audit = Workspace(Home(fresh_home)).open("tiny")
    audit.decide("train:40", "exclude", annotator="ada", note="*blurred*")
    audit.decide("train:3", "relabel", new_label="ring", annotator="ada")
    audit.decide("train:5", "keep", annotator="bob")
    return AppTest.from_function(draw, default_timeout=240).run()


def test_the_rows_and_the_preview_follow_what_is_chosen(page: AppTest, fresh_home: Path):
    audit = Workspace(Home(fresh_home)).open("tiny")
    assert not page.exception and "48 examples" in said(page)
    for rows, ids in (("decided", [3, 5, 40]), ("changes", [3, 40])):
        page.segmented_control(key="export_rows").set_value(rows).run()
        shown = page.dataframe[0].value
        assert shown["id"].tolist() == [f"train:{row}" for row in ids]
        expected = audit.export_table(rows)[list(shown.columns)]
        pd.testing.assert_frame_equal(shown.reset_index(drop=True), expected, check_dtype=False)
        assert f"{len(ids)} examples" in said(page)


def test_a_folder_is_written_on_the_server_and_its_place_is_said(page: AppTest, fresh_home: Path):
    page.selectbox(key="export_format").set_value("images").run()
    page.button(key="export_write").click().run()
    (made,) = (fresh_home / "exports").iterdir()
    assert page.code[0].value == str(made)
    assert len(list(made.rglob("*.png"))) == 47


def test_every_format_has_words_of_its_own():
    from tracin_viz.audit.exporting import EXPORT_FORMATS, EXPORT_ROWS
    from tracin_viz.ui import exports

    assert set(exports._TITLES) == set(exports._PURPOSES) == set(EXPORT_FORMATS)
    assert set(exports._ROWS) == set(EXPORT_ROWS)


def draw_import() -> None:
    """What the dialog for files that come in holds."""
    from tracin_viz.ui.imports import import_form
    from tracin_viz.ui.session import open_audit

    import_form(open_audit("tiny"))


def test_an_import_says_what_it_would_do_and_then_does_it(page: AppTest, fresh_home: Path):
    audit = Workspace(Home(fresh_home)).open("tiny")
    table = audit.export_table("decided").assign(action="exclude", label="", annotator="eve", decisions="")
    app = AppTest.from_function(draw_import, default_timeout=240).run()
    assert not app.button
    content = table.to_csv(index=False).encode()
    app.file_uploader(key="import_file").set_value(("../../labels.csv", content, "text/csv")).run()
    assert "3 new decisions" in said(app) and "3 examples have another decision here" in said(app)
    assert len(audit.history()) == 3
    app.button(key="import_now").click().run()
    assert {one.action for one in audit.decisions().values()} == {"exclude"}
    assert len(audit.history()) == 6
    assert "3 decisions were here already" in said(app) and app.button(key="import_now").disabled


def test_an_import_names_bad_rows_and_takes_nothing(page: AppTest, fresh_home: Path):
    app = AppTest.from_function(draw_import, default_timeout=240).run()
    content = b"id,label\ntrain:0,*star*\ntrain:1,ring\n"
    app.file_uploader(key="import_file").set_value(("labels.csv", content, "text/csv")).run()
    assert not app.exception and app.error and not app.button
    assert app.dataframe[0].value["Where"].tolist() == ["labels.csv row 2", "labels.csv row 3"]
    app.text_input(key="import_annotator").set_value("ada").run()
    assert app.dataframe[0].value["Where"].tolist() == ["labels.csv row 2"]
    assert len(Workspace(Home(fresh_home)).open("tiny").history()) == 3
