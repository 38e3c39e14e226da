"""Checkpoints of other trainers: files with the keys that they write, beside a config.json or code."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tests.models.conftest import vit, vit_inputs, write_run
from tracin_viz.errors import InputError
from tracin_viz.models.bundle import inspect_run, open_run_folder

CODE = """
import torch
TASK = "tabular"
CLASSES = ["a", "b"]
def build_model():
    return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
"""


def network(seed: int = 0) -> torch.nn.Module:
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))


def trained(
    epochs: int, *, schedule: Any
) -> list[tuple[dict[str, Any], dict[str, Any], dict[str, Any], float]]:
    """State dicts of network, optimizer and schedule after each epoch of one step, and the rate used."""
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.4, momentum=0.9)
    plan = schedule(optimizer)
    found = []
    for _ in range(epochs):
        used = optimizer.param_groups[0]["lr"]
        optimizer.zero_grad()
        model(torch.ones(2, 3)).square().sum().backward()
        optimizer.step()
        stored = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        before = optimizer.state_dict()
        plan.step()
        found.append((stored, before, optimizer.state_dict() | {"schedule": plan.state_dict()}, used))
    return found


def steps(optimizer: torch.optim.Optimizer) -> Any:
    return torch.optim.lr_scheduler.StepLR(optimizer, 2, gamma=0.1)


def write(folder: Path, writer: str) -> list[float]:
    """Four checkpoints as ``writer`` lays them out; returns the rates that were used."""
    (folder / "model.py").write_text(CODE)
    used = []
    for epoch, (weights, before, after, rate) in enumerate(trained(4, schedule=steps)):
        used.append(rate)
        arguments = argparse.Namespace(lr=0.4, output=Path("out"), best=np.float64(0.5))
        averaged = {f"module.{name}": tensor + 1 for name, tensor in weights.items()}
        schedule = after.pop("schedule")
        if writer == "torchvision":
            content = {
                "model": weights, "optimizer": after, "lr_scheduler": schedule, "epoch": epoch,
                "args": arguments,
                "model_ema": averaged | {"n_averaged": torch.tensor(1)},
            }  # fmt: skip
            torch.save(content, folder / f"model_{epoch}.pth")
            torch.save(content, folder / "checkpoint.pth")
        elif writer == "timm":
            content = {
                "state_dict": weights, "optimizer": before, "epoch": epoch, "arch": "mlp", "version": 2,
                "args": arguments, "metric": np.float64(0.7), "state_dict_ema": averaged,
            }  # fmt: skip
            torch.save(content, folder / f"checkpoint-{epoch}.pth.tar")
            torch.save(content, folder / "last.pth.tar")
        elif writer == "fastai":
            (folder / "models").mkdir(exist_ok=True)
            options = {"state": list(before["state"].values()), "hypers": [{"lr": rate, "mom": 0.9}]}
            torch.save({"model": weights, "opt": options}, folder / f"models/mlp_{epoch}.pth")
        elif writer == "tutorial":
            content = {
                "epoch": epoch + 1, "model_state_dict": weights, "optimizer_state_dict": after,
                "scheduler_state_dict": schedule, "loss": torch.tensor(1.0),
            }  # fmt: skip
            torch.save(content, folder / f"net-{epoch + 1}.pt")
        elif writer == "compiled and distributed":
            torch.save({f"_orig_mod.module.{n}": t for n, t in weights.items()}, folder / f"w{epoch + 1}.pt")
        else:
            save_file(
                {f"net.{name}": tensor for name, tensor in weights.items()},
                folder / f"{epoch + 1}.safetensors",
            )
    return used


@pytest.mark.parametrize("writer", ["torchvision", "timm", "fastai", "tutorial"])
def test_checkpoints_of_known_layout_have_the_rates_that_were_used(tmp_path, writer):
    used = write(tmp_path, writer)
    found = inspect_run(tmp_path, trust_code=True)
    assert [entry["step"] for entry in found["checkpoints"]] == [1, 2, 3, 4]
    assert [entry["learning_rate"] for entry in found["checkpoints"]] == pytest.approx(used, rel=1e-6)
    bundle = open_run_folder(tmp_path, trust_code=True)
    wanted = [weights for weights, *_ in trained(4, schedule=steps)]
    for checkpoint, weights in zip(bundle.checkpoints, wanted, strict=True):
        found_weights = bundle.read_weights(checkpoint)
        assert all(torch.equal(found_weights[name], tensor) for name, tensor in weights.items())


@pytest.mark.parametrize("writer", ["torchvision", "timm"])
def test_averaged_weights_are_offered_and_taken_when_asked_for(tmp_path, writer):
    write(tmp_path, writer)
    offered = inspect_run(tmp_path, trust_code=True)["weights"]
    assert [entry["ema"] for entry in offered] == [False, True]
    plain = open_run_folder(tmp_path, trust_code=True)
    averaged = open_run_folder(tmp_path, trust_code=True, options={"ema": True})
    name = "0.weight"
    ours, theirs = (bundle.read_weights(bundle.checkpoints[0])[name] for bundle in (plain, averaged))
    assert torch.allclose(ours + 1, theirs)
    assert plain.identity() != averaged.identity()


@pytest.mark.parametrize(
    ("writer", "prefix"), [("compiled and distributed", "module."), ("safetensors", "net.")]
)
def test_prefixes_are_taken_off_where_the_names_fit_then_and_said(tmp_path, writer, prefix):
    write(tmp_path, writer)
    with pytest.raises(InputError, match=r"learning rates are not known.*steps 1, 2, 3, 4"):
        inspect_run(tmp_path, trust_code=True)
    found = inspect_run(tmp_path, trust_code=True, learning_rates=[1, 1, 1, 1])
    assert found["prefix"] == prefix
    with pytest.raises(InputError, match=r"missing: 0\.weight"):
        inspect_run(tmp_path, trust_code=True, learning_rates=[1, 1, 1, 1], options={"prefix": "other."})


def test_checkpoints_of_any_trainer_go_with_a_config(tmp_path):
    import transformers

    for step in (10, 20):
        torch.manual_seed(step)
        weights = transformers.ViTForImageClassification(vit()).state_dict()
        torch.save({"state_dict": {f"module.{k}": v for k, v in weights.items()}}, tmp_path / f"s{step}.pt")
    vit().save_pretrained(tmp_path)
    found = inspect_run(
        tmp_path, learning_rates=[0.1, 0.1], options={"preprocessing": {"size": 28, "mean": 0.5, "std": 0.25}}
    )
    assert found["prefix"] == "module." and "config.json" in found["reason"]
    vit_inputs().save_pretrained(tmp_path)
    form = {"size": 28, "mean": 0.5, "std": 0.25, "channels": "grey"}
    given = open_run_folder(tmp_path, learning_rates=[1, 1], options={"preprocessing": form})
    read = open_run_folder(tmp_path, learning_rates=[1, 1])
    picture = torch.rand(28, 28).mul(255).byte().numpy()
    from PIL import Image

    one, other = (bundle.collate([Image.fromarray(picture)])["pixel_values"] for bundle in (given, read))
    assert torch.equal(one, other)


def test_weights_in_several_files_are_read_as_one(tmp_path):
    import transformers

    torch.manual_seed(0)
    model = transformers.ViTForImageClassification(vit())
    folder = tmp_path / "run/checkpoint-5"
    model.save_pretrained(folder, max_shard_size="4KB")
    vit_inputs().save_pretrained(folder)
    assert (folder / "model.safetensors.index.json").is_file() and len(list(folder.glob("*.safetensors"))) > 1
    bundle = open_run_folder(tmp_path / "run", learning_rates=[0.1])
    weights = bundle.read_weights(bundle.checkpoints[0])
    assert all(torch.equal(weights[name], tensor) for name, tensor in model.state_dict().items())
    before = bundle.weights_key(bundle.checkpoints[0])
    part = sorted(folder.glob("model-*.safetensors"))[0]
    content = bytearray(part.read_bytes())
    content[-1] ^= 1
    part.write_bytes(bytes(content))
    assert bundle.weights_key(bundle.checkpoints[0]) != before
    part.unlink()
    with pytest.raises(InputError, match=r"lists 'model-00001-of-.*which is not there"):
        bundle.read_weights(bundle.checkpoints[0])


@pytest.mark.filterwarnings("ignore::FutureWarning")  # PEFT asks transformers by an old name
def test_an_adapter_is_put_on_its_base_and_only_the_adapter_is_trained(text_run, tmp_path):
    import peft
    import transformers

    base = tmp_path / "base"
    torch.manual_seed(1)
    config = transformers.AutoConfig.from_pretrained(text_run / "checkpoint-100")
    transformers.DistilBertModel(config).save_pretrained(base)
    for step in (3, 6):
        torch.manual_seed(step)
        model = transformers.DistilBertForSequenceClassification.from_pretrained(base, num_labels=3)
        lora = peft.LoraConfig(task_type="SEQ_CLS", r=2, target_modules=["q_lin"], init_lora_weights=False)
        adapted = peft.get_peft_model(model, lora)
        folder = tmp_path / f"run/checkpoint-{step}"
        adapted.save_pretrained(folder)
        for path in (text_run / "checkpoint-100").glob("tokenizer*"):
            (folder / path.name).write_bytes(path.read_bytes())
    found = inspect_run(tmp_path / "run", learning_rates=[0.1, 0.1], architecture=base)
    assert "LoRA adapter of 'base'" in found["reason"] and len(found["classes"]) == 3
    assert found["trainable"] < found["parameters"]
    bundle = open_run_folder(tmp_path / "run", learning_rates=[0.1, 0.1], architecture=base)
    ours = bundle.build()
    weights = [bundle.read_weights(checkpoint) for checkpoint in bundle.checkpoints]
    ours.load_state_dict(weights[1], strict=True)
    inputs = bundle.collate(["turn the light on"])
    with torch.no_grad():
        assert torch.allclose(ours(**inputs).logits, adapted.eval()(**inputs).logits, atol=1e-6)
    frozen = "base_model.model.distilbert.transformer.layer.0.attention.q_lin.base_layer.weight"
    assert weights[0][frozen] is weights[1][frozen]  # one copy for all checkpoints
    with pytest.raises(
        InputError, match=r"base of the adapter.*does not lie in the run folder.*architecture"
    ):
        inspect_run(tmp_path / "run", learning_rates=[0.1, 0.1])


def test_a_single_file_is_a_run_of_one_checkpoint(tmp_path):
    write(tmp_path, "tutorial")
    bundle = open_run_folder(tmp_path / "net-2.pt", trust_code=True, learning_rates=[0.4])
    assert [checkpoint.step for checkpoint in bundle.checkpoints] == [2]


def test_a_run_of_checkpoints_without_a_config_says_what_is_missing(tmp_path):
    run = write_run(
        tmp_path / "run", vit(), kind="ViTForImageClassification", inputs=vit_inputs(), steps=[100]
    )
    (run / "checkpoint-100/config.json").unlink()
    with pytest.raises(InputError, match=r"has a config\.json.*build_model\(\)"):
        open_run_folder(run)
