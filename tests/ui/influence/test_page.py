"""What the Influence page shows equals what the façade answers, whatever the address asks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from tracin_viz.audit import Audit, Workspace, cell_address
from tracin_viz.config import HOME_VARIABLE, Home
from tracin_viz.ui.cards import signed
from tracin_viz.ui.influence import answering

pytestmark = pytest.mark.usefixtures("answered_here")

ROOT = Path(__file__).parents[3]
Visit = Callable[..., AppTest]


@pytest.fixture
def visit(monkeypatch: pytest.MonkeyPatch, tiny_home: Path) -> Visit:
    def run(**parameters: str) -> AppTest:
        monkeypatch.setenv(HOME_VARIABLE, str(tiny_home))
        app = AppTest.from_file(str(ROOT / "pages" / "navigation.py"), default_timeout=240)
        app.query_params.update({"audit": "tiny", **parameters})
        app.switch_page("3_influence.py")
        return app.run()

    return run


@pytest.fixture
def audit(tiny_home: Path) -> Audit:
    return Workspace(Home(tiny_home)).open("tiny")


def blocks(block: Any) -> Iterator[Any]:
    for child in getattr(block, "children", {}).values():
        yield child
        yield from blocks(child)


def cards(app: AppTest, key: str) -> list[dict[str, Any]]:
    """The cards of a gallery as they are sent to the browser; none where it is not drawn."""
    for element in blocks(app._tree):
        if element.type == "bidi_component" and element.proto.id.endswith(f"-{key}"):
            found: list[dict[str, Any]] = json.loads(element.proto.json)["cards"]
            return found
    return []


def said(app: AppTest) -> str:
    kinds = (app.error, app.info, app.warning, app.markdown, app.caption)
    words = " ".join(str(element.value) for kind in kinds for element in kind)
    return words.replace("\\", "").replace("\u2060", "")


def assert_shown(app: AppTest, found: dict[str, Any]) -> None:
    """Ids, order, labels, scores and signs of the lists."""
    assert not app.exception
    for side, sign in (("proponents", "proponent"), ("opponents", "opponent")):
        shown = cards(app, f"list_{side}")
        assert [card["id"] for card in shown] == [entry["id"] for entry in found[side]]
        assert [card["number"] for card in shown] == [signed(entry["score"]) for entry in found[side]]
        assert [card["given"] for card in shown] == [entry["label"] for entry in found[side]]
        assert {card["sign"] for card in shown} <= {sign}
    for side in ("most_similar", "least_similar"):
        assert [card["id"] for card in cards(app, f"list_{side}")] == [entry["id"] for entry in found[side]]


@pytest.mark.parametrize(
    ("address", "question"),
    [
        ({"query": "test:4"}, {"query": "test:4"}),
        (
            {"query": "test:4", "ranking": "cosine", "top": "5"},
            {"query": "test:4", "ranking": "cosine", "top": 5},
        ),
        (
            {"query": "test:7", "ranking": "relatif", "answer": "ring", "same": "True"},
            {"query": "test:7", "ranking": "relatif", "label": "ring", "same_class": True},
        ),
    ],
)
def test_lists_are_those_of_the_answer(
    visit: Visit, audit: Audit, address: dict[str, str], question: dict[str, Any]
):
    app = visit(**address)
    assert_shown(app, audit.influence(**question))
    assert "Exact" in said(app)
    assert {name: app.query_params[name] for name in address} == address


def test_a_cell_of_the_confusion_matrix_is_asked_about_by_its_address(visit: Visit, audit: Audit):
    given, predicted = mistake(audit)
    app = visit(group=cell_address(given, predicted))
    found = audit.influence(group=cell_address(given, predicted))
    assert_shown(app, found)
    assert f"labelled “{given}” that the model calls “{predicted}”" in said(app)
    assert f":blue[▲ For] “{predicted}”" == app.subheader[0].value.replace("\u2060", "")
    assert {card["given"] for card in cards(app, "query_group")} == {given}


def mistake(audit: Audit) -> tuple[str, str]:
    table = audit.examples("test")
    wrong = table[table["wrong"]].iloc[0]
    return str(wrong["label"]), str(wrong["predicted"])


def test_a_kept_selection_is_asked_about_by_its_address(visit: Visit, audit: Audit):
    address = "sel:" + audit.selections.keep(np.array([1, 5, 30]))
    app = visit(group=address)
    assert_shown(app, audit.influence(group=address))
    assert "A selection of 3 training examples" in said(app)


def test_the_most_frequent_mistakes_can_be_asked_about(visit: Visit, audit: Audit):
    counts = np.array(audit.confusion()["counts"])
    counts -= np.diag(np.diag(counts))
    app = visit()
    button = app.button(key="mistake_0")
    assert button.label.endswith(f"({counts.max()})")
    button.click().run()
    address = app.query_params["group"]
    group = audit.group(address)
    assert len(group.rows) == counts.max() and group.given != group.predicted
    assert_shown(app, audit.influence(group=address))
    app.button(key="own_back").click().run()
    assert "group" not in app.query_params


def test_any_cell_can_be_chosen_without_the_mouse(visit: Visit, audit: Audit):
    given, predicted = mistake(audit)
    app = visit()
    app.selectbox(key="cell_given").set_value(given)
    app.selectbox(key="cell_predicted").set_value(predicted).run()
    app.button(key="explain_cell").click().run()
    assert app.query_params["group"] == cell_address(given, predicted)


@pytest.mark.parametrize("group", ["cell:star:ring", "nonsense", "sel:nonsense"])
def test_an_unknown_group_is_named_and_then_forgotten(visit: Visit, group: str):
    app = visit(group=group)
    assert app.error and not app.exception
    assert "What to do" in said(app)
    app.run()
    assert not app.error
    assert cards(app, "list_proponents")


def test_a_large_audit_shows_estimates_first_and_then_exact_scores(
    visit: Visit, audit: Audit, monkeypatch: pytest.MonkeyPatch
):
    shown: list[bool] = []
    draw = answering.show_lists

    def noted(audit: Audit, found: dict[str, Any], **options: Any) -> None:
        shown.append(found["exact"])
        draw(audit, found, **options)

    monkeypatch.setattr(answering, "SMALL", 0)
    monkeypatch.setattr(answering, "show_lists", noted)
    app = visit(query="test:9", top="20")
    assert shown == [False, True]
    assert_shown(app, audit.influence(query="test:9", top=20))
    assert not cards(app, "list_proponents_estimated")
    assert "Estimated" not in said(app)
    app.run()
    assert shown[2:] == [True], "an exact answer that is there already is shown at once"


def test_filters_say_what_they_would_leave_and_can_be_cleared(visit: Visit, audit: Audit):
    table = audit.examples("test")
    app = visit(said="ring")
    labels = app.selectbox(key="linked_given").options
    here = table[table["predicted"] == "ring"]["label"].value_counts()
    assert labels == [f"any ({here.sum()})", *(f"{name} ({here.get(name, 0)})" for name in audit.classes)]
    assert [card["other"] for card in cards(app, "candidates")] == ["ring"] * int(here.sum())
    app.text_input(key="linked_words").set_value("zebra").run()
    assert "No example passes these filters." in said(app)
    assert app.query_params["words"] == "zebra"
    app.button(key="clear_filters").click().run()
    assert not {"words", "said"} & set(app.query_params)
    assert app.selectbox(key="linked_given").options[0] == f"any ({len(table)})"
    wrong = int(table["wrong"].sum())
    assert f"{len(table)} examples; {wrong} predicted wrongly" in said(app)


def test_a_range_of_confidence_in_the_address_narrows_the_examples(visit: Visit, audit: Audit):
    table = audit.examples("test")
    middle = round(float(table["confidence"].median()) * 20) * 5
    app = visit(sure=f"0-{middle}")
    expected = table.loc[table["confidence"] * 100 < middle, "id"]
    assert 0 < len(expected) < len(table)
    assert {card["id"] for card in cards(app, "candidates")} == set(expected[:12]) or len(expected) > 12
    choice = app.selectbox(key="linked_sure")
    assert choice.value == (0, middle)
    assert f"0–{middle} % ({len(expected)})" in choice.options
    assert f"The filters leave {len(expected)} of {len(table)} examples." in said(app)
    sure = table["confidence"] * 100
    choice.set_value((80, 95)).run()
    here = int(((sure >= 80) & (sure < 95)).sum())
    assert f"80–95 % ({here})" in app.selectbox(key="linked_sure").options
    assert f"The filters leave {here} of {len(table)} examples." in said(app)


def test_the_table_of_origins_is_the_answer_by_checkpoint_and_layer(visit: Visit, audit: Audit):
    first = audit.influence(query="test:4")["opponents"][0]
    app = visit(query="test:4", part=first["id"])
    parts = audit.influence_parts([first["row"]], query="test:4")
    table = next(one.value for one in app.dataframe if one.value.index.name == "layer")
    assert table.index.tolist() == parts["layers"]
    np.testing.assert_allclose(table.iloc[:, :-1].to_numpy(), parts["scores"][0].T)
    assert table["sum"].sum() == pytest.approx(first["score"], rel=1e-6)


def test_who_opposes_many_is_the_document_of_the_facade(visit: Visit, audit: Audit):
    app = visit(view="many", among="all", each="5")
    found = audit.opposing(among="all", each=5)
    shown = cards(app, "opposing")
    assert [card["id"] for card in shown] == [entry["id"] for entry in found["opponents"]]
    assert [card["number"] for card in shown] == [f"{entry['count']} of 15" for entry in found["opponents"]]
