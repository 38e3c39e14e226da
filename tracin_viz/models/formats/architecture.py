"""From ``config.json`` to a network of transformers, without running code from the folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from tracin_viz.data.dataset import listed
from tracin_viz.data.problems import shown
from tracin_viz.errors import InputError
from tracin_viz.models.json_files import read_json

#: Keys that say who wrote the file, or how fast to compute: they change no result, and some of them would
#: make transformers fetch a kernel or convert the weights.
_VOLATILE = frozenset(
    {
        "transformers_version",
        "_name_or_path",
        "_commit_hash",
        "torch_dtype",
        "dtype",
        "_attn_implementation",
        "attn_implementation",
        "_attn_implementation_internal",
        "_attn_implementation_autoset",
        "experts_implementation",
        "_experts_implementation",
    }
)
_MAX_CLASSES = 100_000
_KINDS = {"image": "ForImageClassification", "text": "ForSequenceClassification"}

#: What a label is, by transformers' name of the problem.
TARGETS = {
    "single_label_classification": "class",
    "multi_label_classification": "multi-label",
    "regression": "number",
}


@dataclass(frozen=True)
class Architecture:
    """A network that transformers knows, with its settings.

    Attributes:
        task: ``"image"`` or ``"text"``.
        classes: Names by output index; none where a number is predicted.
        config: ``config.json`` without what changes no result.
        name: Name of the network's class.
    """

    task: str
    classes: tuple[str, ...]
    config: dict[str, Any]
    name: str

    @property
    def target(self) -> str:
        """What the outputs are, by the problem type in the settings."""
        return TARGETS[self.config.get("problem_type") or "single_label_classification"]

    def network(self) -> Any:
        """The network's class."""
        return _networks(self.task, self.settings())[self.name]

    def settings(self) -> Any:
        """A new settings object of transformers; loading and building write into it."""
        return _settings(self.config)

    def build(self, device: torch.device) -> torch.nn.Module:
        """A new network in eval mode, its weights unset.

        Raises:
            InputError: transformers cannot make it from these settings.
        """
        try:
            # Making a network draws random weights, which the caller's random state must not notice.
            with torch.random.fork_rng(devices=[]), device:
                model = self.network()._from_config(self.settings())
        except InputError:
            raise
        except Exception as error:  # each architecture checks its own settings in its own way
            raise _unusable(error) from error
        if not isinstance(model, torch.nn.Module):
            raise _unusable(TypeError("no network came out"))
        return model.eval().requires_grad_(True)

    def check_same(self, folder: Path) -> None:
        """Refuse a checkpoint whose own ``config.json`` describes another network."""
        if not (folder / "config.json").is_file():
            return
        other = _cleaned(read_json(folder / "config.json"))
        differing = sorted(key for key in {*other, *self.config} if other.get(key) != self.config.get(key))
        if differing:
            raise InputError(
                f"config.json of '{folder.name}' differs from that of the newest checkpoint in "
                f"{listed(differing)}.",
                remedy="Put the checkpoints of each training in a folder of their own, or choose some with "
                "--checkpoints.",
            )


def read_architecture(
    folders: Sequence[Path], *, has_tokenizer: bool, outputs: int | None = None
) -> Architecture:
    """The architecture that the first ``config.json`` in ``folders`` describes.

    Args:
        folders: Where it is looked for.
        has_tokenizer: Whether the model comes with one: some types of network solve two tasks.
        outputs: Number of classes where an adapter brings the head, and the settings are of the base alone.

    Raises:
        InputError: There is none, it needs code, is not a classifier, or is not known to transformers.
    """
    path = next((folder / "config.json" for folder in folders if (folder / "config.json").is_file()), None)
    if path is None:
        raise InputError(
            f"Neither '{folders[0].name}' nor the run folder has a config.json.",
            remedy="It names the architecture: save it there with model.config.save_pretrained(…).",
        )
    config = _cleaned(read_json(path))
    if outputs is not None:
        config = _with_head(config, outputs)
    _check(config)
    settings = _settings(config)
    task = _task(config, settings, has_tokenizer=has_tokenizer)
    networks = _networks(task, settings)
    named = [name for name in _architectures(config) if name in networks]
    if not named and _architectures(config):
        raise _no_classifier(config)
    name = named[0] if named else next(iter(networks))
    if config.get("problem_type") == "regression":
        return Architecture(task, (), config, name)
    return Architecture(task, _classes(settings), config, name)


def _with_head(config: dict[str, Any], outputs: int) -> dict[str, Any]:
    """The settings of a base as those of a classifier with that many outputs."""
    made = {key: value for key, value in config.items() if key != "architectures"}
    if len(made.get("id2label") or ()) != outputs:
        made = {key: value for key, value in made.items() if key not in ("id2label", "label2id")}
        made["num_labels"] = outputs
    return made


