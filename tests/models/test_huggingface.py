from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from tests.models.conftest import STEPS, edit, vit_inputs, words, write_run
from tracin_viz.errors import InputError
from tracin_viz.fingerprint import fingerprint
from tracin_viz.models.bundle import inspect_run, open_run_folder

DIGITS = [Image.fromarray(np.full((28, 28), value, dtype=np.uint8)) for value in (0, 100, 255)]


def test_an_image_run_is_described_by_its_files(image_run):
    bundle = open_run_folder(image_run)
    assert bundle.task == "image" and bundle.classes == ("cat", "dog", "owl")
    assert [checkpoint.step for checkpoint in bundle.checkpoints] == list(STEPS)
    assert [checkpoint.learning_rate for checkpoint in bundle.checkpoints] == pytest.approx(
        [0.09495, 0.08495, 0.07495]
    )
    provenance = bundle.checkpoints[1].provenance
    assert provenance.startswith("mean over steps 101–200 of linear decay until step 999, replayed from")
    assert "checkpoint-300/trainer_state.json; it gives all 6 known rates" in provenance
    assert bundle.checkpoints[1].epoch == 2.0 and bundle.checkpoints[1].train_loss == pytest.approx(1.825)


def test_logits_equal_those_of_transformers_own_loader_and_processor(image_run):
    from transformers import ViTForImageClassification, ViTImageProcessorPil

    bundle = open_run_folder(image_run)
    model = bundle.build()
    assert not model.training
    for checkpoint in bundle.checkpoints:
        folder = image_run / f"checkpoint-{checkpoint.step}"
        model.load_state_dict(bundle.read_weights(checkpoint), strict=True)
        theirs = ViTForImageClassification.from_pretrained(folder).eval()
        inputs = ViTImageProcessorPil.from_pretrained(folder)(
            [d.convert("L") for d in DIGITS], return_tensors="pt"
        )
        with torch.no_grad():
            assert torch.allclose(model(**bundle.collate(DIGITS)).logits, theirs(**inputs).logits, atol=1e-5)


def test_token_ids_equal_those_of_the_tokenizer_and_only_what_the_network_takes_is_given(text_run):
    bundle = open_run_folder(text_run)
    assert bundle.task == "text" and bundle.classes == ("light", "timer")
    texts = ["turn the light on", "timer", "a " * 50]
    inputs = bundle.collate(texts)
    assert set(inputs) == {"input_ids", "attention_mask"}
    # The tokenizer allows 12 tokens, but the network has only 10 positions.
    theirs = words()(texts, padding=True, truncation=True, max_length=10, return_tensors="pt")
    assert torch.equal(inputs["input_ids"], theirs["input_ids"])
    assert torch.equal(inputs["attention_mask"], theirs["attention_mask"])
    assert bundle.build()(**inputs).logits.shape == (3, 2)


def test_token_types_are_given_to_a_network_that_takes_them(tmp_path):
    from transformers import BertConfig

    config = BertConfig(
        vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8
    )
    run = write_run(tmp_path, config, kind="BertForSequenceClassification", inputs=words(), steps=[100])
    assert "token_type_ids" in open_run_folder(run).collate(["turn on"])


@pytest.mark.parametrize("kind", ["resnet", "bart", "roberta"])
def test_other_architectures_load_as_transformers_loads_them(tmp_path, kind):
    import transformers

    small = {"vocab_size": 20, "max_position_embeddings": 20}
    config, name, inputs = {
        "resnet": (
            transformers.ResNetConfig(num_channels=1, embedding_size=8, hidden_sizes=[8, 8], depths=[1, 1]),
            "ResNetForImageClassification",
            vit_inputs(),
        ),
        "bart": (  # shared embeddings: the file holds them once
            transformers.BartConfig(
                **small, d_model=8, encoder_layers=1, decoder_layers=1, encoder_ffn_dim=8, decoder_ffn_dim=8,
                encoder_attention_heads=2, decoder_attention_heads=2, pad_token_id=0, bos_token_id=2,
                eos_token_id=3, decoder_start_token_id=3, forced_eos_token_id=None,
            ),
            "BartForSequenceClassification",
            words(),
        ),
        "roberta": (
            transformers.RobertaConfig(
                **small, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8,
                pad_token_id=0,
            ),
            "RobertaForSequenceClassification",
            words(),
        ),
    }[kind]  # fmt: skip
    run = write_run(tmp_path, config, kind=name, inputs=inputs, steps=[100])
    bundle = open_run_folder(run)
    ours = bundle.read_weights(bundle.checkpoints[0])
    theirs = getattr(transformers, name).from_pretrained(run / "checkpoint-100").state_dict()
    assert set(ours) == set(theirs)
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)
    bundle.build().load_state_dict(ours, strict=True)


