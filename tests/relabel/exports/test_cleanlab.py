"""The tables for cleanlab are taken by cleanlab itself."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from cleanlab.filter import find_label_issues
from cleanlab.multiannotator import get_label_quality_multiannotator

from tracin_viz.audit import Workspace
from tracin_viz.config import Home
from tracin_viz.errors import InputError
from tracin_viz.relabel.exports.cleanlab import PERSON, write_wide


@pytest.fixture
def audit(fresh_home):
    return Workspace(Home(fresh_home)).open("tiny")


def sure_of(labels: np.ndarray, classes: int) -> np.ndarray:
    """Predicted probabilities of a model that is 90 % sure of ``labels``."""
    found = np.full((len(labels), classes), 0.1 / (classes - 1))
    found[np.arange(len(labels)), labels] = 0.9
    return found


def test_cleanlab_finds_the_labels_that_were_decided_to_be_wrong(tmp_path, audit):
    for row in (0, 20, 40):
        given = audit.classes.index(audit.export_table()["given_label"][row])
        audit.decide(f"train:{row}", "relabel", new_label=audit.classes[(given + 1) % 3], annotator="ada")
    table = pd.read_csv(audit.export("cleanlab", tmp_path / "c.csv"), keep_default_na=False)
    number = {name: place for place, name in enumerate(audit.classes)}
    given = table["given_label"].map(number).to_numpy()
    right = table["corrected_label"].map(number).to_numpy()
    issues = find_label_issues(given, sure_of(right, 3))
    assert np.array_equal(issues, table["is_label_issue"].to_numpy(dtype=bool))
    assert issues.sum() == 3


def test_cleanlab_takes_the_labels_of_several_annotators(tmp_path, audit):
    given = [audit.classes.index(label) for label in audit.export_table()["given_label"]]
    for row in range(48):
        audit.decide(f"train:{row}", "keep", annotator="ada")
        other = audit.classes[(given[row] + 1) % 3]
        if row % 4 == 0:
            audit.decide(f"train:{row}", "relabel", new_label=other, annotator="bob")
        elif row % 4 == 1:
            audit.decide(f"train:{row}", "exclude", annotator="bob")
        else:
            audit.decide(f"train:{row}", "keep", annotator="bob")
    table = pd.read_csv(audit.export("cleanlab-multi", tmp_path / "m.csv"))
    people = table.filter(like=PERSON)
    assert list(people.columns) == ["annotator:ada", "annotator:bob"]
    assert people["annotator:ada"].tolist() == given == table["given"].tolist()
    assert people["annotator:bob"].isna().tolist() == [row % 4 == 1 for row in range(48)]
    quality = get_label_quality_multiannotator(people, sure_of(np.array(given), 3), verbose=False)
    found = quality["label_quality"]
    assert found["consensus_label"].tolist() == given
    assert found["num_annotations"].tolist() == [1 if row % 4 == 1 else 2 for row in range(48)]
    agreed = [0.5 if row % 4 == 0 else 1.0 for row in range(48)]
    assert found["annotator_agreement"].tolist() == pytest.approx(agreed)


def test_labels_that_are_no_single_classes_have_no_such_table(tmp_path):
    with pytest.raises(InputError, match="one class number each"):
        write_wide(pd.DataFrame(), tmp_path / "m.csv", classes=())
