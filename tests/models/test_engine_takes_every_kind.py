"""Every kind of model goes through the engine, and its scores are those of plain autograd."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tracin_viz.engine import Checkpoint, InfluenceEngine
from tracin_viz.jobs.loading import Collate, Contents
from tracin_viz.models.bundle import ModelBundle, open_run_folder

CODE = """
import torch
TASK = "tabular"
CLASSES = ["a", "b"]
def build_model():
    return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
"""


def network() -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))


def written(folder: Path, kind: str) -> ModelBundle:
    for step in (5, 10):
        torch.manual_seed(step)
        torch.save({"state_dict": network().state_dict()}, folder / f"net-{step}.pt")
    options = {}
    if kind == "code":
        (folder / "model.py").write_text(CODE)
    else:
        shapes = ({0: torch.export.Dim("n", min=1)},)
        program = torch.export.export(network().eval(), (torch.ones(2, 3),), dynamic_shapes=shapes)
        torch.export.save(program, folder / "net.pt2")
        options = {"task": "tabular", "classes": ["a", "b"]}
    return open_run_folder(folder, trust_code=True, learning_rates=[0.1, 0.2], options=options)


def gradient(bundle: ModelBundle, checkpoint: int, row: np.ndarray, label: int) -> torch.Tensor:
    model = network()
    model.load_state_dict(bundle.read_weights(bundle.checkpoints[checkpoint]))
    loss = torch.nn.functional.cross_entropy(model(torch.from_numpy(row)[None]), torch.tensor([label]))
    return torch.cat([part.flatten() for part in torch.autograd.grad(loss, list(model.parameters()))])


@pytest.mark.parametrize("kind", ["code", "exported program"])
def test_scores_of_trusted_code_equal_plain_autograd(tmp_path, kind):
    bundle = written(tmp_path, kind)
    engine = InfluenceEngine(
        bundle.build(),
        [
            Checkpoint(bundle.read_weights(checkpoint), checkpoint.learning_rate, checkpoint.step)
            for checkpoint in bundle.checkpoints
        ],
        collate_fn=Collate(bundle),
    )
    rows = list(np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32))
    labels = [0, 1, 0, 1, 1]
    scores = engine.influence(Contents(rows[:4], labels[:4]), Contents(rows[4:], labels[4:]))
    expected = np.zeros(4)
    for place, rate in enumerate((0.1, 0.2)):
        parts = [gradient(bundle, place, row, label) for row, label in zip(rows, labels, strict=True)]
        expected += [rate * float(part @ parts[4]) for part in parts[:4]]
    assert scores[0] == pytest.approx(expected, rel=1e-4)
