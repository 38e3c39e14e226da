"""Bad input: one line that names the thing and the remedy, exit status 1, and nothing registered."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from tests import tiny
from tests.conftest import Result, TinyFiles, run_command


def create(home: Path, data: Path, model: Path, *more: str) -> Result:
    return run_command("create", "new", "--data", str(data), "--model", str(model), *more, home=home)


def assert_refused(result: Result, home: Path, *words: str) -> None:
    assert result.code == 1
    lines = result.err.strip().splitlines()
    assert len(lines) == 1, result.err
    assert lines[0].startswith("error: ")
    for word in words:
        assert word in lines[0], f"{word!r} is not in: {lines[0]}"
    assert not (home / "audits").exists() or not list((home / "audits").iterdir())
    assert run_command("status", "new", home=home).code == 1


def test_a_missing_data_folder(tmp_path, tiny_files: TinyFiles):
    gone = tmp_path / "gone"
    assert_refused(
        create(tmp_path / "home", gone, tiny_files.model), tmp_path / "home", str(gone), "Check the path"
    )


def test_a_missing_model_folder(tmp_path, tiny_files: TinyFiles):
    gone = tmp_path / "gone"
    assert_refused(create(tmp_path / "home", tiny_files.data, gone), tmp_path / "home", str(gone))


def test_an_image_folder_with_one_class(tmp_path, tiny_files: TinyFiles):
    data = tiny.write_images(tmp_path / "one", classes=("bar",))
    assert_refused(create(tmp_path / "home", data, tiny_files.model), tmp_path / "home", "bar", "class")


def test_a_csv_without_the_label_column(tmp_path, tiny_files: TinyFiles):
    path = tmp_path / "texts.csv"
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows(
            [["text", "kind", "split"], ["hello", "a", "train"], ["bye", "b", "test"]]
        )
    result = create(tmp_path / "home", path, tiny_files.model)
    assert_refused(result, tmp_path / "home", "label", "kind")


def test_a_model_whose_class_count_differs_from_the_data(tmp_path, tiny_files: TinyFiles):
    data = tiny.write_images(tmp_path / "four", classes=(*tiny.CLASSES, "star"))
    result = create(tmp_path / "home", data, tiny_files.model)
    assert_refused(result, tmp_path / "home", "3", "4", "star")


def test_a_checkpoint_whose_outputs_differ_from_its_configuration(tmp_path, tiny_files: TinyFiles):
    model = tmp_path / "run"
    shutil.copytree(tiny_files.model, model)
    weights = model / "checkpoint-8" / "model.safetensors"
    tensors = load_file(weights)
    tensors["classifier.1.weight"] = tensors["classifier.1.weight"].repeat(2, 1)
    tensors["classifier.1.bias"] = tensors["classifier.1.bias"].repeat(2)
    save_file(tensors, weights, metadata={"format": "pt"})
    result = create(tmp_path / "home", tiny_files.data, model)
    assert_refused(result, tmp_path / "home", "checkpoint-8", "classifier.1")


def test_a_checkpoint_that_is_a_pickle_in_disguise_is_never_executed(tmp_path, tiny_files: TinyFiles):
    model = tmp_path / "run"
    shutil.copytree(tiny_files.model, model)
    marker = tmp_path / "executed"
    code = f"cposix\nsystem\n(S'touch {marker}'\ntR.".encode()
    (model / "checkpoint-8" / "model.safetensors").unlink()
    (model / "checkpoint-8" / "pytorch_model.bin").write_bytes(code)
    result = create(tmp_path / "home", tiny_files.data, model)
    assert_refused(result, tmp_path / "home", "checkpoint-8")
    assert not marker.exists()


def test_a_log_without_learning_rates_asks_for_them_and_takes_them(tmp_path, tiny_files: TinyFiles):
    model = tmp_path / "run"
    shutil.copytree(tiny_files.model, model)
    for state in model.glob("*/trainer_state.json"):
        content = json.loads(state.read_text())
        content["log_history"] = [{"step": entry["step"]} for entry in content["log_history"]]
        state.write_text(json.dumps(content))
    home = tmp_path / "home"
    assert_refused(create(home, tiny_files.data, model), home, "--learning-rates")
    given = create(home, tiny_files.data, model, "--learning-rates", "0.3,0.2,0.1", "--json")
    assert given.code == 0, given.err
    assert [found["learning_rate"] for found in given.document["checkpoints"]] == [0.3, 0.2, 0.1]


def test_a_name_that_is_taken(tmp_path, tiny_files: TinyFiles):
    home = tmp_path / "home"
    assert create(home, tiny_files.data, tiny_files.model).code == 0
    before = (home / "audits" / "new" / "audit.json").read_bytes()
    again = create(home, tiny_files.data, tiny_files.model)
    assert again.code == 1
    assert "exists already" in again.err
    assert (home / "audits" / "new" / "audit.json").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("influence", "tiny", "--query", "test:999"), ["test:999", "test:0 to test:14"]),
        (("influence", "tiny", "--query", "0"), ["test:0 to test:14"]),
        (("influence", "tiny", "--query", "test:0", "--label", "star"), ["star", "bar, cross, ring"]),
        (("influence", "tiny", "--text", "hello"), ["images"]),
        (("suspects", "tiny", "--class", "star"), ["star", "bar, cross, ring"]),
        (("compute", "tiny", "--checkpoints", "9"), ["9", "1 to 3"]),
        (("compute", "tiny", "--layers", "("), ["regular expression"]),
        (("status", "nothing"), ["nothing", "tiny"]),
    ],
)
def test_a_wrong_argument_names_what_is_possible(tiny_home, fresh_home, arguments, words):
    # A refused run is a failed one, which others would see in the workspace that they share.
    result = run_command(*arguments, home=fresh_home if arguments[0] == "compute" else tiny_home)
    assert result.code == 1
    assert len(result.err.strip().splitlines()) == 1
    for word in words:
        assert word in result.err


def test_wrong_usage_has_its_own_exit_status(tmp_path):
    with pytest.raises(SystemExit) as stop:
        run_command("influence", "tiny", home=tmp_path)
    assert stop.value.code == 2


def test_an_error_is_a_json_document_where_json_was_asked_for(tmp_path):
    result = run_command("status", "nothing", "--json", home=tmp_path)
    assert result.code == 1
    assert "nothing" in result.document["error"]
