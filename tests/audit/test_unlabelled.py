"""A query split without labels, from its files to the influence document."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import TinyFiles, end_query_process, run_command
from tracin_viz.audit.workspace import Workspace
from tracin_viz.config import Home

pytestmark = pytest.mark.usefixtures("answered_here")


@dataclass(frozen=True)
class Asked:
    labelled: Workspace
    workspace: Workspace
    renamed: dict[int, int]  # row without label -> row of the same picture with one


@pytest.fixture(scope="module")
def asked(
    tiny_files: TinyFiles, tiny_home: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Asked]:
    folder = tmp_path_factory.mktemp("unlabelled")
    shutil.copytree(tiny_files.data / "train", folder / "data" / "train")
    (folder / "data" / "test").mkdir()
    pictures = sorted((tiny_files.data / "test").rglob("*.png"))
    # Under names that sort the other way round, and in no class folders.
    for place, picture in enumerate(reversed(pictures)):
        shutil.copyfile(picture, folder / "data" / "test" / f"{place:03d}.png")
    home = folder / "home"
    shutil.copytree(tiny_home / "artifacts", home / "artifacts")  # the training units are the same ones
    files = ("--data", str(folder / "data"), "--model", str(tiny_files.model))
    made = run_command("create", "blind", *files, home=home)
    assert made.code == 0, made.err
    done = run_command("compute", "blind", "--sketch-dim", "256", home=home)
    assert done.code == 0, done.err
    count = len(pictures)
    yield Asked(
        Workspace(Home(tiny_home)), Workspace(Home(home)), {row: count - 1 - row for row in range(count)}
    )
    end_query_process(home)


def test_predictions_of_unlabelled_examples_are_those_of_the_same_labelled_ones(asked):
    table = asked.workspace.open("blind").examples("test")
    known = asked.labelled.open("tiny").examples("test").iloc[list(asked.renamed.values())]
    assert table["label"].isna().all() and table["loss"].isna().all() and not table["wrong"].any()
    assert table["predicted"].tolist() == known["predicted"].tolist()
    np.testing.assert_allclose(table["confidence"], known["confidence"], rtol=1e-5)


def test_an_unlabelled_query_is_explained_by_the_score_of_the_predicted_class(asked):
    answer = asked.workspace.open("blind").influence(query="test:2", top=5)
    assert answer["query"]["label"] is None
    assert answer["target"] == {"kind": "score", "class": answer["query"]["predicted"]}
    same = asked.labelled.open("tiny").influence(
        query=f"test:{asked.renamed[2]}", score=answer["query"]["predicted"], top=5
    )
    for side in ("proponents", "opponents"):
        assert [entry["id"] for entry in answer[side]] == [entry["id"] for entry in same[side]]
        np.testing.assert_allclose(
            [entry["score"] for entry in answer[side]], [entry["score"] for entry in same[side]], rtol=1e-4
        )


def test_an_unlabelled_query_can_be_given_a_label(asked):
    answer = asked.workspace.open("blind").influence(query="test:2", label="ring", top=3)
    assert answer["target"] == {"kind": "loss", "class": "ring"}
