"""Tasks of Label Studio: the form it takes, and what comes back from it."""

from __future__ import annotations

import json

import pytest

from tracin_viz.audit import Workspace
from tracin_viz.config import Home
from tracin_viz.data.dataset import open_dataset
from tracin_viz.errors import InputError
from tracin_viz.relabel.events import Event, decisions
from tracin_viz.relabel.exports import importing
from tracin_viz.relabel.exports.entries import Subject
from tracin_viz.relabel.exports.label_texts import given_texts
from tracin_viz.relabel.exports.reading import read_labels
from tracin_viz.relabel.exports.table import rows
from tracin_viz.relabel.exports.writing import Subject as Written
from tracin_viz.relabel.exports.writing import write


@pytest.fixture
def audit(fresh_home):
    return Workspace(Home(fresh_home)).open("tiny")


def test_a_task_has_what_label_studio_asks_for(tmp_path, audit):
    audit.decide("train:0", "relabel", new_label="ring", annotator="ada", suggested="cross", note="round")
    tasks = json.loads(audit.export("label-studio", tmp_path / "tasks.json").read_text("utf-8"))
    assert len(tasks) == 48 and tasks[0]["data"]["image"] == "/data/local-files/?d=train/bar/000.png"
    assert "annotations" not in tasks[1]
    (prediction,) = tasks[0]["predictions"]
    assert prediction["result"][0]["value"] == {"choices": ["cross"]} and 0 <= prediction["score"] <= 1
    (annotation,) = tasks[0]["annotations"]
    for result in annotation["result"]:
        assert result["to_name"] == "image" and set(result["value"]) == {
            {"choices": "choices", "textarea": "text"}[result["type"]]
        }
    # As completed_by it takes its own users only and refuses the whole file otherwise.
    assert "completed_by" not in annotation
    assert annotation["result"][0]["meta"]["annotator"] == "ada"


def theirs(**more):
    """An annotation that somebody made in Label Studio itself."""
    choice = {"from_name": "label", "to_name": "image", "type": "choices", "value": {"choices": ["ring"]}}
    return {
        "id": 1001,
        "completed_by": {"id": 3, "email": "eve@example.org"},
        "result": [choice],
        "was_cancelled": False,
        "created_at": "2026-03-09T22:16:08.728353Z",
        **more,
    }


def exported_there(path, annotations):
    path.write_text(json.dumps([{"id": 1, "data": {"id": "train:0"}, "annotations": annotations}]))
    return path


def test_annotations_made_in_label_studio_are_decisions_of_their_accounts(tmp_path, audit):
    note = {"from_name": "note", "to_name": "image", "type": "textarea", "value": {"text": ["looks", "odd"]}}
    skipped = theirs(was_cancelled=True, completed_by=9)
    path = exported_there(
        tmp_path / "project.json",
        [
            skipped,
            theirs(),
            theirs(
                completed_by=7,
                result=[
                    {"from_name": "decision", "type": "choices", "value": {"choices": ["exclude"]}},
                    note,
                ],
            ),
        ],
    )
    found = audit.import_labels(path)
    assert found["annotators"] == ["Label Studio 7", "eve@example.org"]
    first, second = audit.history()
    assert (first.action, first.new_label, first.client_ts) == ("relabel", "ring", 1773094568.728353)
    assert (second.action, second.note) == ("exclude", "looks\nodd")
    assert audit.import_labels(path)["new"] == 0


def test_the_given_class_chosen_there_is_a_keep(tmp_path, audit):
    given = {"from_name": "label", "type": "choices", "value": {"choices": ["bar"]}}
    audit.import_labels(exported_there(tmp_path / "project.json", [theirs(result=[given])]))
    assert audit.decisions()["train:0"].action == "keep"


BAD = {
    "no list": (7, "annotations are no list|no JSON"),
    "no object": ([7], "no object with a list"),
    "two classes": (
        [theirs(result=[{"from_name": "label", "value": {"choices": ["bar", "ring"]}}])],
        "2 classes",
    ),
    "no class": (
        [theirs(result=[{"from_name": "label", "value": {"choices": ["star"]}}])],
        "no class of this",
    ),
    "says nothing": ([theirs(result=[{"from_name": "other", "value": {}}])], "neither a label nor"),
    "no time": ([theirs(created_at="soon")], "'soon' is no time"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_label_studio_does_not_write_is_named(name, tmp_path, audit):
    annotations, said = BAD[name]
    with pytest.raises(InputError, match=rf"project.json entry 0: .*({said})"):
        audit.import_labels(exported_there(tmp_path / "project.json", annotations))
    assert audit.history() == []


@pytest.fixture(params=["multi-label", "number"])
def other(request, tmp_path):
    """Texts whose labels are several classes each, or numbers; and a decided label of that kind."""
    path = tmp_path / "texts.jsonl"
    several = request.param == "multi-label"
    values = [["a", "b"], ["b"], [], ["c"]] if several else [1.5, 0.1, -2.0, 3.0]
    lines = [{"text": f"text {row}", "label": values[row % 4]} for row in range(20)]
    path.write_text("\n".join(map(json.dumps, lines)))
    from tracin_viz.data.mapping import DataMapping

    dataset = open_dataset(path, mapping=DataMapping(target=request.param))
    return dataset, json.dumps(["c", "a"]) if several else "7"


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet", "hf", "cleanlab", "label-studio"])
def test_labels_that_are_several_classes_or_numbers_come_back_too(format, other, tmp_path):
    import pandas as pd

    dataset, new = other
    given, sources = given_texts(dataset, "train"), list(dataset.splits["train"].sources)
    subject = Subject("tiny", dataset.target, dataset.classes, given, sources, given.__getitem__)
    examples = pd.DataFrame(
        {"id": [f"train:{row}" for row in range(len(given))], "source": sources, "label": given}
    )
    log = [
        Event("train:0", "relabel", "ada", given[0], new, client_ts=1e9, server_ts=1e9),
        Event("train:1", "relabel", "bob", given[1], given[1], client_ts=1e9, server_ts=1e9),
        Event("train:1", "keep", "ada", given[1], client_ts=1e9, server_ts=1e9),
        Event("train:2", "exclude", "bob", given[2], client_ts=1e9, server_ts=1e9),
    ]
    frame = rows(examples, decisions(log), log, canonical=subject.canonical)
    assert frame["label"][0] == ('["a", "c"]' if dataset.target == "multi-label" else "7.0")
    assert frame["changed"].tolist()[:4] == [True, False, True, False] and frame["agreement"][1] == 1.0
    found = read_labels(
        write(frame, format, tmp_path / f"out.{format}{_ENDINGS.get(format, '')}", Written(dataset))
    )
    planned = importing.plan(found, subject, [])
    imported = [event.__class__(**{**vars(event), "server_ts": 2e9}) for event in planned.events]
    assert len(imported) == 4
    again = rows(examples, decisions(imported), imported, canonical=subject.canonical)
    pd.testing.assert_frame_equal(again, frame)


_ENDINGS = {"cleanlab": ".csv", "label-studio": ".json"}
