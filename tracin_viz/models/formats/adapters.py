"""Adapters of PEFT (LoRA): a small file of trained parameters and a frozen base beside it."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from tracin_viz.data.dataset import listed
from tracin_viz.data.problems import shown
from tracin_viz.errors import InputError
from tracin_viz.fingerprint import fingerprint
from tracin_viz.models.formats.architecture import read_architecture
from tracin_viz.models.formats.design import OfArchitecture
from tracin_viz.models.formats.shards import weights_in
from tracin_viz.models.json_files import read_json

CONFIG = "adapter_config.json"
FILES = ("adapter_model.safetensors", "adapter_model.bin")
#: The settings that are read; others (some of them name modules to import) are not.
_SETTINGS = (
    "r", "lora_alpha", "lora_dropout", "target_modules", "modules_to_save", "bias", "use_rslora", "use_dora",
    "fan_in_fan_out", "rank_pattern", "alpha_pattern", "layers_to_transform", "layers_pattern",
    "exclude_modules",
)  # fmt: skip
_HEADS = (".classifier.out_proj.weight", ".classifier.weight", ".score.weight")


@dataclass(frozen=True)
class AdapterDesign(OfArchitecture):
    """A network of transformers whose base is frozen and whose adapter was trained.

    Attributes:
        architecture: The base network.
        base: The folder of its weights.
        settings: The adapter's, those that are read.
    """

    base: Path
    settings: dict[str, Any]

    @property
    def target(self) -> str:
        """One class per example."""
        return "class"

    @property
    def name(self) -> str:
        """Name of the base's class."""
        return f"{self.architecture.name} with a LoRA adapter"

    def build(self) -> torch.nn.Module:
        """The base with an adapter, both unset; only what PEFT trains has ``requires_grad``."""
        peft = _peft()
        try:
            with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)  # PEFT asks transformers by an old name
                base = self.architecture.build(torch.device("cpu"))
                model = peft.get_peft_model(base, peft.LoraConfig(**self.settings, inference_mode=False))
        except InputError:
            raise
        except Exception as error:  # PEFT checks its settings in many places, each in its own way
            raise InputError(
                f"PEFT cannot put the adapter of {CONFIG} on {self.architecture.name} "
                f"({shown(error, limit=160)}).",
                remedy="Give the base model that the adapter was trained on.",
            ) from error
        return model.eval()  # type: ignore[no-any-return]

    def names(self) -> Iterable[str]:
        """Names in the adapter's file; prefixes are never taken off them."""
        return ()

    def fitted(self, weights: Mapping[str, torch.Tensor], *, where: str) -> dict[str, torch.Tensor]:
        """The base's weights with the adapter's, as a complete state dict."""
        model = self._filled
        try:
            report = _peft().set_peft_model_state_dict(model, dict(weights))
        except RuntimeError as error:  # torch names keys and shapes in it
            raise _another(where, shown(error, limit=300)) from error
        trained = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
        missing = sorted(trained & set(report.missing_keys))
        if report.unexpected_keys or missing:
            keys = [*missing, *report.unexpected_keys]
            raise _another(where, f"{listed(keys, limit=4)} fit no part of it")
        frozen = self._frozen
        return {
            name: frozen[name] if name in frozen else tensor.clone()
            for name, tensor in model.state_dict().items()
        }

    def identity(self) -> dict[str, object]:
        """The base's settings and weights, and the adapter's settings."""
        return {
            "kind": "adapter",
            "architecture": self.name,
            "config": self.architecture.config,
            "adapter": self.settings,
            "base": fingerprint(sorted(_digests(self.base).items())),
        }

    @cached_property
    def _filled(self) -> torch.nn.Module:
        """The network with the weights of its base; a head that the base lacks stays unset."""
        model = self.build()
        target = model.get_base_model()  # type: ignore[operator]
        held = weights_in(self.base)
        own = target.state_dict()
        plain = {name: _plain(name) for name in own}
        found = self._base_weights(held, set(plain.values()))
        fits = {
            name: found[p] for name, p in plain.items() if p in found and found[p].shape == own[name].shape
        }
        lacking = [name for name in own if name not in fits and "lora_" not in name]
        trained = {name for name, parameter in target.named_parameters() if parameter.requires_grad}
        lacking = [n for n in lacking if n not in trained and "original_module" not in n]
        if lacking:
            raise _another(self.base.name, f"missing: {listed(lacking, limit=4)}")
        with torch.no_grad():
            target.load_state_dict(fits, strict=False)
        return model

    def _base_weights(self, held: Mapping[str, torch.Tensor], names: set[str]) -> Mapping[str, torch.Tensor]:
        """The base's tensors by the network's names; a headless base has them without its prefix."""
        if names & set(held):
            return held
        prefix = self.architecture.network().base_model_prefix + "."
        return {prefix + name: tensor for name, tensor in held.items()}

    @cached_property
    def _frozen(self) -> dict[str, torch.Tensor]:
        """One copy of the frozen tensors, which all checkpoints share."""
        model = self._filled
        trained = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
        return {name: tensor for name, tensor in model.state_dict().items() if name not in trained}


