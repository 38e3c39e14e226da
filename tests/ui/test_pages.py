"""Every page in every state, run by Streamlit's own test harness: words instead of tracebacks."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.conftest import TinyFiles, run_command
from tracin_viz.config import HOME_VARIABLE

ROOT = Path(__file__).parents[2]
PAGES = {
    "1_start": "What do you want to audit?",
    "2_compute": "What is computed, and how far is it?",
    "3_influence": "Which training examples pushed this prediction?",
    "4_suspects": "Which training labels look wrong or rare?",
    "5_clusters": "Which groups of examples does the model treat alike?",
    "6_relabel": "Is this label right?",
}
ABOUT_AN_AUDIT = [name for name in PAGES if name != "1_start"]
Visit = Callable[..., AppTest]


@pytest.fixture
def visit(monkeypatch: pytest.MonkeyPatch) -> Visit:
    def run(home: Path, name: str, **parameters: str) -> AppTest:
        monkeypatch.setenv(HOME_VARIABLE, str(home))
        app = AppTest.from_file(str(ROOT / "pages" / "navigation.py"), default_timeout=60)
        app.query_params.update(parameters)
        app.switch_page(f"{name}.py")
        return app.run()

    return run


@pytest.fixture(scope="module")
def failed_home(tiny_files: TinyFiles, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose audit's model vanished, so that its run really failed."""
    home = tmp_path_factory.mktemp("failed-home")
    model = home / "run"
    shutil.copytree(tiny_files.model, model)
    made = run_command("create", "broken", "--data", str(tiny_files.data), "--model", str(model), home=home)
    assert made.code == 0, made.err
    shutil.rmtree(model)
    assert run_command("compute", "broken", home=home).code == 1
    return home


def said(app: AppTest) -> str:
    """All words of a page."""
    kinds = (app.error, app.info, app.warning, app.success, app.markdown, app.caption)
    return (
        " ".join(str(element.value) for kind in kinds for element in kind)
        .replace("\\", "")
        .replace("\u2060", "")
    )


def healthy(app: AppTest, name: str) -> None:
    assert not app.exception
    assert "should not have" not in said(app)
    assert app.title[0].value == PAGES[name]


@pytest.mark.parametrize("name", PAGES)
def test_with_no_audit_a_page_says_what_to_do(visit: Visit, tmp_path: Path, name: str):
    app = visit(tmp_path, name)
    healthy(app, name)
    if name != "1_start":
        assert "There is no audit yet." in said(app)
        assert "Start page" in said(app)


@pytest.mark.parametrize("name", ABOUT_AN_AUDIT)
def test_an_unknown_audit_in_the_address_is_named_with_the_known_ones(
    visit: Visit, tiny_home: Path, name: str
):
    app = visit(tiny_home, name, audit="<b>nobody</b>")
    healthy(app, name)
    assert "<b>nobody</b>" in said(app)
    assert "tiny" in said(app)


@pytest.mark.parametrize("name", PAGES)
def test_with_a_finished_audit_a_page_draws(visit: Visit, tiny_home: Path, name: str):
    app = visit(tiny_home, name, **({} if name == "1_start" else {"audit": "tiny"}))
    healthy(app, name)
    assert not app.error


@pytest.mark.parametrize("name", PAGES)
def test_after_a_failed_run_a_page_says_so(visit: Visit, failed_home: Path, name: str):
    app = visit(failed_home, name)
    healthy(app, name)
    assert "failed" in said(app)


def test_a_failed_run_shows_message_remedy_log_and_a_way_to_go_on(visit: Visit, failed_home: Path):
    app = visit(failed_home, "2_compute")
    assert app.error
    assert "What to do" in said(app)
    assert [button.label for button in app.button if button.key == "start"] == ["Resume"]


def test_an_unknown_query_in_the_address_names_the_possible_ones(visit: Visit, tiny_home: Path):
    app = visit(tiny_home, "3_influence", audit="tiny", query="test:999")
    healthy(app, "3_influence")
    assert "test:999" in said(app)
    assert "test:0 to test:14" in said(app)


def test_an_unknown_example_to_relabel_is_refused(visit: Visit, tiny_home: Path):
    app = visit(tiny_home, "6_relabel", audit="tiny", item="train:999")
    healthy(app, "6_relabel")
    assert "train:0 to train:47" in said(app)


def test_nonsense_in_the_address_falls_back_to_what_is_usual(visit: Visit, tiny_home: Path):
    app = visit(tiny_home, "4_suspects", audit="tiny", by="nonsense", share="-7", **{"class": "<img>"})
    healthy(app, "4_suspects")
    app = visit(
        tiny_home, "6_relabel", audit="tiny", by="nonsense", top="9" * 40, of="<img>", session="' OR 1=1"
    )
    healthy(app, "6_relabel")
    app = visit(tiny_home, "3_influence", audit="tiny", ranking="nonsense", top="x")
    healthy(app, "3_influence")
    assert (
        app.query_params["ranking"] in ([], [""], "dot", ["dot"]) if "ranking" in app.query_params else True
    )


def test_bad_paths_become_one_sentence_with_a_remedy(visit: Visit, tmp_path: Path):
    app = visit(tmp_path, "1_start")
    for field, value in zip(app.text_input, ("mine", str(tmp_path / "nothing"), str(tmp_path)), strict=True):
        field.set_value(value)
    next(button for button in app.button if button.label == "Check and create").click().run()
    healthy(app, "1_start")
    assert "nothing" in said(app)
    assert "What to do" in said(app)
    assert not list((tmp_path / "audits").glob("*"))


def test_own_data_by_path_leads_to_the_compute_page(visit: Visit, tiny_files: TinyFiles, tmp_path: Path):
    app = visit(tmp_path, "1_start")
    for field, value in zip(
        app.text_input, ("mine", str(tiny_files.data), str(tiny_files.model)), strict=True
    ):
        field.set_value(value)
    next(button for button in app.button if button.label == "Check and create").click().run()
    healthy(app, "2_compute")
    assert [button.label for button in app.button if button.key == "start"] == ["Start computing"]
    assert "48" in said(app)
