"""Weights that were split over several files, and finding the weights in a folder."""

from __future__ import annotations

from pathlib import Path

import torch

from tracin_viz.data.dataset import listed
from tracin_viz.data.problems import shown
from tracin_viz.errors import InputError
from tracin_viz.models.json_files import read_json
from tracin_viz.models.safe_load import load_state_dict

INDEX = ".index.json"
#: Files of weights in a folder, the safest first.
WEIGHTS = (
    "model.safetensors",
    "model.safetensors.index.json",
    "adapter_model.safetensors",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "adapter_model.bin",
)


def weights_file(folder: Path) -> Path | None:
    """The file of a folder's weights, or the list of its parts; ``None`` where there is none."""
    return next((folder / name for name in WEIGHTS if (folder / name).is_file()), None)


def weights_in(folder: Path) -> dict[str, torch.Tensor]:
    """The weights in a folder, whatever files they are in.

    Raises:
        InputError: There are none, or they cannot be read.
    """
    file = weights_file(folder)
    if file is None:
        raise InputError(
            f"'{shown(folder.name)}' holds no weights.",
            remedy=f"They are looked for in {listed(list(WEIGHTS))}.",
        )
    return read_sharded(file) if file.name.endswith(INDEX) else load_state_dict(file)


def parts_of(index: Path) -> list[Path]:
    """The files that an index lists.

    Raises:
        InputError: The index is damaged, names a file outside its folder, or a part is missing.
    """
    table = read_json(index).get("weight_map")
    name = f"{index.parent.name}/{index.name}"
    if not isinstance(table, dict) or not all(isinstance(part, str) for part in table.values()):
        raise InputError(f"'{shown(name)}' lists no files.", remedy="Copy it from the training again.")
    parts = sorted(set(table.values()))
    for part in parts:
        if Path(part).name != part or part in ("", ".", ".."):
            raise InputError(
                f"'{shown(name)}' names a file outside its folder, '{shown(part)}'.",
                remedy="The parts must lie beside the index.",
            )
        if not (index.parent / part).is_file():
            raise InputError(
                f"'{shown(name)}' lists '{shown(part)}', which is not there.",
                remedy="Copy all parts from the training.",
            )
    return [index.parent / part for part in parts]


def read_sharded(index: Path) -> dict[str, torch.Tensor]:
    """All tensors of the files that an index lists.

    Raises:
        InputError: A part is missing or damaged, or does not hold what the index says.
    """
    found: dict[str, torch.Tensor] = {}
    for part in parts_of(index):
        found |= load_state_dict(part)
    table = read_json(index)["weight_map"]
    missing = [name for name in table if name not in found]
    if missing:
        raise InputError(
            f"'{shown(f'{index.parent.name}/{index.name}')}' lists {listed(missing, limit=4)}, which its "
            "parts do not hold.",
            remedy="Copy all parts from the training again.",
        )
    return found