def _cleaned(value: Any) -> Any:
    """``value`` without volatile keys, also inside nested settings."""
    if isinstance(value, dict):
        return {key: _cleaned(entry) for key, entry in value.items() if key not in _VOLATILE}
    if isinstance(value, list):
        return [_cleaned(entry) for entry in value]
    return value


def _check(config: Mapping[str, Any]) -> None:
    if any(key == "auto_map" for key in _keys(config)):
        raise InputError(
            "config.json asks for Python code of its own (auto_map); no code of a run folder is executed.",
            remedy="Use an architecture that is part of transformers, and remove auto_map if it is one.",
        )
    for key in ("quantization_config", "use_pretrained_backbone"):
        if config.get(key):
            raise InputError(
                f"config.json sets '{key}', which is not supported.",
                remedy="Give checkpoints of the whole network in ordinary numbers.",
            )
    names = config.get("id2label")
    if names is not None and not isinstance(names, dict):
        raise InputError("id2label in config.json is no table of names.", remedy='Write {"0": "cat", …}.')
    count = config.get("num_labels")
    if (isinstance(count, int) and count > _MAX_CLASSES) or len(names or ()) > _MAX_CLASSES:
        raise InputError(f"config.json has more than {_MAX_CLASSES:,} classes.", remedy="Check num_labels.")
    problem = config.get("problem_type")
    if problem is not None and (not isinstance(problem, str) or problem not in TARGETS):
        raise InputError(
            f"config.json sets problem_type to '{shown(problem)}'.", remedy=f"Possible: {', '.join(TARGETS)}."
        )


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, entry in value.items():
            yield key
            yield from _keys(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _keys(entry)


def _settings(config: Mapping[str, Any]) -> Any:
    """The settings object of transformers; nothing is looked up anywhere but in the installed package."""
    from tracin_viz.models.offline import quiet_transformers

    transformers = quiet_transformers()
    kind = config.get("model_type")
    if not isinstance(kind, str) or kind not in transformers.CONFIG_MAPPING:
        raise InputError(
            f"config.json is of model_type '{shown(kind)}', which the installed transformers does not know.",
            remedy="Check model_type in config.json, or install a newer transformers.",
        )
    try:
        return transformers.CONFIG_MAPPING[kind].from_dict(dict(config))
    except Exception as error:  # each architecture checks its own settings in its own way
        raise _unusable(error) from error


def _networks(task: str, settings: Any) -> dict[str, Any]:
    """The networks of transformers that solve ``task`` with these settings, by name."""
    from transformers.models.auto import modeling_auto

    mappings = {
        "image": modeling_auto.MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING,
        "text": modeling_auto.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING,
    }
    if type(settings) not in mappings[task]:
        return {}
    found = mappings[task][type(settings)]
    return {network.__name__: network for network in (found if isinstance(found, tuple) else (found,))}


def _task(config: Mapping[str, Any], settings: Any, *, has_tokenizer: bool) -> str:
    named = _architectures(config)
    possible = [task for task in _KINDS if _networks(task, settings)]
    for task in possible:
        if any(name in _networks(task, settings) for name in named):
            return task
    if not possible:
        raise _no_classifier(config)
    preferred = "text" if has_tokenizer else "image"
    return preferred if preferred in possible else possible[0]


def _architectures(config: Mapping[str, Any]) -> list[str]:
    named = config.get("architectures")
    return [name for name in named if isinstance(name, str)] if isinstance(named, list) else []


def _classes(settings: Any) -> tuple[str, ...]:
    names = dict(settings.id2label)
    if sorted(names) != list(range(len(names))) or len(names) < 2:
        raise InputError(
            f"id2label in config.json has {len(names)} entries that do not number the classes from 0 on.",
            remedy="A classifier needs at least two classes, numbered 0, 1, 2, …",
        )
    classes = tuple(str(names[number]) for number in range(len(names)))
    if len(set(classes)) != len(classes):
        raise InputError(
            "id2label in config.json names two classes the same.", remedy="Give each class its own name."
        )
    return classes


def _no_classifier(config: Mapping[str, Any]) -> InputError:
    what = listed(_architectures(config)) or f"a network of type {shown(config.get('model_type'))}"
    return InputError(
        f"config.json describes {what}, which classifies neither images nor texts.",
        remedy=f"Give a run whose architecture ends in {' or '.join(_KINDS.values())}.",
    )


def _unusable(error: Exception) -> InputError:
    return InputError(
        f"transformers cannot make a network from config.json ({shown(error, limit=160)}).",
        remedy="Check config.json against the one that the training wrote.",
    )
