"""Hugging Face runs that cannot be used: refused in one line that names the file, and nothing is fetched."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from tests.models.conftest import STEPS, edit, vit
from tracin_viz.errors import InputError
from tracin_viz.models.bundle import inspect_run, open_run_folder

DIGITS = [Image.fromarray(np.full((28, 28), value, dtype=np.uint8)) for value in (0, 100, 255)]


def _refused(run: Path, **asked: Any) -> str:
    with pytest.raises(InputError) as caught:
        inspect_run(run, **asked)
    message = str(caught.value)
    assert "\n" not in message and caught.value.remedy
    return message


def test_a_checkpoint_of_another_class_count_is_refused_with_file_key_and_shapes(run):
    from transformers import ViTForImageClassification

    ViTForImageClassification(vit(["a", "b", "c", "d", "e"])).save_pretrained(run / "other")
    shutil.copy(run / "other/model.safetensors", run / "checkpoint-200/model.safetensors")
    message = _refused(run)
    assert "'checkpoint-200/model.safetensors'" in message
    assert "classifier.weight is 5×16, not 3×16" in message and "classifier.bias is 5, not 3" in message


def test_a_checkpoint_of_another_network_is_refused_with_the_keys(run):
    save_file({"conv.weight": torch.ones(2, 2)}, run / "checkpoint-100/model.safetensors")
    message = _refused(run)
    assert "missing: classifier.bias" in message and "not in the network: conv.weight 2×2" in message


def test_code_in_the_run_folder_is_refused_and_never_run(run):
    (run / "checkpoint-300/modeling_x.py").write_text("raise SystemExit('executed')")
    edit(run / "checkpoint-300/config.json", auto_map={"AutoModelForImageClassification": "modeling_x.X"})
    assert "auto_map" in _refused(run)


def test_code_for_the_tokenizer_is_refused(text_run, tmp_path):
    run = Path(shutil.copytree(text_run, tmp_path / "run"))
    edit(run / "checkpoint-300/tokenizer_config.json", auto_map={"AutoTokenizer": ["x.Y", None]})
    assert "auto_map" in _refused(run)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> None:
        raise AssertionError(f"a connection was attempted: {args}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.usefixtures("no_network")
def test_nothing_in_a_text_run_makes_a_connection(text_run, tmp_path):
    run = Path(shutil.copytree(text_run, tmp_path / "run"))
    assert inspect_run(run)["parameters"] > 0
    (run / "checkpoint-300/tokenizer.json").unlink()
    edit(run / "checkpoint-300/tokenizer_config.json", name_or_path="someone/something")
    assert "'checkpoint-300' cannot be opened" in _refused(run)


@pytest.mark.usefixtures("no_network")
def test_nothing_in_a_config_makes_a_connection(run):
    for step in STEPS:
        edit(
            run / f"checkpoint-{step}/config.json",
            _name_or_path="someone/something",
            _attn_implementation="someone/kernel",
            attn_implementation="someone/kernel",
        )
    assert inspect_run(run)["parameters"] > 0
    (run / "checkpoint-300/preprocessor_config.json").unlink()
    assert "no preprocessor_config.json" in _refused(run)


CONFIGS: dict[str, tuple[dict[str, Any], str]] = {
    "unknown type": ({"model_type": "nonesuch"}, "'nonesuch'"),
    "no type": ({"model_type": None}, "does not know"),
    "not a classifier": ({"architectures": ["ViTModel"]}, "ViTModel, which classifies neither"),
    "no classifier of that type": ({"model_type": "whisper", "architectures": None}, "of type whisper"),
    "one class": ({"id2label": {"0": "a"}, "label2id": {"a": 0}}, "id2label"),
    "gap in the classes": ({"id2label": {"0": "a", "2": "b"}, "label2id": {"a": 0, "b": 2}}, "id2label"),
    "two classes of one name": ({"id2label": {"0": "a", "1": "a", "2": "b"}}, "two classes the same"),
    "unknown problem": ({"problem_type": "ranking"}, "problem_type"),
    "quantised": ({"quantization_config": {"bits": 4}}, "quantization_config"),
    "channels": ({"num_channels": 7}, "7 channels"),
    "too many classes": ({"num_labels": 10**9, "id2label": None}, "classes"),
    "unknown part": ({"hidden_act": "nonesuch"}, "cannot make a network"),
    "wrong kind": ({"hidden_size": "big"}, "config.json"),
    "larger than any memory": ({"hidden_size": 1_000_000}, "the network has"),
    "no table of classes": ({"id2label": 0.5}, "id2label"),
}


@pytest.mark.parametrize("case", CONFIGS)
def test_a_config_that_cannot_be_used_is_refused_in_one_line(run, case):
    changes, named = CONFIGS[case]
    for step in STEPS:
        edit(run / f"checkpoint-{step}/config.json", **changes)
    assert named in _refused(run)


def test_checkpoints_whose_configs_differ_are_refused_with_the_keys(run):
    edit(run / "checkpoint-100/config.json", id2label={"0": "dog", "1": "cat", "2": "owl"})
    assert (
        "config.json of 'checkpoint-100' differs from that of the newest checkpoint in id2label"
        in _refused(run)
    )


def test_preprocessing_that_does_not_fit_the_network_is_refused(run):
    edit(run / "checkpoint-300/preprocessor_config.json", size={"height": 20, "width": 20})
    assert "cannot take what its preprocessing makes (pixel_values (1, 1, 20, 20))" in _refused(run)


@pytest.mark.parametrize("content", [b"", b"[1]", b"{", b"\xff\xfe", b"[" * 100_000])
@pytest.mark.parametrize("name", ["config.json", "trainer_state.json", "preprocessor_config.json"])
def test_files_that_are_no_json_are_named(run, name, content):
    (run / "checkpoint-300" / name).write_bytes(content)
    assert f"'checkpoint-300/{name}'" in _refused(run)


def test_folders_that_hold_no_run_are_refused(run, tmp_path):
    assert "does not exist" in _refused(tmp_path / "absent")
    assert "was not opened" in _refused(run / "checkpoint-100/config.json")
    (tmp_path / "empty").mkdir()
    assert "holds no checkpoint-<step> folders" in _refused(tmp_path / "empty")
    assert "'checkpoint-100' is a single checkpoint" in _refused(run / "checkpoint-100")


def test_missing_parts_are_named_with_what_would_be_there(run, text_run, tmp_path):
    text = Path(shutil.copytree(text_run, tmp_path / "text"))
    for step in STEPS:
        for path in (text / f"checkpoint-{step}").glob("tokenizer*"):
            path.unlink()
    assert "no tokenizer (tokenizer.json)" in _refused(text)
    for step in STEPS:
        (run / f"checkpoint-{step}/trainer_state.json").unlink()
    assert "--learning-rates, one per checkpoint (steps 100, 200, 300)" in _refused(run)
    (run / "checkpoint-200/model.safetensors").unlink()
    assert "'checkpoint-200' cannot be used: it has none of" in _refused(run, learning_rates=[1, 1, 1])
    shutil.copy(run / "checkpoint-100/model.safetensors", run / "checkpoint-200")
    for step in STEPS:
        (run / f"checkpoint-{step}/config.json").unlink()
    assert "has a config.json" in _refused(run, learning_rates=[1, 1, 1])


def test_contents_of_the_wrong_kind_are_refused(image_run, text_run):
    with pytest.raises(InputError, match="takes images, but got a text"):
        open_run_folder(image_run).collate(["a"])
    with pytest.raises(InputError, match="takes texts, but got an image"):
        open_run_folder(text_run).collate(DIGITS)
    with pytest.raises(InputError, match="No examples"):
        open_run_folder(text_run).collate([])
