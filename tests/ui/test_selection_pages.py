"""Pages that a selection in the address leads to: shown, queued, or refused in words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.test_pages import ROOT, said
from tracin_viz.audit import Workspace
from tracin_viz.config import HOME_VARIABLE, Home


def visit(home: Path, name: str, monkeypatch: pytest.MonkeyPatch, **parameters: str) -> AppTest:
    monkeypatch.setenv(HOME_VARIABLE, str(home))
    app = AppTest.from_file(str(ROOT / "pages" / "navigation.py"), default_timeout=240)
    app.query_params.update({"audit": "tiny", **parameters})
    app.switch_page(f"{name}.py")
    return app.run()


def test_a_selection_is_counted_and_becomes_a_queue_by_suspicion(
    tiny_home: Path, monkeypatch: pytest.MonkeyPatch
):
    audit = Workspace(Home(tiny_home)).open("tiny")
    rows = np.array([1, 5, 20, 40])
    name = audit.selections.keep(rows)
    app = visit(tiny_home, "5_clusters", monkeypatch, sel=name)
    table = audit.examples("train").iloc[rows]
    assert "4 examples" in said(app)
    for label, count in table["label"].value_counts().items():
        assert f"{label} ({count})" in said(app)
    assert "Relabel the 4 selected" in [button.label for button in app.button]

    app = visit(tiny_home, "6_relabel", monkeypatch, sel=name)
    app.text_input(key="annotator").set_value("Ada")
    next(one for one in app.button if one.label == "Start").click().run()
    queue = audit.sessions.newest_first()[0].queue
    order = audit.suspects(top=48)["suspects"]
    assert [entry.example_id for entry in queue] == [row["id"] for row in order if row["row"] in rows]


@pytest.mark.parametrize("page", ["5_clusters", "6_relabel"])
def test_an_unknown_selection_is_refused_in_words(
    tiny_home: Path, monkeypatch: pytest.MonkeyPatch, page: str
):
    app = visit(tiny_home, page, monkeypatch, sel="<b>x</b>")
    assert not app.exception
    assert "keeps no selection '<b>x</b>'" in said(app)