def open_adapter(folders: list[Path], *, base: Path | None, root: Path) -> AdapterDesign:
    """The network of the adapter in the newest of ``folders``.

    Args:
        folders: Checkpoint folders with ``adapter_config.json``, the newest first.
        base: The folder of the base, where the user named it.
        root: The run folder.

    Raises:
        InputError: The kind of adapter is not known, or its base is not on this computer.
    """
    config = read_json(folders[0] / CONFIG)
    if config.get("peft_type") != "LORA":
        raise InputError(
            f"{CONFIG} describes an adapter of type '{shown(config.get('peft_type'))}'.",
            remedy="LoRA adapters can be opened; merge others into their base (merge_and_unload()).",
        )
    place = _base_folder(config, base, root)
    weights = weights_in(folders[0])
    head = next((t for name, t in weights.items() if name.endswith(_HEADS)), None)
    outputs = None if head is None else int(head.shape[0])
    architecture = read_architecture([place], has_tokenizer=True, outputs=outputs)
    settings = {key: config[key] for key in _SETTINGS if config.get(key) is not None}
    return AdapterDesign(architecture, place, settings | {"task_type": config.get("task_type")})


def _base_folder(config: Mapping[str, Any], base: Path | None, root: Path) -> Path:
    named = config.get("base_model_name_or_path")
    # A path in a file of the run is followed inside the run folder only: uploaded files are hostile.
    inside = root / named if isinstance(named, str) and named else root
    places = [base, root / "base", inside if inside.resolve().is_relative_to(root.resolve()) else None, root]
    for place in places:
        if place is not None and (place / "config.json").is_file():
            return place
    raise InputError(
        f"The base of the adapter, '{shown(named)}', does not lie in the run folder.",
        remedy="Give the folder with its config.json and weights as the architecture, or put it into the run "
        "folder as 'base'.",
    )


def _digests(folder: Path) -> dict[str, str]:
    from tracin_viz.fingerprint import fingerprint_file

    return {
        path.name: fingerprint_file(path)
        for path in sorted(folder.iterdir())
        if path.is_file() and path.suffix in (".safetensors", ".bin") and "adapter" not in path.name
    }


def _plain(name: str) -> str:
    """A name as it was before PEFT put its layers around the base's."""
    for part in ("base_layer.", "modules_to_save.default.", "original_module."):
        name = name.replace(part, "")
    return name


def _another(where: str, why: str) -> InputError:
    return InputError(
        f"'{shown(where)}' does not fit the adapter and its base: {why}.",
        remedy="Give the base model that the adapter was trained on.",
    )


def _peft() -> Any:
    try:
        import peft
    except ImportError as error:
        raise InputError(
            "Opening an adapter needs the package peft.", remedy="Install it with: pip install peft"
        ) from error
    return peft
