"""What is said of suspects beside their score: signs, teachers, reviews."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tracin_viz.audit import Audit, Workspace, witnesses
from tracin_viz.config import Home
from tracin_viz.errors import InputError, NotFoundError
from tracin_viz.explore.rarity import SIGNS
from tracin_viz.jobs.answers import Answers
from tracin_viz.relabel.sessions import QueueEntry
from tracin_viz.store import neighbours


@pytest.fixture
def tiny(workspace: Workspace) -> Audit:
    return workspace.open("tiny")


def test_rare_but_right_examples_are_told_from_planted_wrong_labels(demo_home: Path):
    audit = Workspace(Home(demo_home)).open("digits")
    column, truth = audit.sign_column(), audit.results.truth()
    assert column is not None
    assert truth is not None
    planted = np.zeros(audit.splits["train"], dtype=bool)
    planted[list(truth)] = True
    share = {sign: planted[column.codes == code].mean() for code, sign in enumerate(SIGNS)}
    count = {sign: int((column.codes == code).sum()) for code, sign in enumerate(SIGNS)}
    assert count["usual"] == audit.splits["train"] * 9 // 10
    among_suspects = planted[column.codes != SIGNS.index("usual")].mean()
    # Four suspects in five are planted there: a group drawn at random would hold as many.
    assert count["rare"] >= 10
    assert share["rare"] < 0.3 * among_suspects
    assert count["wrong"] >= 200
    assert share["wrong"] > among_suspects
    entry = audit.suspect_entries([int(np.flatnonzero(column.codes == SIGNS.index("rare"))[0])])[0]
    assert entry["sign"] == "rare"
    assert "Model and neighbours agree with the label: it may be right but rare." in entry["reasons"]


def test_the_query_process_finds_the_same_neighbours_and_keeps_them(
    tiny: Audit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    record, results = tiny.record, tiny.results
    here = witnesses.neighbour_agreement(record, results)
    key = neighbours.key(results.plan(), results.learning_rates())
    monkeypatch.setattr(witnesses, "FEW", 0)
    asked: list[str] = []
    monkeypatch.setattr(witnesses, "_ask", lambda _record, _results, name: asked.append(name))
    assert witnesses.neighbour_agreement(record, results) is None
    assert tiny.sign_column() is None
    assert tiny.suspect_entries([0])[0]["sign"] is None
    assert asked == [key] * 3
    Answers(tiny.home)("neighbours", {"audit": "tiny"}, [], lambda: False)
    np.testing.assert_allclose(neighbours.read(results.store, key), here, rtol=1e-6)
    assert tiny.sign_column() is not None


@pytest.mark.usefixtures("answered_here")
def test_teachers_are_the_strongest_products_of_sketched_influence_vectors(tiny: Audit):
    gradients, rates = tiny.results.gradients("train"), tiny.results.learning_rates()
    vectors = gradients.vectors(rates).astype(np.float64)
    labels = tiny.examples("train")["label"].tolist()
    found = tiny.teachers([3, 40, 17], top=4)
    assert list(found) == [3, 40, 17]
    for row, one in found.items():
        scores = vectors @ vectors[row]
        scores[row] = np.nan
        down = [int(place) for place in np.argsort(-scores) if scores[place] > 0][:4]
        up = [int(place) for place in np.argsort(scores) if scores[place] < 0][:4]
        assert [teacher.row for teacher in one.proponents] == down
        assert [teacher.row for teacher in one.opponents] == up
        for teacher in (*one.proponents, *one.opponents):
            assert teacher.label == labels[teacher.row]
            assert teacher.score == pytest.approx(scores[teacher.row], rel=1e-3)
    with pytest.raises(NotFoundError, match="0 to 47"):
        tiny.teachers([48])
    with pytest.raises(InputError, match="at most 100"):
        tiny.teachers([0] * 101)


def test_noise_is_estimated_from_reviews_only_and_apart_for_control_samples(tiny: Audit):
    labels = tiny.examples("train")["label"].to_numpy()
    bars, rings = np.flatnonzero(labels == "bar"), np.flatnonzero(labels == "ring")
    before = {one.control.name: one for one in tiny.noise_by_class()}
    assert before["bar"].control.reviewed == 0
    assert before["bar"].control.share is None
    drawn = tiny.sessions.create(
        [QueueEntry(f"train:{row}", 1) for row in bars[:5]], name="x", source="random control sample of 5"
    ).id
    verdicts = [("relabel", "ring"), ("keep", None), ("relabel", "bar"), ("exclude", None), ("review", None)]
    made = 0
    for row, (action, label) in zip(bars, verdicts, strict=False):
        tiny.decide(f"train:{row}", action, annotator="noise", new_label=label, session=drawn)
        made += 1
    tiny.decide(f"train:{rings[0]}", "relabel", annotator="noise", new_label="bar", session="other")
    made += 1
    try:
        after = {one.control.name: one for one in tiny.noise_by_class()}
        bar, ring = after["bar"].control, after["ring"]
        assert (bar.examples, bar.reviewed, bar.wrong, bar.undecided) == (16, 3, 1, 2)
        assert bar.interval is not None
        assert bar.interval[0] < 1 / 3 < bar.interval[1]
        assert (ring.suspects.reviewed, ring.suspects.wrong) == (1, 1)
        assert ring.control.reviewed == 0
        assert after["bar"].suspects == before["bar"].suspects
    finally:
        for _ in range(made):
            tiny.undo("noise")
    assert {one.control.name: one for one in tiny.noise_by_class()} == before
