"""Making a file's tensors the state dict of a network, or saying how they differ.

transformers renames and regroups weights when it saves and when it loads, so that old files and new
networks fit; and safetensors stores a shared parameter once. Both are left to transformers' own loader,
fed with tensors that have been read safely already.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from tracin_viz.data.problems import shown
from tracin_viz.errors import InputError
from tracin_viz.models.formats.architecture import Architecture

_NAMED = 4
#: A network counts shared weights once per use, its file once in all.
_SHARED = 4
_SMALL = 10_000_000


def state_dict_of(
    design: Architecture,
    weights: Mapping[str, torch.Tensor],
    *,
    wanted: Mapping[str, torch.Tensor],
    where: str,
) -> dict[str, torch.Tensor]:
    """``weights`` as a complete state dict, in the network's own names and number types.

    Args:
        design: The network.
        weights: What the file holds.
        wanted: The network's state dict; only names, shapes and types are looked at (``meta`` tensors do).
        where: The file's name, for messages.

    Raises:
        InputError: A tensor is missing, too many, or of another shape; the first few are named.
    """
    _check_size(wanted, weights, where=where)
    found = weights if set(weights) == set(wanted) else _converted(design, weights, where=where)
    shapes = [
        f"{name} is {_shape(found[name].shape)}, not {_shape(tensor.shape)}"
        for name, tensor in wanted.items()
        if found[name].shape != tensor.shape
    ]
    if shapes:
        raise _another_network(where, {"other shape": shapes})
    return {name: found[name].to(tensor.dtype) for name, tensor in wanted.items()}


def _check_size(
    wanted: Mapping[str, torch.Tensor], weights: Mapping[str, torch.Tensor], *, where: str
) -> None:
    """Refuse a network far larger than its file before any of it is made: a wrong size could fill memory."""
    needed, held = (sum(tensor.numel() for tensor in tensors.values()) for tensors in (wanted, weights))
    if needed > _SHARED * held + _SMALL:
        raise _another_network(where, {"size": [f"{held:,} numbers, the network has {needed:,}"]})


def _converted(
    design: Architecture, weights: Mapping[str, torch.Tensor], *, where: str
) -> dict[str, torch.Tensor]:
    try:
        with torch.random.fork_rng(devices=[]):  # what the file lacks is drawn at random before it is refused
            model, report = design.network().from_pretrained(
                None,
                config=design.settings(),
                state_dict=dict(weights),
                dtype=torch.float32,
                local_files_only=True,
                ignore_mismatched_sizes=True,  # so that they are reported with names like the others
                output_loading_info=True,
            )
    except Exception as error:  # converting rules fail in their own ways on the tensors of another network
        raise _another_network(where, {"error": [str(error) or type(error).__name__]}) from error
    _check(report, weights, where=where)
    return dict(model.state_dict())


def _check(report: Mapping[str, Any], weights: Mapping[str, torch.Tensor], *, where: str) -> None:
    extra = sorted(report["unexpected_keys"])
    differing = {
        "other shape": [
            f"{name} is {_shape(have)}, not {_shape(want)}"
            for name, have, want in sorted(report["mismatched_keys"], key=lambda entry: str(entry[0]))
        ],
        "missing": sorted(report["missing_keys"]),
        "not in the network": [
            f"{name} {_shape(weights[name].shape)}" if name in weights else name for name in extra
        ],
        "error": [str(message) for message in report["error_msgs"]],
    }
    if any(differing.values()):
        raise _another_network(where, differing)


def _another_network(where: str, differing: Mapping[str, list[str]]) -> InputError:
    said = "; ".join(f"{title}: {_few(found)}" for title, found in differing.items() if found)
    return InputError(
        f"'{shown(where)}' does not hold the weights of the network in config.json ({said}).",
        remedy="Give the config.json that belongs to these weights (for another number of classes check "
        "id2label), or leave the checkpoint out with --checkpoints.",
    )


def _shape(shape: torch.Size) -> str:
    return "×".join(str(size) for size in shape) or "a single number"


def _few(found: list[str]) -> str:
    text = ", ".join(shown(entry, limit=120) for entry in found[:_NAMED])
    return text if len(found) <= _NAMED else f"{text} and {len(found) - _NAMED} more"
