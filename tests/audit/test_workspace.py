"""What pages ask of the façade: lists, tables, decisions, pictures, exports."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import run_command
from tracin_viz.audit import Workspace
from tracin_viz.config import Home
from tracin_viz.errors import InputError, JobError, NotComputedError, NotFoundError
from tracin_viz.store.artifacts import ArtifactStore


@pytest.fixture
def audit(workspace: Workspace):
    return workspace.open("tiny")


@pytest.fixture
def fresh(fresh_home: Path) -> Workspace:
    """A workspace with an audit of which nothing is computed."""
    return Workspace(Home(fresh_home))


def test_a_list_of_audits_says_what_they_are_and_how_they_are(workspace):
    (summary,) = workspace.summaries()
    assert (summary.name, summary.task, summary.state) == ("tiny", "image", "done")
    assert summary.splits == {"train": 48, "test": 15}
    assert summary.classes == ("bar", "cross", "ring")


def test_examples_say_what_the_last_checkpoint_thinks(audit):
    table = audit.examples("test")
    assert list(table["id"]) == [f"test:{row}" for row in range(15)]
    assert list(table["source"][:2]) == ["test/bar/000.png", "test/bar/001.png"]
    assert (table["wrong"] == (table["label"] != table["predicted"])).all()
    assert table["confidence"].between(1 / 3, 1).all()
    train = audit.examples("train")
    assert train["percentile"].mean() == pytest.approx(50)
    assert train["self_influence"].rank().corr(train["percentile"].rank()) == pytest.approx(1)


def test_self_influence_is_the_influence_of_an_example_on_itself(audit):
    measured = audit.results.measured("train")["self_influence"]  # (K, N), no learning rate
    expected = np.asarray(audit.results.learning_rates()) @ measured
    np.testing.assert_allclose(audit.suspect_scores("self-influence"), expected)


def test_an_audit_without_a_run_names_the_next_step(fresh):
    audit = fresh.open("tiny")
    assert audit.ready().scores is False
    assert audit.status()["state"] == "created"
    for ask in (
        lambda: audit.examples("train"),
        lambda: audit.influence(query="test:0"),
        lambda: audit.suspects(),
        lambda: audit.clusters(),
    ):
        with pytest.raises(NotComputedError, match="Compute page"):
            ask()
    assert audit.export_csv().decode().count("\n") == 49  # labels can be decided and exported all the same


def test_a_run_cannot_be_started_twice(fresh):
    audit = fresh.open("tiny")
    audit.start()
    try:
        with pytest.raises(JobError, match="being computed already"):
            audit.start()
    finally:
        audit.cancel()
    assert audit.status()["state"] in ("cancelled", "done")


def test_decisions_are_kept_undone_and_exported(fresh):
    audit = fresh.open("tiny")
    audit.decide("train:0", "relabel", new_label="ring", annotator="ann", suggested="ring", rank=1)
    audit.decide("train:1", "keep", annotator="ann")
    audit.decide("train:2", "exclude", annotator="ann")
    audit.decide("train:3", "relabel", new_label="cross", annotator="ann")
    assert audit.undo("ann").undo_of is not None
    again = Workspace(fresh.home).open("tiny")
    assert {name: found.action for name, found in again.decisions().items()} == {
        "train:0": "relabel",
        "train:1": "keep",
        "train:2": "exclude",
    }
    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(again.export_csv().decode("utf-8-sig")))}
    assert (rows["train:0"]["given_label"], rows["train:0"]["label"]) == ("bar", "ring")
    assert (rows["train:2"]["label"], rows["train:2"]["action"]) == ("", "exclude")
    assert rows["train:3"]["label"] == "bar"
    assert len(again.history()) == 5


@pytest.mark.parametrize(
    ("example", "action", "label"),
    [
        ("test:0", "keep", None),
        ("train:48", "keep", None),
        ("train:0", "relabel", "star"),
        ("nonsense", "keep", None),
    ],
)
def test_a_decision_about_nothing_is_refused(fresh, example, action, label):
    audit = fresh.open("tiny")
    with pytest.raises(InputError):
        audit.decide(example, action, new_label=label, annotator="ann")
    assert audit.history() == []


def test_the_same_click_sent_twice_is_one_decision(fresh):
    audit = fresh.open("tiny")
    for _ in range(2):
        audit.decide("train:0", "keep", annotator="ann", event_uuid="click-0001")
    assert len(audit.history()) == 1


def test_an_export_never_overwrites_the_data(fresh, tiny_files):
    audit = fresh.open("tiny")
    with pytest.raises(InputError):
        audit.export("csv", tiny_files.data / "labels.csv")
    assert not (tiny_files.data / "labels.csv").exists()


def test_thumbnails_are_pictures_of_the_example_and_made_once(fresh):
    audit = fresh.open("tiny")
    made = audit.thumbnail("train", 3)
    picture = Image.open(io.BytesIO(made))
    assert picture.format == "WEBP"
    assert max(picture.size) <= 128
    assert audit.thumbnail("train", 3) == made
    assert len(audit.database.read("SELECT key FROM thumbnails")) == 1
    for split, row in (("train", 48), ("train", -1), ("nothing", 0)):
        with pytest.raises(NotFoundError):
            audit.thumbnail(split, row)


def test_clusters_within_a_class_hold_only_that_class(audit):
    found = audit.clusters(within_class="bar")
    assert {example["id"] for example in found["examples"]} == {f"train:{row}" for row in range(16)}
    for cluster in found["clusters"]:
        assert set(cluster["classes"]) == {"bar"}
    with pytest.raises(NotFoundError, match="bar, cross, ring"):
        audit.clusters(within_class="star")


def test_suspects_of_a_class_keep_their_percentile_among_all(audit):
    everyone = {entry["id"]: entry for entry in audit.suspects(top=48)["suspects"]}
    bars = audit.suspects(class_name="bar", top=48)["suspects"]
    assert {entry["label"] for entry in bars} == {"bar"}
    assert all(entry == everyone[entry["id"]] for entry in bars)
    percentiles = [entry["percentile"] for entry in bars]
    assert percentiles == sorted(percentiles, reverse=True)


def test_results_of_a_lost_unit_are_not_shown_as_if_nothing_had_happened(fresh_home):
    assert run_command("compute", "tiny", "--sketch-dim", "64", home=fresh_home).code == 0
    audit = Workspace(Home(fresh_home)).open("tiny")
    ArtifactStore(fresh_home / "artifacts").discard(audit.results.plan().units[0])
    assert audit.ready().scores is False
    with pytest.raises(NotComputedError):
        audit.results.gradients("test")


def test_facts_for_display_are_kept_with_the_audit(tmp_path, tiny_files):
    space = Workspace(Home(tmp_path / "home"))
    made = space.create("new", data=tiny_files.data, model=tiny_files.model, notes={"title": "New one"})
    assert made["splits"] == {"train": 48, "test": 15}
    audit = space.open("new")
    assert audit.title == "New one"
    assert audit.notes["architecture"] == "ResNetForImageClassification"