def test_texts_are_cut_to_the_positions_that_a_shifted_network_has(tmp_path):
    # RoBERTa's first position is one past its padding token: of 10 positions 9 are left.
    from transformers import RobertaConfig

    config = RobertaConfig(
        vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8,
        max_position_embeddings=10, pad_token_id=0, type_vocab_size=1,
    )  # fmt: skip
    run = write_run(tmp_path, config, kind="RobertaForSequenceClassification", inputs=words(), steps=[100])
    bundle = open_run_folder(run)
    inputs = bundle.collate(["light " * 50])
    assert inputs["input_ids"].shape == (1, 9)
    assert bundle.build()(**inputs).logits.shape == (1, 2)


def test_plain_state_dicts_pickled_or_not_load_like_the_written_ones(run):
    bundle = open_run_folder(run)
    wanted = bundle.read_weights(bundle.checkpoints[0])
    folder = run / "checkpoint-100"
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    save_file(
        {name: tensor.half() for name, tensor in wanted.items()}, run / "checkpoint-200/model.safetensors"
    )
    again = open_run_folder(run)
    pickled, halved = (again.read_weights(checkpoint) for checkpoint in again.checkpoints[:2])
    assert again.checkpoints[0].path.endswith("pytorch_model.bin")
    for name, tensor in wanted.items():
        assert torch.equal(pickled[name], tensor)
        assert halved[name].dtype == torch.float32 and torch.allclose(halved[name], tensor, atol=1e-3)


def test_building_and_reading_leave_the_random_state_alone(image_run):
    bundle = open_run_folder(image_run)
    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    bundle.build()
    bundle.read_weights(bundle.checkpoints[0])
    assert torch.equal(torch.random.get_rng_state(), before)


def test_identity_depends_on_what_is_computed_and_not_on_who_wrote_it(run):
    first = fingerprint(open_run_folder(run).identity())
    for step in STEPS:
        edit(
            run / f"checkpoint-{step}/config.json",
            transformers_version="1",
            _name_or_path="/x",
            torch_dtype="float16",
        )
    assert fingerprint(open_run_folder(run).identity()) == first
    edit(run / "checkpoint-300/preprocessor_config.json", image_mean=[0.4])
    second = fingerprint(open_run_folder(run).identity())
    assert second != first
    for step in STEPS:
        edit(run / f"checkpoint-{step}/config.json", layer_norm_eps=1e-3)
    assert fingerprint(open_run_folder(run).identity()) not in (first, second)


def test_identity_of_a_text_run_follows_the_tokenizer(text_run, tmp_path):
    run = Path(shutil.copytree(text_run, tmp_path / "run"))
    first = fingerprint(open_run_folder(run).identity())
    edit(run / "checkpoint-300/tokenizer_config.json", model_max_length=8)
    assert fingerprint(open_run_folder(run).identity()) != first


def test_a_pattern_chooses_checkpoints_without_changing_their_weights(image_run):
    every = open_run_folder(image_run).checkpoints
    assert open_run_folder(image_run, checkpoints="checkpoint-[13]00").checkpoints == (every[0], every[2])
    with pytest.raises(
        InputError, match=r"No checkpoint fits 'x\*'\. There are checkpoint-100, checkpoint-200"
    ):
        open_run_folder(image_run, checkpoints="x*")


def test_given_rates_replace_the_logged_ones(image_run):
    given = open_run_folder(image_run, learning_rates=[0.3, 0.2, 0.1]).checkpoints
    assert [(checkpoint.learning_rate, checkpoint.provenance) for checkpoint in given] == [
        (0.3, "given by the user"), (0.2, "given by the user"), (0.1, "given by the user"),
    ]  # fmt: skip
    with pytest.raises(InputError, match="2 learning rates were given for 3"):
        open_run_folder(image_run, learning_rates=[0.3, 0.2])


def test_settings_beside_the_checkpoints_serve_all_of_them(run):
    for name in ("config.json", "preprocessor_config.json"):
        shutil.copy(run / "checkpoint-300" / name, run / name)
        for step in STEPS:
            (run / f"checkpoint-{step}" / name).unlink()
    assert open_run_folder(run).collate(DIGITS)["pixel_values"].shape == (3, 1, 28, 28)


def test_inspection_builds_and_loads_everything(run):
    found = inspect_run(run)
    assert json.loads(json.dumps(found)) == found
    assert found["architecture"] == "ViTForImageClassification" and found["classes"] == ["cat", "dog", "owl"]
    assert found["parameters"] == sum(p.numel() for p in open_run_folder(run).build().parameters())
    assert [entry["step"] for entry in found["checkpoints"]] == list(STEPS)
    assert [entry["file"] for entry in found["files"]] == [
        f"checkpoint-{step}/model.safetensors" for step in STEPS
    ]
    assert found["problems"] == []
    weights = load_file(run / "checkpoint-200/model.safetensors")
    weights["classifier.bias"][0] = float("nan")
    save_file(weights, run / "checkpoint-200/model.safetensors")
    (problem,) = inspect_run(run)["problems"]
    assert problem["where"] == "checkpoint-200" and "classifier.bias" in problem["message"]
