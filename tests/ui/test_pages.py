"""Every page in every state, run by Streamlit's own test harness: words instead of tracebacks."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.conftest import TinyFiles, run_command
from tracin_viz.audit import Workspace
from tracin_viz.config import HOME_VARIABLE, Home
from tracin_viz.jobs.query_client import QueryClient

pytestmark = pytest.mark.usefixtures("answered_here")

ROOT = Path(__file__).parents[2]
PAGES = {
    "1_start": "What do you want to audit?",
    "own": "What are your data and your model?",
    "2_compute": "What is computed, and how far is it?",
    "3_influence": "Which training examples pushed this prediction?",
    "4_suspects": "Which training labels look wrong or rare?",
    "5_clusters": "Which groups of examples does the model treat alike?",
    "compare": "Would other checkpoints, or another audit, say the same?",
    "6_relabel": "Is this label right?",
    "8_evidence": "Do the decisions help?",
    "7_report": "What shall others see of this audit?",
}
ABOUT_AN_AUDIT = [name for name in PAGES if name not in ("1_start", "own")]
Visit = Callable[..., AppTest]


@pytest.fixture
def visit(monkeypatch: pytest.MonkeyPatch) -> Visit:
    def run(home: Path, name: str, **parameters: str) -> AppTest:
        monkeypatch.setenv(HOME_VARIABLE, str(home))
        app = AppTest.from_file(str(ROOT / "pages" / "navigation.py"), default_timeout=240)
        app.query_params.update(parameters)
        app.switch_page(f"{name}.py")
        return app.run()

    return run


@pytest.fixture
def running_home(tiny_home: Path, tiny_files: TinyFiles, tmp_path: Path) -> Iterator[Path]:
    """A demo audit whose scores are finished while its run, a process that does nothing, draws the map."""
    home = tmp_path / "running-home"
    shutil.copytree(tiny_home, home, ignore=shutil.ignore_patterns("runtime"))
    made = run_command(
        "create", "digits", "--data", str(tiny_files.data), "--model", str(tiny_files.model), home=home
    )
    assert made.code == 0, made.err
    assert run_command("compute", "digits", "--sketch-dim", "256", home=home).code == 0
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"]) as process:
        jobs = Workspace(Home(home)).jobs
        job = jobs.create("digits", "demo", {})
        jobs.start(job.id, process.pid)
        jobs.progress(job.id, done=3, total=12, stage="drawing the map", message="neighbours")
        yield home
        process.kill()
    QueryClient(Home(home)).stop()


def said(app: AppTest) -> str:
    """All words of a page."""
    kinds = (app.error, app.info, app.warning, app.success, app.subheader, app.markdown, app.caption)
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
    if name in ABOUT_AN_AUDIT:
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


@pytest.mark.parametrize("name", ["1_start", *ABOUT_AN_AUDIT])
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


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def test_scores_can_be_explored_while_the_run_goes_on(visit: Visit, running_home: Path):
    app = visit(running_home, "1_start")
    healthy(app, "1_start")
    assert "The scores are ready." in said(app)
    assert "Explore" in labels(app)
    app.button(key="explore_digits").click().run()
    healthy(app, "3_influence")
    assert not app.error


def test_a_running_run_shows_how_far_it_is_and_can_be_cancelled(visit: Visit, running_home: Path):
    app = visit(running_home, "2_compute", audit="digits")
    healthy(app, "2_compute")
    assert "neighbours" in said(app)
    assert "Start computing" not in labels(app)
    app.button(key="cancel_digits").click().run()
    healthy(app, "2_compute")
    job = Workspace(Home(running_home)).jobs.latest("digits")
    assert job is not None
    assert job.state == "cancelled"
    assert "Resume" not in labels(app), "scores and map are there"
    assert "was cancelled" in said(app)


def test_changing_the_audit_forgets_what_was_chosen_in_the_other(visit: Visit, running_home: Path):
    app = visit(running_home, "3_influence", audit="tiny", query="test:3")
    app.selectbox(key="audit_choice").set_value("digits").run()
    healthy(app, "3_influence")
    assert app.query_params["audit"] == "digits"
    assert not app.error
