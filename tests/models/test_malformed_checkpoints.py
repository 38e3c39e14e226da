"""Checkpoint files that cannot be used: each is refused in one line that names it, and none is executed."""

from __future__ import annotations

import datetime
import pickle
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from tests.models.hostile_weights import WEIGHTS, open_hostile, whole_files
from tracin_viz.errors import InputError
from tracin_viz.models.bundle import inspect_run
from tracin_viz.models.safe_load import load_content

CODE = """
import torch
TASK = "tabular"
CLASSES = ["a", "b"]
def build_model():
    return torch.nn.Linear(3, 2)
"""
MARKER = "executed"


class Trap:
    """Unpickling this makes a file: proof that code was run."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.target,))


def saved(content: Any) -> Callable[[Path], None]:
    return lambda path: torch.save(content, path)


def compressed(path: Path) -> None:
    """The same archive, but deflated: a small file could unfold to any size."""
    torch.save(WEIGHTS, path)
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)


def cut(path: Path) -> None:
    save_file(WEIGHTS, path) if path.suffix == ".safetensors" else torch.save(WEIGHTS, path)
    path.write_bytes(path.read_bytes()[:-30])


def two_without_steps(path: Path) -> None:
    torch.save(WEIGHTS, path)
    torch.save(WEIGHTS, path.with_name("last.pt"))


def written(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


ENDLESS = {"weight": torch.ones(1).expand(10**6, 10**6), "bias": torch.ones(2)}
OPTIMIZER = {"state": {}, "param_groups": []}
LARGER = {"weight": torch.ones(5, 3), "bias": torch.ones(5)}
OTHER = {"conv.weight": torch.ones(2, 2)}
CASES: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "empty file": ("10.pt", written(b""), "cannot be read"),
    "text": ("10.pt", written(b"hello"), "was not opened|cannot be read"),
    "cut off": ("10.pt", cut, "cannot be read"),
    "compressed": ("10.pt", compressed, "compressed archive"),
    "a zip of nothing": ("10.pt", written(b"PK\5\6" + bytes(18)), "was not opened"),
    "needs code": ("10.pt", saved({"a": datetime.timedelta(1)}), r"needs to run datetime\.timedelta"),
    "a network saved whole": ("10.pt", saved(torch.nn.Linear(3, 2)), r"needs to run torch\.nn\.modules"),
    "a list": ("10.pt", saved([torch.ones(1)]), "no weights of a network: it holds a list"),
    "numbers": ("10.pt", saved({"a": 1, "b": 2}), "its entries are a, b"),
    "empty table": ("10.pt", saved({}), "it is empty"),
    "optimizer alone": ("10.pt", saved(OPTIMIZER), "its entries are state, param_groups"),
    "names that are numbers": ("10.pt", saved({1: torch.ones(1)}), "no weights of a network"),
    "weights of nothing": ("10.pt", saved({"state_dict": {}}), "its entries are state_dict"),
    "another network": (
        "10.pt",
        saved(OTHER),
        r"missing: weight, bias; not in the network: conv\.weight 2×2",
    ),
    "another class count": ("10.pt", saved(LARGER), "weight is 5×3, not 2×3, bias is 5, not 2"),
    "part of it": ("10.pt", saved({"weight": torch.ones(2, 3)}), "missing: bias"),
    "a view without end": ("10.pt", saved(ENDLESS), "claims a tensor"),
    "no safetensors": ("10.safetensors", written(b"\xff" * 64), "cannot be read"),
    "safetensors cut off": ("10.safetensors", cut, "cannot be read"),
    "pickle in disguise": ("10.safetensors", written(pickle.dumps(WEIGHTS)), "cannot be read"),
    "no step in its name": (
        "best.pt",
        two_without_steps,
        r"cannot be put in order: neither best\.pt, last\.pt",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_file_that_cannot_be_used_is_refused_in_one_line(tmp_path, case):
    name, write, said = CASES[case]
    (tmp_path / "model.py").write_text(CODE)
    write(tmp_path / name)
    rates = [0.1, 0.1] if name == "best.pt" else [0.1]
    with pytest.raises(InputError, match=said) as caught:
        inspect_run(tmp_path, trust_code=True, learning_rates=rates)
    assert "\n" not in str(caught.value) and caught.value.remedy


def test_nothing_in_a_pickle_is_executed_however_it_is_wrapped(tmp_path):
    marker = tmp_path / MARKER
    for content in (Trap(marker), {"state_dict": WEIGHTS, "args": Trap(marker)}, [Trap(marker)]):
        torch.save(content, tmp_path / "10.pt")
        with pytest.raises(InputError, match="was not opened"):
            load_content(tmp_path / "10.pt")
        torch.save(content, tmp_path / "10.pt", _use_new_zipfile_serialization=False)
        with pytest.raises(InputError):
            load_content(tmp_path / "10.pt")
    (tmp_path / "10.pt").write_bytes(pickle.dumps(Trap(marker)))
    with pytest.raises(InputError):
        load_content(tmp_path / "10.pt")
    assert not marker.exists()


WHOLE = whole_files()


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_damaged_files_are_read_or_refused_and_nothing_else(data):
    name = data.draw(st.sampled_from(sorted(WHOLE)))
    content = bytearray(WHOLE[name])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        kind = data.draw(st.sampled_from(["byte", "cut", "insert"]))
        if kind == "byte":
            content[place] = data.draw(st.integers(0, 255))
        elif kind == "cut":
            del content[place : place + data.draw(st.integers(1, 64))]
        else:
            content[place:place] = data.draw(st.binary(min_size=1, max_size=16))
        if not content:
            return
    with tempfile.TemporaryDirectory() as folder:
        open_hostile(Path(folder), name, bytes(content))
