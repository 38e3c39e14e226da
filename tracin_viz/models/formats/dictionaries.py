"""What the trainers write into one file: which entry is the weights, the rates, the place in training.

Key names as of Lightning 2.6, the torchvision reference scripts, timm 1.0 and fastai 2.8. Each stores the
learning rate at another moment: timm and fastai the one just used, the others the *next* one, which says
nothing about the steps behind the checkpoint unless their schedule is played again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from tracin_viz.data.dataset import listed
from tracin_viz.data.problems import shown
from tracin_viz.errors import InputError
from tracin_viz.models.safe_load import is_state_dict

_WEIGHTS = ("state_dict", "model_state_dict", "model", "net", "network", "weights", "params", "module")
_AVERAGED = ("state_dict_ema", "model_ema", "ema_state_dict", "model_ema_state_dict", "ema")
_OPTIMIZERS = ("optimizer", "optimizer_state_dict", "optim", "opt")
_SCHEDULES = ("lr_scheduler", "scheduler", "lr_scheduler_state_dict", "scheduler_state_dict")


@dataclass(frozen=True)
class Held:
    """One checkpoint file, sorted.

    Attributes:
        writer: Who writes such files, in plain words.
        weights: The network's tensors.
        key: The entry they stand in; "" where the file is nothing else.
        averaged: Averaged weights (EMA), where the file has them.
        averaged_key: The entry those stand in.
        step: Optimizer steps taken, where the file says so.
        epoch: Passes over the data finished, where the file says so.
        groups: The optimizer's parameter groups: its settings, without the parameters.
        moments: Names of what the optimizer keeps per parameter.
        schedules: State dicts of learning-rate schedules.
        rate_is: ``"used"`` = the stored rate is that of the steps before, ``"next"`` = of those to come.
    """

    writer: str
    weights: Mapping[str, torch.Tensor]
    key: str = ""
    averaged: Mapping[str, torch.Tensor] | None = None
    averaged_key: str = ""
    step: int | None = None
    epoch: float | None = None
    groups: tuple[Mapping[str, Any], ...] = ()
    moments: tuple[str, ...] = ()
    schedules: tuple[Mapping[str, Any], ...] = field(default=())
    rate_is: str = "next"


def sorted_out(content: object, path: Path) -> Held:
    """What the dictionary in a checkpoint file means.

    Raises:
        InputError: No entry of it is a table of weights.
    """
    if is_state_dict(content):
        return Held("a plain state dict", content)  # type: ignore[arg-type]
    name = f"{path.parent.name}/{path.name}"
    if not isinstance(content, Mapping):
        raise _no_weights(name, f"it holds a {type(content).__name__}")
    key = next((key for key in _WEIGHTS if is_state_dict(content.get(key))), None)
    if key is None:
        entries = [str(entry) for entry in content]
        raise _no_weights(name, f"its entries are {listed(entries)}" if entries else "it is empty")
    averaged_key = next((key for key in _AVERAGED if is_state_dict(content.get(key))), "")
    writer, rate_is = _writer(content)
    optimizer = _optimizer(content)
    return Held(
        writer=writer,
        weights=content[key],
        key=key,
        averaged=content[averaged_key] if averaged_key else None,
        averaged_key=averaged_key,
        step=_count(content, "global_step", "step", "iteration", "num_updates"),
        epoch=_epochs(content, writer),
        groups=groups_of(optimizer),
        moments=moments_of(optimizer),
        schedules=_schedules(content),
        rate_is=rate_is,
    )


def _writer(content: Mapping[str, Any]) -> tuple[str, str]:
    """Who wrote it, and which rate its optimizer then holds."""
    if "pytorch-lightning_version" in content or {"state_dict", "global_step", "loops"} <= set(content):
        return "Lightning", "next"
    if "model" in content and isinstance(content.get("opt"), Mapping) and "hypers" in content["opt"]:
        return "fastai", "used"
    if "state_dict" in content and {"arch", "version"} & set(content):
        return "timm", "used"
    if {"model", "optimizer", "lr_scheduler"} <= set(content):
        return "a torchvision reference script", "next"
    return "a training script", "next"


def _epochs(content: Mapping[str, Any], writer: str) -> float | None:
    number = content.get("epoch")
    if isinstance(number, bool) or not isinstance(number, int | float):
        return None
    if writer == "Lightning":  # counts from 0; a checkpoint inside an epoch has not finished it
        progress: Any = content
        for key in ("loops", "fit_loop", "epoch_loop.batch_progress"):
            progress = progress.get(key) if isinstance(progress, Mapping) else None
        inside = isinstance(progress, Mapping) and progress.get("is_last_batch") is False
        return float(number) if inside else float(number + 1)
    # timm and torchvision count from 0 and save at the end of an epoch.
    return float(number + 1) if writer != "a training script" else float(number)


def _optimizer(content: Mapping[str, Any]) -> Mapping[str, Any]:
    states = content.get("optimizer_states")
    if isinstance(states, list) and states and isinstance(states[0], Mapping):
        return states[0]
    key = next((key for key in _OPTIMIZERS if isinstance(content.get(key), Mapping)), None)
    found: Mapping[str, Any] = {} if key is None else content[key]
    return found


def groups_of(optimizer: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """Settings by parameter group of an optimizer's state; fastai calls them ``hypers``."""
    groups = optimizer.get("param_groups", optimizer.get("hypers"))
    if not isinstance(groups, list):
        return ()
    return tuple(
        {key: value for key, value in group.items() if key != "params"}
        for group in groups
        if isinstance(group, Mapping)
    )


def moments_of(optimizer: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of what an optimizer keeps for each parameter."""
    state = optimizer.get("state")
    entries = list(state.values()) if isinstance(state, Mapping) else state if isinstance(state, list) else []
    first = next((entry for entry in entries if isinstance(entry, Mapping) and entry), {})
    return tuple(str(key) for key in first)


def _schedules(content: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    found = content.get("lr_schedulers")
    if not isinstance(found, list):
        found = [content[key] for key in _SCHEDULES if isinstance(content.get(key), Mapping)]
    return tuple(entry for entry in found if isinstance(entry, Mapping))


def _count(content: Mapping[str, Any], *keys: str) -> int | None:
    for key in keys:
        value = content.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
    return None


def _no_weights(name: str, why: str) -> InputError:
    return InputError(
        f"'{shown(name)}' holds no weights of a network: {why}.",
        remedy=f"Weights are looked for in the file itself and in its entries {', '.join(_WEIGHTS)}.",
    )
