"""The run folder of a Hugging Face Trainer: ``checkpoint-<step>/{config.json, model.safetensors, …}``.

No code from the folder is run and nothing is fetched from anywhere: the architecture is one that the
installed transformers knows, built from ``config.json``.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from tracin_viz.config import CheckpointInfo
from tracin_viz.data.dataset import Content
from tracin_viz.data.problems import shown
from tracin_viz.errors import InputError
from tracin_viz.models import learning_rates as rates
from tracin_viz.models.checkpoints import CheckpointFolder, choose, find_checkpoints
from tracin_viz.models.formats.architecture import Architecture, read_architecture
from tracin_viz.models.formats.weights import state_dict_of
from tracin_viz.models.interface import ModelBundle
from tracin_viz.models.json_files import read_json
from tracin_viz.models.preprocessing import ImagePreprocessing
from tracin_viz.models.safe_load import load_state_dict
from tracin_viz.models.tokenization import Tokenization, has_tokenizer


@dataclass(frozen=True)
class HuggingFaceBundle(ModelBundle):
    """A network that transformers knows, with the files of a Trainer.

    Attributes:
        design: The architecture.
        folders: Where settings are looked for: the newest checkpoint, then the run folder.
    """

    design: Architecture
    folders: tuple[Path, ...]

    def build(self) -> torch.nn.Module:
        """The architecture in eval mode on the CPU; the random state of the caller is left alone."""
        return self.design.build(torch.device("cpu"))

    def collate(self, contents: Sequence[Content]) -> dict[str, torch.Tensor]:
        """``pixel_values (n, channels, height, width)``, or ``input_ids`` and masks ``(n, tokens)``."""
        if not contents:
            raise InputError("No examples were given to the model.")
        if isinstance(self._inputs, Tokenization):
            return self._inputs.apply(contents)
        return {"pixel_values": torch.from_numpy(self._inputs.apply(contents))}

    def read_weights(self, checkpoint: CheckpointInfo) -> dict[str, torch.Tensor]:
        """A complete state dict, checked against the architecture name by name and shape by shape."""
        path = Path(checkpoint.path)
        name = f"{path.parent.name}/{path.name}"
        return state_dict_of(self.design, load_state_dict(path), wanted=self._wanted, where=name)

    def identity(self) -> dict[str, object]:
        """Architecture and preprocessing; the same for the same settings on any computer."""
        return {
            "kind": "huggingface",
            "task": self.task,
            "architecture": self.architecture(),
            "config": self.design.config,
            "inputs": self._inputs.as_dict(),
        }

    def architecture(self) -> str:
        """The name of the network's class in transformers."""
        return self.design.name

    @cached_property
    def _wanted(self) -> dict[str, torch.Tensor]:
        """Names, shapes and types of the network's tensors, found without making them."""
        return dict(self.design.build(torch.device("meta")).state_dict())

    @cached_property
    def _inputs(self) -> ImagePreprocessing | Tokenization:
        if self.task == "text":
            folder = next((folder for folder in self.folders if has_tokenizer(folder)), None)
            if folder is None:
                raise _without(self.path, "tokenizer (tokenizer.json)", how="tokenizer.save_pretrained(…)")
            takes = frozenset(inspect.signature(self.design.network().forward).parameters)
            return Tokenization(folder, self.design.config, takes=takes)
        settings = _preprocessor(self.folders)
        if settings is None:
            raise _without(self.path, "preprocessor_config.json", how="image_processor.save_pretrained(…)")
        channels = self.design.config.get("num_channels", 3)
        return ImagePreprocessing.from_config(settings, channels=channels)

    def check_inputs(self) -> None:
        """Raise what ``collate`` would raise for any content."""
        _ = self._inputs


def open_huggingface(
    path: Path, *, pattern: str | None, learning_rates: Sequence[float] | None
) -> HuggingFaceBundle:
    """See ``bundle.open_run_folder``, which is the way in."""
    found = find_checkpoints(path)
    chosen = choose(found, pattern)
    folders = (chosen[-1].folder, path)
    design = read_architecture(folders, has_tokenizer=any(map(has_tokenizer, folders)))
    for other in chosen[:-1]:
        design.check_same(other.folder)
    checkpoints = _checkpoints(found, chosen, given=learning_rates)
    bundle = HuggingFaceBundle(design.task, design.classes, checkpoints, path, design, folders)
    bundle.check_inputs()
    return bundle


def _checkpoints(
    found: Sequence[CheckpointFolder],
    chosen: Sequence[CheckpointFolder],
    *,
    given: Sequence[float] | None,
) -> tuple[CheckpointInfo, ...]:
    log, source = _log(found)
    steps = [checkpoint.step for checkpoint in chosen]
    if given is not None:
        weights = dict(zip(steps, rates.from_user(steps, given), strict=True))
    elif source is None:
        raise InputError(
            "No checkpoint has a trainer_state.json, so the learning rates are not known.",
            remedy=rates.how_to_pass(steps),
        )
    else:
        logged = rates.from_log([checkpoint.step for checkpoint in found], log, chosen=steps, source=source)
        weights = dict(zip(steps, logged, strict=True))
    before = {later.step: earlier.step for earlier, later in itertools.pairwise(found)}
    return tuple(
        CheckpointInfo(
            step=checkpoint.step,
            path=str(checkpoint.weights().resolve()),
            learning_rate=weights[checkpoint.step].value,
            provenance=weights[checkpoint.step].provenance,
            epoch=rates.epoch(log, step=checkpoint.step),
            train_loss=rates.train_loss(log, before=before.get(checkpoint.step, 0), step=checkpoint.step),
        )
        for checkpoint in chosen
    )


def _log(found: Sequence[CheckpointFolder]) -> tuple[list[dict[str, Any]], str | None]:
    """The log of the newest checkpoint that has one: it holds the whole run up to there."""
    for checkpoint in reversed(found):
        path = checkpoint.folder / "trainer_state.json"
        if path.is_file():
            log = read_json(path).get("log_history")
            entries = log if isinstance(log, list) else []
            return [entry for entry in entries if isinstance(entry, dict)], f"{path.parent.name}/{path.name}"
    return [], None


def _preprocessor(folders: Sequence[Path]) -> dict[str, Any] | None:
    for folder in folders:
        if (folder / "preprocessor_config.json").is_file():
            return read_json(folder / "preprocessor_config.json")
        if (folder / "processor_config.json").is_file():
            inner = read_json(folder / "processor_config.json").get("image_processor")
            if isinstance(inner, dict):
                return inner
    return None


def _without(path: Path, what: str, *, how: str) -> InputError:
    return InputError(
        f"The run folder '{shown(path.name)}' has no {what}, so it is not known what the model takes.",
        remedy=f"Save it there with {how}.",
    )
