"""The Compare page says what the façade's answers to both sides say."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tracin_viz.audit import Workspace, agreement, overlap
from tracin_viz.config import HOME_VARIABLE, Home
from tracin_viz.ui.compare.influence import places

pytestmark = pytest.mark.usefixtures("answered_here")

ROOT = Path(__file__).parents[2]


@pytest.fixture
def app(tiny_home: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv(HOME_VARIABLE, str(tiny_home))
    app = AppTest.from_file(str(ROOT / "pages" / "navigation.py"), default_timeout=240)
    app.switch_page("compare.py")
    return app


def said(app: AppTest) -> str:
    return " ".join(str(one.value) for kind in (app.markdown, app.info, app.caption) for one in kind)


def test_overlaps_and_correlation_are_those_of_the_answers(app: AppTest, tiny_home: Path):
    audit = Workspace(Home(tiny_home)).open("tiny")
    first, *_, last = audit.computed()
    asked = {"query": "test:3", "top": "5", "share": "20", "left": f"{first}", "right": f"{last}"}
    app.query_params.update({"audit": "tiny", **asked})
    app.run()
    assert not app.exception and not app.error
    left, right = audit.limited([first]), audit.limited([last])
    answers = [side.influence(query="test:3", top=5) for side in (left, right)]
    for name in ("proponents", "opponents"):
        both = len(overlap(*([one["id"] for one in found[name]] for found in answers)).both)
        assert (f"**{both}** of" if both else f"No {name[:-1]} is the same.") in said(app)
    scores = [side.suspect_scores("self-influence") for side in (left, right)]
    found = agreement(*scores, max(1, round(len(scores[0]) * 0.2)))
    assert f"**{found.both}** of the {found.top} most suspicious" in said(app)
    assert f"**{found.spearman:.2f}**".replace("-", "−") in said(app)
    for name, value in asked.items():  # the address still says it all, so that a copied link shows the same
        kept = app.query_params.get(name, "")
        assert value in kept or name == "right", "one checkpoint on the right is the usual choice"


def test_an_unknown_query_and_nonsense_in_the_address_are_words(app: AppTest):
    app.query_params.update(
        {"audit": "tiny", "query": "test:<b>9999</b>", "left": "x-−1-999", "right": "-", "with": "nobody"}
    )
    app.run()
    assert not app.exception
    assert "has no example" in said(app)
    assert "most suspicious" in said(app)


def test_places_of_two_lists_are_said_on_both_sides():
    assert places(["a", "b", "c"], ["a", "c", "d"]) == {
        "a": "= place 1",
        "b": "only on the left",
        "c": "↑ place 3 → 2",
        "d": "only on the right",
    }
    assert places(["a", "b"], ["b", "a"])["a"] == "↓ place 1 → 2"
    assert places([], []) == {}
