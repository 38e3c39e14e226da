"""The Compute page: settings reach the run, checkpoints are switched and weighed without one."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.jobs.processes import wait_until
from tests.ui.test_pages import healthy, labels, said, visit
from tracin_viz.audit import Workspace
from tracin_viz.config import Home
from tracin_viz.jobs import runner
from tracin_viz.store import speed as speeds
from tracin_viz.store.speed import Speed

__all__ = ["visit"]


def box(app, label: str):
    return next(found for found in app.selectbox if found.label == label)


@pytest.fixture
def computed_home(tiny_home: Path, tmp_path: Path) -> Path:
    home = tmp_path / "home"
    shutil.copytree(tiny_home, home, ignore=shutil.ignore_patterns("runtime"))
    return home


def test_settings_reach_the_run(visit, fresh_home: Path):
    app = visit(fresh_home, "2_compute", audit="tiny")
    healthy(app, "2_compute")
    assert re.search(r"63 examples at 3 checkpoints.*kB on disk", said(app))
    box(app, "Layers").set_value("some").run()
    next(field for field in app.text_input if field.label.startswith("Names of")).set_value(
        "classifier"
    ).run()
    app.select_slider(key="set_sketch_tiny").set_value(512).run()
    box(app, "Gradients are shortened").set_value("random").run()
    box(app, "Computed on").set_value("cpu").run()
    next(button for button in app.button if button.label == "Start computing").click().run()
    healthy(app, "2_compute")
    space = Workspace(Home(fresh_home))
    job = space.jobs.latest("tiny")
    assert job is not None
    assert (job.settings["settings"]["layers"], job.settings["settings"]["sketch_dim"]) == ("classifier", 512)
    assert job.settings["settings"]["sketch"] == "random"
    assert (job.settings["speed"]["device"], job.settings["checkpoints"]) == ("cpu", "all")
    space.cancel("tiny")
    wait_until(lambda: space.status("tiny")["state"] not in ("queued", "running"))
    runner.reap()


def test_a_pattern_that_is_none_is_said_and_nothing_starts(visit, fresh_home: Path):
    app = visit(fresh_home, "2_compute", audit="tiny")
    box(app, "Layers").set_value("some").run()
    next(field for field in app.text_input if field.label.startswith("Names of")).set_value("(((").run()
    healthy(app, "2_compute")
    assert "not a regular expression" in said(app)
    next(button for button in app.button if button.label == "Start computing").click().run()
    healthy(app, "2_compute")
    assert Workspace(Home(fresh_home)).jobs.latest("tiny") is None


def test_a_finished_run_shows_its_settings_and_what_a_changed_table_still_lacks(visit, computed_home: Path):
    audit = Workspace(Home(computed_home)).open("tiny")
    app = visit(computed_home, "2_compute", audit="tiny")
    assert app.select_slider(key="set_sketch_tiny").value == 256
    assert "Not computed yet" not in said(app) and "last run" not in said(app)
    speeds.save(Home(computed_home), "tiny", Speed(1.5, "cpu", "all", 500))
    app = visit(computed_home, "2_compute", audit="tiny")
    assert "2 min at the speed of the last run" in said(app)  # 63 examples at 3 checkpoints
    assert "other weights" not in said(app)
    audit.set_checkpoints([{"step": 8, "use": False}])
    app = visit(computed_home, "2_compute", audit="tiny")
    healthy(app, "2_compute")
    assert "Use all" in labels(app)
    assert "The map is of other weights than this table" in said(app)
    clusters = visit(computed_home, "5_clusters", audit="tiny")
    healthy(clusters, "5_clusters")
    assert "This map and its clusters are of other weights" in said(clusters)
    assert "Draw the map again" in labels(clusters)
    next(button for button in app.button if button.label == "Use all").click().run()
    assert Workspace(Home(computed_home)).open("tiny").record.unused == ()
