"""Choosing the way in which a run is opened, and saying why (DESIGN §6).

(a) A Hugging Face run folder: ``config.json`` beside weights, or an adapter with its base. (b) A
``config.json`` and the checkpoints of any other trainer. (c) Trusted code: a Python file with
``build_model()`` or an exported program, with checkpoints in any of the formats.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, replace
from pathlib import Path

from tracin_viz.data.dataset import listed
from tracin_viz.data.problems import shown
from tracin_viz.errors import InputError, Problem
from tracin_viz.models.checkpoints import CheckpointFolder, find_checkpoints
from tracin_viz.models.choices import Choices
from tracin_viz.models.formats.adapters import CONFIG, AdapterDesign, open_adapter
from tracin_viz.models.formats.architecture import Architecture, read_architecture
from tracin_viz.models.formats.code import CodeDesign, open_code, open_exported
from tracin_viz.models.formats.design import ConfiguredDesign, Design
from tracin_viz.models.image_choices import image_preprocessing, image_settings
from tracin_viz.models.run_bundle import ByCode, Preparation, Rows
from tracin_viz.models.saved import Saved, find_files, from_files, from_folders
from tracin_viz.models.tokenization import Tokenization, has_tokenizer


@dataclass(frozen=True)
class Found:
    """The checkpoints of a run, before anything is made of them.

    Attributes:
        saved: By step.
        folders: Their ``checkpoint-<step>`` folders, where they have such.
        settings: Where settings are looked for: the newest checkpoint first, then the run folder.
    """

    saved: list[Saved]
    folders: list[CheckpointFolder]
    settings: tuple[Path, ...]


def find(path: Path, choices: Choices, problems: list[Problem]) -> Found:
    """The checkpoints in a run folder, or in the single file ``path``.

    Raises:
        InputError: There are none; the message says what is looked for.
    """
    folders = find_checkpoints(path) if path.is_dir() else []
    if folders:
        saved = from_folders(folders, problems)
        return Found(saved, folders, (folders[-1].folder, path))
    files = [] if path.is_dir() and path.name.startswith("checkpoint-") else find_files(path)
    if not files:
        raise _nothing(path)
    root = path if path.is_dir() else path.parent
    saved = from_files(files, choices.checkpoints, problems)
    return Found(saved, [], tuple(dict.fromkeys((root, files[-1].parent))))


def design_of(path: Path, found: Found, chosen: list[Saved], choices: Choices) -> tuple[Design, str]:
    """The network of a run, and why it is opened this way.

    Raises:
        InputError: No file describes it, or it would need code that is not trusted.
    """
    root = path if path.is_dir() else path.parent
    where = tuple(dict.fromkeys((chosen[-1].file.parent, *found.settings)))
    named = choices.architecture
    if named is not None and not named.exists():
        raise InputError(
            f"There is no file or folder '{shown(named, limit=300)}'.", remedy="Check the architecture."
        )
    if named is not None and named.suffix in (".py", ".pt2"):
        return _from_code(named, where, choices), f"You named {named.name} as the architecture."
    adapters = [
        entry.file.parent for entry in reversed(chosen) if entry.file.name.startswith("adapter_model")
    ]
    if adapters and (adapters[0] / CONFIG).is_file():
        adapter = open_adapter(adapters, base=_folder(named), root=root)
        return adapter, f"The {CONFIG} beside the weights describes a LoRA adapter of '{adapter.base.name}'."
    places = [place for place in ((_folder(named),) if named is not None else where) if place is not None]
    described = next((place for place in places if (place / "config.json").is_file()), None)
    if described is None:
        return _from_code_nearby(root, where, choices)
    architecture = _renamed(read_architecture(places, has_tokenizer=_any_tokenizer(where)), choices)
    for entry in chosen[:-1]:
        if found.folders and named is None:
            architecture.check_same(entry.file.parent)
    kind = "checkpoint-<step> folders" if found.folders else f"files of {chosen[-1].writer}"
    return (
        ConfiguredDesign(architecture),
        f"There are {kind}, and config.json in '{described.name}' names {architecture.name}.",
    )


def preparation_of(design: Design, where: tuple[Path, ...], choices: Choices) -> Preparation:
    """What turns contents into what the network takes.

    Raises:
        InputError: Neither the files nor the user say how.
    """
    if isinstance(design, CodeDesign):
        if design.collate is not None:
            return ByCode(design.collate, design.file)
        if design.task == "tabular":
            return Rows()
    if design.task == "text":
        folder = next((place for place in where if has_tokenizer(place)), None)
        if folder is None:
            raise _without(where[-1], "tokenizer (tokenizer.json)", how="tokenizer.save_pretrained(…)")
        config = design.architecture.config if isinstance(design, ConfiguredDesign | AdapterDesign) else {}
        return Tokenization(folder, config, takes=_takes(design))
    settings = image_settings(where)
    if settings is None and choices.preprocessing is None:
        how = "image_processor.save_pretrained(…), or give size, mean and std"
        raise _without(where[-1], "preprocessor_config.json", how=how)
    channels = None
    if isinstance(design, ConfiguredDesign):
        channels = design.architecture.config.get("num_channels", 3)
    return image_preprocessing(settings, choices.preprocessing, channels=channels)


def _takes(design: Design) -> frozenset[str]:
    if isinstance(design, ConfiguredDesign | AdapterDesign):
        return frozenset(inspect.signature(design.architecture.network().forward).parameters)
    return frozenset(inspect.signature(design.build().forward).parameters)


def _from_code(file: Path, where: tuple[Path, ...], choices: Choices) -> CodeDesign:
    task = None
    if _any_tokenizer(where):
        task = "text"
    elif choices.preprocessing is not None or image_settings(where) is not None:
        task = "image"
    return (open_exported if file.suffix == ".pt2" else open_code)(file, choices, task=task)


def _from_code_nearby(root: Path, where: tuple[Path, ...], choices: Choices) -> tuple[CodeDesign, str]:
    files = [
        path
        for path in sorted([*root.glob("*.py"), *root.glob("*.pt2")])
        if path.suffix == ".pt2" or b"def build_model" in path.read_bytes()
    ]
    if len(files) == 1:
        return _from_code(
            files[0], where, choices
        ), f"There is no config.json, but {files[0].name} builds the network."
    also = f" {listed([file.name for file in files])} could; name one of them." if files else ""
    raise InputError(
        f"'{shown(where[0].name)}' holds weights, but nothing that describes their network: neither "
        f"'{shown(where[0].name)}' nor the run folder has a config.json.{also}",
        remedy="Save it there with model.config.save_pretrained(…), or name the architecture: a config.json, "
        "or a Python file with build_model() (trusted code).",
    )


def _folder(named: Path | None) -> Path | None:
    return named.parent if named is not None and named.is_file() else named


def _any_tokenizer(where: tuple[Path, ...]) -> bool:
    return any(has_tokenizer(place) for place in where)


def _renamed(architecture: Architecture, choices: Choices) -> Architecture:
    """The architecture with the class names that the user gave."""
    if choices.classes is None:
        return architecture
    if len(choices.classes) != len(architecture.classes):
        raise InputError(
            f"{len(choices.classes)} class names were given for {len(architecture.classes)} outputs.",
            remedy="Give one name per output, in the order of the outputs.",
        )
    return replace(architecture, classes=choices.classes)


def _nothing(path: Path) -> InputError:
    single = path.is_dir() and path.name.startswith("checkpoint-")
    if single:
        return InputError(
            f"'{shown(path.name)}' is a single checkpoint.",
            remedy="Give the folder that it lies in; TracIn needs the checkpoints along the training.",
        )
    return InputError(
        f"'{shown(path.name)}' holds no checkpoint-<step> folders and no files of weights.",
        remedy="Give the output folder of a Hugging Face Trainer, a folder with .ckpt, .pt, .pth or "
        ".safetensors files, or record checkpoints with tracin_viz.record.CheckpointRecorder.",
    )


def _without(path: Path, what: str, *, how: str) -> InputError:
    return InputError(
        f"The run folder '{shown(path.name)}' has no {what}, so it is not known what the model takes.",
        remedy=f"Save it there with {how}.",
    )
