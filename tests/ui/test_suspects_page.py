"""Filters and threshold of the Suspects page: in the address, counted, taken back."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tests.ui.test_pages import said
from tests.ui.test_selection_pages import visit
from tracin_viz.audit import Workspace
from tracin_viz.config import Home
from tracin_viz.explore.reasons import SENTENCES
from tracin_viz.ui import charts, reasons, results
from tracin_viz.ui.suspects import distribution, ends, teachers
from tracin_viz.ui.suspects.distribution import Ranked, pick
from tracin_viz.ui.suspects.ends import drawn_range


def test_filters_of_the_address_are_counted_and_unknown_ones_fall_away(
    tiny_home: Path, monkeypatch: pytest.MonkeyPatch
):
    audit = Workspace(Home(tiny_home)).open("tiny")
    table = audit.examples("train")
    app = visit(tiny_home, "4_suspects", monkeypatch, f_label=["bar", "nonsense"], f_agrees="yes", share="20")
    assert not app.exception
    passing = table[(table["label"] == "bar") & ~table["wrong"]]
    assert f"{max(1, round(len(passing) * 0.2))} example" in said(app)
    assert f"of {len(passing)} above the line" in said(app)
    assert app.query_params["f_label"] == "bar"
    app = visit(tiny_home, "4_suspects", monkeypatch, **{"class": "ring"})
    assert f"of {(table['label'] == 'ring').sum()} above the line" in said(app)
    assert app.query_params["f_label"] == "ring"


def test_a_range_in_the_address_is_used_and_can_be_forgotten(
    tiny_home: Path, monkeypatch: pytest.MonkeyPatch
):
    audit = Workspace(Home(tiny_home)).open("tiny")
    scores = np.sort(audit.suspect_scores("loss"))
    low, high = (scores[9] + scores[10]) / 2, (scores[19] + scores[20]) / 2
    app = visit(tiny_home, "4_suspects", monkeypatch, by="loss", range=f"{low:.9g}~{high:.9g}")
    assert "10 examples of 48 in the range." in said(app)
    app.button(key="clear_range").click().run()
    assert "of 48 above the line." in said(app)
    assert "range" not in app.query_params


def test_the_ends_of_the_range_are_moved_by_keyboard_and_pushed_along(
    tiny_home: Path, monkeypatch: pytest.MonkeyPatch
):
    audit = Workspace(Home(tiny_home)).open("tiny")
    scores = audit.suspect_scores("loss")
    axis = charts.Axis.of(scores)
    edges = axis.edges((scores.min(), scores.max()))
    app = visit(tiny_home, "4_suspects", monkeypatch, by="loss", share="50")
    low, high = app.select_slider(key="range_low"), app.select_slider(key="range_high")
    line = np.sort(scores)[-24]
    assert low.value == np.abs(axis.places(edges) - axis.places(line)).argmin(), "where the line is"
    assert (high.value, high.label) == (charts.BINS, "Scores up to")

    def inside(begin: float, end: float) -> str:
        return f"{int(((scores >= begin) & (scores <= end)).sum())} examples of 48 in the range."

    def address() -> str:
        found = app.query_params["range"]  # Streamlit's harness gives a list where a rerun set it
        return found if isinstance(found, str) else found[0]

    app.select_slider(key="range_high").set_value(59).run()
    assert drawn_range(address()) == pytest.approx((line, edges[59]), rel=1e-5)
    app.select_slider(key="range_low").set_value(20).run()
    assert inside(edges[20], edges[59]) in said(app)
    app.select_slider(key="range_high").set_value(15).run()
    assert drawn_range(address()) == pytest.approx((edges[14], edges[15]), rel=1e-5)
    app.select_slider(key="range_low").set_value(59).run()
    assert drawn_range(address()) == pytest.approx((edges[59], np.inf), rel=1e-5)
    # A link shows the same sliders; both ends open is the whole list.
    app = visit(tiny_home, "4_suspects", monkeypatch, by="loss", range=f"{edges[3]:.6g}~{edges[7]:.6g}")
    assert [app.select_slider(key=key).value for key in ("range_low", "range_high")] == [3, 7]
    app.select_slider(key="range_high").set_value(60).run()
    app.select_slider(key="range_low").set_value(0).run()
    assert "48 examples of 48 above the line." in said(app)
    assert "range" not in app.query_params
    assert app.query_params["share"] in ("100", ["100"])


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("0.5~2", (0.5, 2.0)),
        ("~-1", (-np.inf, -1.0)),
        ("3~", (3.0, np.inf)),
        ("~", None),
        ("", None),
        ("2~1", None),
        ("nan~1", None),
        ("x~y", None),
        ("5", None),
    ],
)
def test_ranges_of_an_address(words: str, expected: tuple[float, float] | None):
    assert drawn_range(words) == expected


def test_what_is_picked_is_the_top_or_the_range_among_what_passes():
    scores = np.array([3.0, np.nan, 1.0, 5.0, 4.0, 2.0])
    found = Ranked(scores, np.array([3, 4, 0, 5, 2, 1]))
    passing = np.array([True, True, True, False, True, True])
    top = pick(found, passing, share=50, drawn=None)
    assert top.rows.tolist() == [4, 0]
    assert (top.among, top.left_out, top.ends) == (4, 1, (3.0, np.inf))
    between = pick(found, passing, share=50, drawn=(1.5, 3.5))
    assert between.rows.tolist() == [0, 5]
    nothing = pick(found, np.zeros(6, dtype=bool), share=50, drawn=None)
    assert nothing.rows.tolist() == []


def test_every_reason_has_words_for_pages():
    assert reasons.SENTENCES == SENTENCES
    assert set(reasons.SHORT) < set(SENTENCES)


@pytest.mark.usefixtures("answered_here")
def test_lines_about_teachers_say_what_the_audit_says(tiny_home: Path):
    audit = Workspace(Home(tiny_home)).open("tiny")
    client = TestClient(Starlette(routes=teachers.teacher_routes(lambda _name: audit)))
    version = results.state_key(audit)[:12]
    answer = client.get(f"/teachers/tiny?rows=3,40&s=x&v={version}")
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    expected = audit.teachers([3, 40])
    found: dict[str, Any] = answer.json()
    for row, one in expected.items():
        line = found[f"train:{row}"]["proponents"]
        assert line == teachers.labels(one.proponents)
        total = sum(int(number or 1) for number in re.findall(r"(?: ×(\d+))?(?:, |$)", line) if line) - 1
        assert total == len(one.proponents)
    for bad in ("rows=48", "rows=", "rows=-1", "rows=1;2", "rows=" + ",".join("1" * 101)):
        assert client.get(f"/teachers/tiny?{bad}").status_code == 404


def test_a_drawn_range_is_open_where_it_reaches_over_the_ends(monkeypatch: pytest.MonkeyPatch):
    kept: dict[str, str] = {}
    monkeypatch.setattr(ends, "set_parameter", kept.__setitem__)
    axis = distribution.charts.Axis(True, 0.01)
    state = {"h": {"selection": {"box": [{"x": [1.0, -9.0]}]}}, "empty": {"selection": {"box": []}}}
    monkeypatch.setattr(distribution.st, "session_state", state)
    distribution._drawn("empty", axis, (0.01, 100.0))
    assert kept == {}
    distribution._drawn("h", axis, (0.01, 100.0))
    assert kept["range"] == "~10"
