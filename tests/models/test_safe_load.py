from __future__ import annotations

import datetime
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from tracin_viz.errors import InputError
from tracin_viz.models.safe_load import load_state_dict

WEIGHTS = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.ones(2, dtype=torch.bfloat16)}


class Trap:
    """Unpickling this writes a file: proof that code was run."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.target,))


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin", "old.bin"])
def test_tensors_come_back_as_they_were(tmp_path, name):
    path = tmp_path / name
    if name == "model.safetensors":
        save_file(WEIGHTS, path)
    else:
        torch.save(WEIGHTS, path, _use_new_zipfile_serialization=name != "old.bin")
    found = load_state_dict(path)
    assert set(found) == set(WEIGHTS)
    assert all(
        torch.equal(found[key], tensor) and found[key].dtype == tensor.dtype
        for key, tensor in WEIGHTS.items()
    )


def test_a_pickle_that_needs_code_is_named_and_never_run(tmp_path):
    path = tmp_path / "pytorch_model.bin"
    marker = tmp_path / "executed"
    torch.save({"a": torch.ones(1), "when": datetime.timedelta(1)}, path)
    with pytest.raises(InputError, match=r"needs to run datetime\.timedelta.*model\.safetensors"):
        load_state_dict(path)
    torch.save({"a": torch.ones(1), "trap": Trap(marker)}, path)
    with pytest.raises(InputError, match="was not opened"):
        load_state_dict(path)
    path.write_bytes(pickle.dumps(Trap(marker)))
    with pytest.raises(InputError):
        load_state_dict(path)
    assert not marker.exists()


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
@pytest.mark.parametrize("content", [b"", b"hello", b"\xff" * 4096])
def test_files_that_are_no_weights_are_refused(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_state_dict(path)
    assert name in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
def test_truncated_weights_are_refused(tmp_path, name):
    path = tmp_path / name
    save_file(WEIGHTS, path) if name == "model.safetensors" else torch.save(WEIGHTS, path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="cannot be read"):
        load_state_dict(path)


@pytest.mark.parametrize("value", [torch.ones(2), {"a": 1}, [torch.ones(1)], {"state_dict": WEIGHTS}])
def test_what_is_no_state_dict_is_refused(tmp_path, value):
    torch.save(value, tmp_path / "pytorch_model.bin")
    with pytest.raises(InputError, match="is not a state dict"):
        load_state_dict(tmp_path / "pytorch_model.bin")
