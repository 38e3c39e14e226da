"""What a network is, wherever it is described: the part of a model that is no weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import torch

from tracin_viz.data.problems import shown
from tracin_viz.errors import InputError
from tracin_viz.models.formats.architecture import Architecture
from tracin_viz.models.formats.weights import state_dict_of

_NAMED = 4
#: Counters of BatchNorm: files of old versions lack them, and they change no output.
_COUNTER = "num_batches_tracked"


class Design(Protocol):
    """A network that can be built, and what it takes and gives.

    Attributes:
        task: ``"image"``, ``"text"`` or ``"tabular"``.
        classes: Names by output index; empty where the outputs are numbers.
        target: ``"class"``, ``"multi-label"`` or ``"number"``.
        name: Name of the network's class, for people.
    """

    @property
    def task(self) -> str: ...  # noqa: D102 - the class says it

    @property
    def classes(self) -> tuple[str, ...]: ...  # noqa: D102

    @property
    def target(self) -> str: ...  # noqa: D102

    @property
    def name(self) -> str: ...  # noqa: D102

    def build(self) -> torch.nn.Module:
        """A new network in eval mode on the CPU, its weights unset."""

    def names(self) -> Iterable[str]:
        """Names of the network's tensors."""

    def fitted(self, weights: Mapping[str, torch.Tensor], *, where: str) -> dict[str, torch.Tensor]:
        """``weights`` as a complete state dict of the network.

        Raises:
            InputError: They are of another network; the first keys and shapes that differ are named.
        """

    def identity(self) -> dict[str, object]:
        """All that decides what the network computes, but no weights; JSON-able."""


@dataclass(frozen=True)
class OfArchitecture:
    """What a ``config.json`` says of a network, whatever is built from it.

    Attributes:
        architecture: What transformers builds.
    """

    architecture: Architecture

    @property
    def task(self) -> str:
        """``"image"`` or ``"text"``."""
        return self.architecture.task

    @property
    def classes(self) -> tuple[str, ...]:
        """Names by output index."""
        return self.architecture.classes


@dataclass(frozen=True)
class ConfiguredDesign(OfArchitecture):
    """A network that transformers builds from a ``config.json``."""

    @property
    def target(self) -> str:
        """What the outputs are."""
        return self.architecture.target

    @property
    def name(self) -> str:
        """Name of the network's class in transformers."""
        return self.architecture.name

    def build(self) -> torch.nn.Module:
        """A new network in eval mode on the CPU; the random state of the caller is left alone."""
        return self.architecture.build(torch.device("cpu"))

    def names(self) -> Iterable[str]:
        """Names of the network's tensors."""
        return self._wanted

    def fitted(self, weights: Mapping[str, torch.Tensor], *, where: str) -> dict[str, torch.Tensor]:
        """A complete state dict; transformers' own conversions of old names are applied."""
        return state_dict_of(self.architecture, weights, wanted=self._wanted, where=where)

    def identity(self) -> dict[str, object]:
        """The settings."""
        return {"kind": "huggingface", "architecture": self.name, "config": self.architecture.config}

    @cached_property
    def _wanted(self) -> dict[str, torch.Tensor]:
        """Names, shapes and types of the network's tensors, found without making them."""
        return dict(self.architecture.build(torch.device("meta")).state_dict())


def fitted_exactly(
    network: torch.nn.Module, weights: Mapping[str, torch.Tensor], *, where: str, described: str
) -> dict[str, torch.Tensor]:
    """``weights`` as a state dict of ``network``: every name and shape must fit.

    Args:
        network: The network, built; its own weights do not matter.
        weights: What the file holds. A tensor that the network shares may stand under any of its names.
        where: The file's name, for messages.
        described: The file that describes the network, for messages.

    Raises:
        InputError: With the names that are missing, too many, or of another shape.
    """
    own = network.state_dict()
    places = {(tensor.data_ptr(), tensor.shape): name for name, tensor in own.items() if name in weights}
    shared = {
        name: places[tensor.data_ptr(), tensor.shape]
        for name, tensor in own.items()
        if name not in weights and tensor.numel() and (tensor.data_ptr(), tensor.shape) in places
    }
    missing = [name for name in own if name not in weights and name not in shared and _COUNTER not in name]
    extra = [f"{name} {_shape(tensor)}" for name, tensor in weights.items() if name not in own]
    shapes = [
        f"{name} is {_shape(weights[name])}, not {_shape(tensor)}"
        for name, tensor in own.items()
        if name in weights and weights[name].shape != tensor.shape
    ]
    lists = (("other shape", shapes), ("missing", missing), ("not in the network", extra))
    said = "; ".join(f"{title}: {_few(names)}" for title, names in lists if names)
    if said:
        raise InputError(
            f"'{shown(where)}' does not hold the weights of the network in {shown(described)} ({said}).",
            remedy="Give the architecture that was trained, or leave the checkpoint out with --checkpoints.",
        )
    result = {}
    for name, tensor in own.items():
        stored = shared.get(name, name)
        result[name] = weights[stored].to(tensor.dtype) if stored in weights else tensor
    return result


def _shape(tensor: torch.Tensor) -> str:
    return "×".join(str(size) for size in tensor.shape) or "a single number"


def _few(found: list[str]) -> str:
    text = ", ".join(shown(entry, limit=120) for entry in found[:_NAMED])
    return text if len(found) <= _NAMED else f"{text} and {len(found) - _NAMED} more"
