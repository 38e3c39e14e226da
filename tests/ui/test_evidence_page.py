"""The page "Does it help?": what it says before and after each answer, and for whom."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import run_command
from tests.ui.test_pages import Visit, said, visit
from tracin_viz.audit import Workspace
from tracin_viz.config import Home
from tracin_viz.ui.access import READ_ONLY_VARIABLE
from tracin_viz.ui.evidence import charts

__all__ = ["visit"]  # a fixture of the other module, used here too


@pytest.fixture(scope="module")
def answered_home(tiny_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny audit with two decisions and an answer to each question."""
    home = tmp_path_factory.mktemp("answered") / "home"
    shutil.copytree(tiny_home, home, ignore=shutil.ignore_patterns("runtime", "workspace.db*"))
    audit = Workspace(Home(home)).open("tiny")
    audit.decide("train:0", "relabel", new_label="ring", annotator="ann")
    audit.decide("train:20", "exclude", annotator="ann")
    for arguments in (("retrain", "tiny", "--seeds", "3"), ("estimate", "tiny"), ("self-test", "tiny")):
        done = run_command(*arguments, home=home)
        assert done.code == 0, done.err
    return home


def test_without_a_decision_it_names_the_next_step_and_offers_the_self_test(
    visit: Visit, tiny_home: Path, tmp_path: Path
):
    home = tmp_path / "home"
    shutil.copytree(tiny_home, home, ignore=shutil.ignore_patterns("runtime", "workspace.db*"))
    app = visit(home, "8_evidence", audit="tiny")
    assert not app.exception
    assert "No decision changes a label yet" in said(app)
    buttons = {button.key: button for button in app.button}
    assert buttons["evidence_retrain"].disabled
    assert buttons["evidence_estimate"].disabled
    assert not buttons["evidence_self-test"].disabled


def test_answers_are_shown_with_the_figures_of_the_facade_and_their_limits(visit: Visit, answered_home: Path):
    app = visit(answered_home, "8_evidence", audit="tiny")
    assert not app.exception
    words = said(app)
    audit = Workspace(Home(answered_home)).open("tiny")
    found: Any = audit.retraining()
    shown = {metric.label: metric.value for metric in app.metric}
    arms = {arm["name"]: arm["mean"] for arm in found["arms"]}
    assert shown["Labels as given"] == f"{100 * arms['given']:.2f} %"
    assert shown["With the decisions"] == f"{100 * arms['decided']:.2f} %"
    assert "1 label changed, 1 example left out" in words
    assert "Only direction and order mean something, not the size: which optimizer trained" in words
    tested: Any = audit.self_test(noise=5)
    assert f"{100 * tested['at'][-1]['self-influence']['mean']:.0f} %" in words
    assert "older" not in words


def test_an_answer_of_older_decisions_says_so(visit: Visit, answered_home: Path, tmp_path: Path):
    home = tmp_path / "home"
    shutil.copytree(answered_home, home, ignore=shutil.ignore_patterns("runtime"))
    Workspace(Home(home)).open("tiny").decide("train:21", "exclude", annotator="ann")
    app = visit(home, "8_evidence", audit="tiny")
    assert not app.exception
    assert said(app).count("older decisions") == 3


def test_who_only_looks_sees_answers_and_no_button(
    visit: Visit, answered_home: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(READ_ONLY_VARIABLE, "1")
    app = visit(answered_home, "8_evidence", audit="tiny")
    assert not app.exception
    assert not [button.key for button in app.button if str(button.key).startswith("evidence_")]
    assert len(app.metric) == 3


def entry(name: str, mean: float, sign: int) -> dict[str, Any]:
    return {"class": name, "mean": mean, "low": mean - 1, "high": mean + 2, "sign": sign}


def test_bars_of_effects_have_their_intervals_signs_and_only_meant_numbers():
    entries = [entry("ant", 5.0, 1), entry("bee", -4.0, -1), entry("cat", 0.5, 0)]
    colours = {1: "#0072B2", -1: "#D55E00", 0: "#9AA5B1"}
    figure = charts.effects(entries, colours=colours, axis="fall", ink="#000000", numbers=False)
    bars = figure.data[0]
    assert list(bars.y) == ["? cat", "▲ bee", "▼ ant"], "drawn from below, the first on top"
    assert list(bars.error_x.array) == [2, 2, 2]
    assert list(bars.error_x.arrayminus) == [1, 1, 1]
    assert list(bars.marker.color) == ["#9AA5B1", "#D55E00", "#0072B2"]
    assert figure.layout.xaxis.showticklabels is False
    assert charts.effects(
        entries, colours=colours, axis="fall", ink="#000000", numbers=True
    ).layout.xaxis.showticklabels


def test_every_seed_is_a_line_between_the_arms():
    arms = [
        {"name": "given", "values": [0.1, 0.2], "mean": 0.15},
        {"name": "decided", "values": [0.3, 0.5], "mean": 0.4},
    ]
    names = {"given": "before", "decided": "after"}
    figure = charts.seeds(arms, names=names, colours=["#111111", "#222222"], axis="accuracy", shares=True)
    assert [list(line.y) for line in figure.data] == [[0.1, 0.3], [0.2, 0.5], [0.15, 0.4]]
    assert list(figure.data[0].x) == ["before", "after"]
