"""The validation report: what is wrong, where and what to do; and nothing is registered by looking."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests import tiny
from tests.conftest import TinyFiles, run_command
from tracin_viz.audit import Workspace, grouped, report_csv, report_html
from tracin_viz.config import Home
from tracin_viz.errors import InputError


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    return Workspace(Home(tmp_path / "home"))


@pytest.fixture(scope="module")
def good(tiny_files: TinyFiles, tmp_path_factory: pytest.TempPathFactory) -> dict:
    home = Home(tmp_path_factory.mktemp("check-home"))
    report = Workspace(home).check(tiny_files.data, tiny_files.model)
    assert not home.audits.exists()
    return report


def test_a_good_pair_is_called_one_with_its_figures(good: dict):
    assert good["usable"]
    assert good["data"]["splits"] == {"train": 48, "test": 15}
    assert good["data"]["class_counts"]["train"] == dict.fromkeys(tiny.CLASSES, 16)
    assert [one["step"] for one in good["checkpoints"]] == list(tiny.STEPS)
    assert all(0 <= one["accuracy"] <= 1 and one["loss"] > 0 for one in good["checkpoints"])
    assert good["examples_tried"] == 63
    json.dumps(good, allow_nan=False)


def test_the_accuracy_of_the_report_is_the_one_that_a_run_measures(good: dict, workspace: Workspace):
    results = workspace.open("tiny").results
    splits = ("test", "train")
    predicted = np.concatenate([results.measured(split)["predicted"] for split in splits], axis=1)  # (3, 63)
    labels = np.concatenate([results.dataset().splits[split].labels for split in splits])
    assert [one["accuracy"] for one in good["checkpoints"]] == [
        float(x) for x in (predicted == labels).mean(axis=1)
    ]


def test_another_class_order_is_named(space: Workspace, tiny_files: TinyFiles, tmp_path: Path):
    shown = tmp_path / "data"
    for split in ("train", "test"):
        for kind, told in zip(tiny.CLASSES, ("cross", "ring", "bar"), strict=True):
            shutil.copytree(tiny_files.data / split / kind, shown / split / told)
    model = tiny.train_run(tmp_path / "run", tiny_files.data, rate=0.3)
    report = space.check(shown, model)
    (problem,) = [one for one in report["problems"] if one["kind"] == "class order"]
    assert problem["severity"] == "serious"
    assert re.search("'bar' behaves like 'cross'", problem["message"])
    assert "order" in problem["remedy"]
    assert report["verdict"].startswith("This can be audited, but the scores would mean little")


def test_errors_of_both_sides_are_collected_with_their_places(space: Workspace, tmp_path: Path):
    (tmp_path / "data").mkdir()
    report = space.check(tmp_path / "data", tmp_path / "nothing")
    assert not report["usable"]
    assert {one["kind"] for one in report["problems"]} == {"data", "model"}
    assert all(one["remedy"] for one in report["problems"])


def test_the_report_leaves_as_a_table_and_as_a_page_with_hostile_text_escaped(good: dict):
    hostile = {
        **good,
        "problems": [
            {
                "severity": "note",
                "kind": "<b>",
                "where": "=cmd()",
                "message": "<script>x</script>",
                "remedy": "",
            },
            {"severity": "error", "kind": "data", "where": "a", "message": "m", "remedy": "r"},
        ],
    }
    assert list(grouped(hostile["problems"])) == ["data", "<b>"]
    assert "'=cmd()" in report_csv(hostile)
    page = report_html(hostile)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_the_command_line_says_the_same_and_writes_the_report(
    tiny_files: TinyFiles, tmp_path: Path, good: dict
):
    files = ("--data", str(tiny_files.data), "--model", str(tiny_files.model))
    done = run_command("check", *files, "--report", str(tmp_path / "r.html"), "--json", home=tmp_path / "h")
    assert done.code == 0
    assert done.document == good
    assert (tmp_path / "r.html").read_text().startswith("<!doctype html>")


def test_a_mapping_and_options_reach_the_audit(space: Workspace, tiny_files: TinyFiles, tmp_path: Path):
    mapping = tmp_path / "mapping.json"
    mapping.write_text(json.dumps({"task": "image"}))
    done = run_command(
        "create", "mapped", "--data", str(tiny_files.data), "--model", str(tiny_files.model),
        "--mapping", str(mapping), "--mapping", "unlabelled=?,none", home=space.home.root,
    )  # fmt: skip
    assert done.code == 0, done.err
    record = space.open("mapped").record
    assert record.mapping is not None
    assert (record.mapping["task"], record.mapping["unlabelled"]) == ("image", ["?", "none"])
    assert space.open("mapped").results.dataset().task == "image"


@pytest.mark.parametrize(
    ("option", "says"),
    [
        (("--mapping", "no-such-file"), "neither a JSON file"),
        (("--mapping", "colour=red"), "no field 'colour'"),
        (("--options", "colour=red"), "colour"),
        (("--learning-rates", "a,b"), "not numbers"),
    ],
)
def test_options_without_sense_are_refused_and_nothing_is_registered(
    space: Workspace, tiny_files: TinyFiles, option: tuple[str, str], says: str
):
    files = ("--data", str(tiny_files.data), "--model", str(tiny_files.model))
    done = run_command("create", "x", *files, *option, home=space.home.root)
    assert done.code == 1
    assert says in done.err
    assert not space.home.audits.exists()


def test_checkpoints_can_be_off_from_the_start(space: Workspace, tiny_files: TinyFiles):
    space.create("some", data=tiny_files.data, model=tiny_files.model, unused=[4])
    assert space.open("some").record.unused == (4,)
    with pytest.raises(InputError, match="step 5"):
        space.create("other", data=tiny_files.data, model=tiny_files.model, unused=[5])
    assert not space.has("other")
