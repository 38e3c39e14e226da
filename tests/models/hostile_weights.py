"""Hostile bytes for the readers of checkpoints: sound files of each kind, and what may come of damage."""

from __future__ import annotations

import pickle
import tempfile
from pathlib import Path

import torch
from safetensors.torch import save_file

from tracin_viz.errors import InputError
from tracin_viz.models.formats.dictionaries import sorted_out
from tracin_viz.models.safe_load import load_content

WEIGHTS = {"weight": torch.ones(2, 3), "bias": torch.zeros(2)}


def whole_files() -> dict[str, bytes]:
    """A sound file of each kind, by its name."""
    content = {"state_dict": WEIGHTS, "epoch": 3, "optimizer": {"param_groups": [{"lr": 0.1}]}}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        torch.save(content, folder / "zip.pt")
        torch.save(content, folder / "old.pt", _use_new_zipfile_serialization=False)
        save_file(WEIGHTS, folder / "x.safetensors")
        raw = {"state_dict": {}, "x": [1, "a", None]}
        (folder / "raw.pt").write_bytes(pickle.dumps(raw, protocol=2))
        return {path.name: path.read_bytes() for path in folder.iterdir()}


def open_hostile(folder: Path, name: str, content: bytes) -> str:
    """Read ``content`` as a checkpoint called ``name`` in ``folder``: ``"read"`` or ``"refused"``.

    Raises:
        AssertionError: A message has several lines or does not name the file, or a file appeared.
        Exception: Anything but the package's own errors came out.
    """
    path = folder / name
    path.write_bytes(content)
    try:
        sorted_out(load_content(path), path)
        outcome = "read"
    except InputError as error:
        assert "\n" not in str(error) and name in str(error), str(error)
        outcome = "refused"
    assert [entry.name for entry in folder.iterdir()] == [name], "a file appeared"
    return outcome
