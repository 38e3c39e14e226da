"""Weights that fit, weights that do not, and learning rates by parameter."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from tracin_viz.engine import Checkpoint
from tracin_viz.engine.checkpoints import load_weights
from tracin_viz.errors import InputError


def test_a_safetensors_file_is_read(tmp_path):
    source, target = nn.Linear(3, 2), nn.Linear(3, 2)
    save_file(source.state_dict(), tmp_path / "model.safetensors")
    load_weights(target, Checkpoint(tmp_path / "model.safetensors", 0.1))
    assert torch.equal(source.weight, target.weight)
    assert torch.equal(source.bias, target.bias)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda state: state.pop("bias"), "missing: bias"),
        (lambda state: state.update(more=torch.ones(1)), "unexpected: more"),
        (lambda state: state.update(bias=torch.ones(5)), r"other shape: bias \(5,\) instead of \(2,\)"),
    ],
)
def test_weights_that_do_not_fit_are_refused_by_name(change, words):
    model = nn.Linear(3, 2)
    state = dict(model.state_dict())
    change(state)
    with pytest.raises(InputError, match=words):
        load_weights(model, Checkpoint(state, 0.1, 4))


def test_tied_parameters_may_be_stored_once():
    model = nn.ModuleDict({"table": nn.Embedding(4, 3), "head": nn.Linear(3, 4, bias=False)})
    model["head"].weight = model["table"].weight
    load_weights(model, Checkpoint({"table.weight": torch.full((4, 3), 2.0)}, 0.1))
    assert float(model["head"].weight.detach().sum()) == 24


def test_other_files_are_refused_without_being_opened(tmp_path):
    (tmp_path / "model.pt").write_bytes(b"\x80\x04")
    with pytest.raises(InputError, match="safetensors"):
        Checkpoint(tmp_path / "model.pt", 0.1).read()


def test_a_broken_file_is_an_input_error(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"not that")
    with pytest.raises(InputError, match="Cannot read"):
        Checkpoint(tmp_path / "model.safetensors", 0.1).read()


def test_the_first_matching_rate_counts():
    checkpoint = Checkpoint({}, {r"^head\.": 0.5, r".": 0.1})
    assert (checkpoint.rate("head.bias"), checkpoint.rate("body.weight")) == (0.5, 0.1)


def test_a_parameter_without_a_rate_is_an_error():
    with pytest.raises(InputError, match="body"):
        Checkpoint({}, {"head": 0.5}).rate("body.weight")
