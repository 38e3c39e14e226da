"""The same weights and rates in every form that trainers leave them, by their own writers where possible.

A form is a function (folder, network, states) that leaves a run in ``folder``.
"""

from __future__ import annotations

import argparse
import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from tests.matrix.networks import RATE, STEPS, Network

Form = Callable[[Path, Network], dict[str, Any]]


def _described(folder: Path, network: Network) -> dict[str, Any]:
    """What tells the network, beside weights; the arguments that are needed then."""
    folder.mkdir(parents=True, exist_ok=True)
    if network.code:
        (folder / "model.py").write_text(network.code)
        return {"trust_code": True}
    network.model.config.save_pretrained(folder)  # type: ignore[operator, union-attr]
    network.inputs.save_pretrained(folder)
    return {}


def trainer(folder: Path, network: Network) -> dict[str, Any]:
    history = [{"step": step, "learning_rate": RATE, "loss": 1.0} for step in range(1, max(STEPS) + 1)]
    for step, state in zip(STEPS, network.states, strict=True):
        place = folder / f"checkpoint-{step}"
        _described(place, network)
        save_file(state, place / "model.safetensors", metadata={"format": "pt"})
        (place / "trainer_state.json").write_text(json.dumps({"global_step": step, "log_history": history}))
    return {}


def sharded(folder: Path, network: Network) -> dict[str, Any]:
    trainer(folder, network)
    for step, state in zip(STEPS, network.states, strict=True):
        place = folder / f"checkpoint-{step}"
        (place / "model.safetensors").unlink()
        network.model.load_state_dict(state)
        network.model.save_pretrained(place, max_shard_size="2KB")  # type: ignore[operator]
        assert (place / "model.safetensors.index.json").is_file()
    return {}


def pytorch_bin(folder: Path, network: Network) -> dict[str, Any]:
    trainer(folder, network)
    for step, state in zip(STEPS, network.states, strict=True):
        place = folder / f"checkpoint-{step}"
        (place / "model.safetensors").unlink()
        torch.save(state, place / "pytorch_model.bin")
    return {}


def lightning(folder: Path, network: Network) -> dict[str, Any]:
    arguments = _described(folder, network)
    for epoch, (step, state) in enumerate(zip(STEPS, network.states, strict=True)):
        content = {
            "epoch": epoch,
            "global_step": step,
            "pytorch-lightning_version": "2.6.6",
            "state_dict": {f"model.{name}": tensor for name, tensor in state.items()},
            "optimizer_states": [_optimizer(network.model)],
            "lr_schedulers": [],
            "hyper_parameters": {"rate": RATE, "where": Path("data")},
        }
        torch.save(content, folder / f"epoch={epoch}-step={step}.ckpt")
    return arguments


def adapter(folder: Path, network: Network) -> dict[str, Any]:
    """Checkpoints of the adapter alone, as the Trainer leaves them, and their base in a folder beside."""
    base = copy.deepcopy(network.model).unload()  # type: ignore[operator]
    base.save_pretrained(folder / "base")
    network.inputs.save_pretrained(folder / "base")
    history = [{"step": step, "learning_rate": RATE, "loss": 1.0} for step in range(1, max(STEPS) + 1)]
    for step, state in zip(STEPS, network.states, strict=True):
        place = folder / "run" / f"checkpoint-{step}"
        network.model.load_state_dict(state)
        network.model.save_pretrained(place)  # type: ignore[operator]
        network.inputs.save_pretrained(place)
        (place / "trainer_state.json").write_text(json.dumps({"global_step": step, "log_history": history}))
        assert (place / "adapter_config.json").is_file()
    return {"architecture": folder / "base"}


def torchvision(folder: Path, network: Network) -> dict[str, Any]:
    arguments = _described(folder, network)
    for epoch, state in enumerate(network.states):
        content = {
            "model": state,
            "optimizer": _optimizer(network.model),
            "epoch": epoch,
            "args": argparse.Namespace(lr=RATE, output=Path("out")),
        }
        torch.save(content, folder / f"model_{epoch}.pth")
    return arguments


def timm(folder: Path, network: Network) -> dict[str, Any]:
    arguments = _described(folder, network)
    for epoch, state in enumerate(network.states):
        averaged = {name: tensor + 1 for name, tensor in state.items()}
        content = {
            "state_dict": state, "state_dict_ema": averaged, "optimizer": _optimizer(network.model),
            "epoch": epoch, "arch": "tiny", "version": 2, "args": argparse.Namespace(lr=RATE),
        }  # fmt: skip
        torch.save(content, folder / f"checkpoint-{epoch}.pth.tar")
    return arguments


def fastai(folder: Path, network: Network) -> dict[str, Any]:
    arguments = _described(folder, network)
    (folder / "models").mkdir()
    for epoch, state in enumerate(network.states):
        options = {"state": [], "hypers": [{"lr": RATE, "mom": 0.9}]}
        torch.save({"model": state, "opt": options}, folder / f"models/tiny_{epoch}.pth")
    return arguments


def plain(folder: Path, network: Network) -> dict[str, Any]:
    arguments = _described(folder, network)
    for step, state in zip(STEPS, network.states, strict=True):
        wrapped = {f"_orig_mod.module.{name}": tensor for name, tensor in state.items()}
        torch.save(wrapped, folder / f"net-{step}.pt")
    return {**arguments, "learning_rates": [RATE] * 3}


def safetensors(folder: Path, network: Network) -> dict[str, Any]:
    arguments = _described(folder, network)
    for step, state in zip(STEPS, network.states, strict=True):
        save_file(state, folder / f"net-{step}.safetensors")
    return {**arguments, "learning_rates": [RATE] * 3}


def _optimizer(model: torch.nn.Module) -> dict[str, Any]:
    return torch.optim.SGD(model.parameters(), lr=RATE).state_dict()


#: For networks of transformers; the last five also for trusted code.
CONFIGURED: dict[str, Form] = {
    "Trainer": trainer,
    "Trainer, sharded": sharded,
    "Trainer, pytorch_model.bin": pytorch_bin,
    "Lightning": lightning,
    "torchvision": torchvision,
    "timm": timm,
    "fastai": fastai,
    "state dicts": plain,
    "safetensors": safetensors,
}
ADAPTED: dict[str, Form] = {"PEFT adapter": adapter}
CODE: dict[str, Form] = {
    name: CONFIGURED[name]
    for name in ("Lightning", "torchvision", "timm", "fastai", "state dicts", "safetensors")
}
