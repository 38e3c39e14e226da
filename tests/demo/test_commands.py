"""The voice commands demo: what is promised of its texts, and that a reduced one is whole and repeatable."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from tracin_viz.data.dataset import open_dataset
from tracin_viz.demo import commands
from tracin_viz.demo.again import demo_training
from tracin_viz.demo.files import DemoFiles
from tracin_viz.demo.home_intents import CLASSES, generate
from tracin_viz.errors import InputError
from tracin_viz.models.bundle import open_run_folder


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> DemoFiles:
    folder = tmp_path_factory.mktemp("demos") / "commands"
    return commands.build(folder, on_progress=lambda stage, share: None, examples=400, epochs=2)


def test_no_template_and_no_text_is_on_both_sides():
    drawn = generate(train=150, test=40, seed=0)
    sides = [{command.template for command in drawn if command.split == split} for split in ("train", "test")]
    assert not sides[0] & sides[1]
    assert max(Counter(command.text for command in drawn).values()) == 1
    assert {command.label for command in drawn if command.split == "test"} == set(CLASSES)


def test_classes_are_balanced_and_of_the_promised_size():
    counts = Counter((command.label, command.split) for command in generate(train=150, test=40, seed=0))
    assert len(CLASSES) >= 12
    assert all(count == (150 if split == "train" else 40) for (_, split), count in counts.items())


def test_text_holds_nothing_of_the_notation():
    assert not [c.text for c in generate(train=60, test=15, seed=3) if set(c.text) & set("[](){}<>|;")]


def test_files_open_as_a_users_files_would(built: DemoFiles):
    data, model = open_dataset(built.data), open_run_folder(built.model)
    assert {name: len(split) for name, split in data.splits.items()} == {"train": 400, "test": 100}
    assert data.problems == ()
    assert sorted(model.classes) == sorted(data.classes)
    assert len(model.checkpoints) == len(commands.KEPT) >= 6
    assert all(checkpoint.learning_rate > 0 for checkpoint in model.checkpoints)
    network = model.build()
    network.load_state_dict(model.read_weights(model.checkpoints[-1]))
    inputs = model.collate([data.load("test", row) for row in range(3)])
    assert network(**inputs).logits.shape == (3, len(CLASSES))


def test_notes_say_that_the_texts_are_template_generated(built: DemoFiles):
    assert "template-generated" in built.notes["title"]
    assert built.notes["origin"].startswith("Template-generated")
    assert built.truth is None


def test_same_seed_gives_the_same_files_byte_for_byte(built: DemoFiles, tmp_path: Path):
    again = commands.build(tmp_path / "again", on_progress=lambda stage, share: None, examples=400, epochs=2)
    assert again.data.read_bytes() == built.data.read_bytes()
    files = sorted(path.relative_to(built.model) for path in built.model.rglob("*") if path.is_file())
    assert len([path for path in files if path.name == "model.safetensors"]) == len(commands.KEPT)
    assert all((again.model / path).read_bytes() == (built.model / path).read_bytes() for path in files)


def test_table_names_the_template_of_each_text(built: DemoFiles):
    with built.data.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["text", "label", "split", "template"]
    assert all(row["template"] for row in rows)


def test_numbers_out_of_range_are_refused(tmp_path: Path):
    for wrong in ({"examples": 10}, {"examples": 50_000}, {"epochs": 0}):
        with pytest.raises(InputError, match="must be"):
            commands.build(tmp_path / "demo", on_progress=lambda stage, share: None, **wrong)
    assert not list(tmp_path.iterdir())


def test_training_once_more_with_the_given_labels_is_the_demos_own_training(built: DemoFiles):
    run = open_run_folder(built.model)
    data = open_dataset(built.data).reordered(run.classes)
    training, labels = demo_training(data), data.splits["train"].labels
    assert training is not None
    model = training.train(np.ones(len(labels), dtype=bool), labels, 0, lambda share: None)
    final = run.read_weights(run.checkpoints[-1])
    assert all(torch.equal(value, final[name]) for name, value in model.state_dict().items())
    assert training.outputs(model, "test", np.arange(3)).shape == (3, len(CLASSES))
