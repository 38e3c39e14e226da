from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from tracin_viz.models.bundle import ModelBundle, open_run_folder
from tracin_viz.models.other_preprocessing import other_preprocessing

CODE = """
import torch
CLASSES = ["dark", "bright"]
def build_model():
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 4 * 4, 2, bias=False))
"""
LABELS = np.arange(20) % 2
#: Class 0 reddish and dark, class 1 bluish and bright, around a brightness of one half.
PICTURES = [
    Image.new("RGB", (4, 4), (90, 80, 70) if label == 0 else (150, 160, 200)) for label in LABELS.tolist()
]


@pytest.fixture
def weights(tmp_path):
    """A network that calls bright what is above 0 after normalisation with mean and std of one half."""
    (tmp_path / "model.py").write_text(CODE)
    signs = torch.tensor([[-1.0], [1.0]]).expand(2, 48).contiguous()
    torch.save({"1.weight": signs}, tmp_path / "1.pt")
    return tmp_path


def tried(run, **form) -> list[str]:
    bundle: ModelBundle = open_run_folder(
        run, trust_code=True, learning_rates=[0.1], options={"preprocessing": {"size": 4, **form}}
    )
    model = bundle.build()
    model.load_state_dict(bundle.read_weights(bundle.checkpoints[0]))
    inputs = bundle.collate(PICTURES)
    accuracy = float((model(inputs).argmax(1).numpy() == LABELS).mean())
    found = other_preprocessing(bundle, model, PICTURES, LABELS, accuracy=accuracy)
    return [problem.message for problem in found]


def test_another_mean_that_explains_the_labels_far_better_is_named(weights):
    (message,) = tried(weights, mean=0.0, std=1.0)
    assert message == "With mean 0.5 and std 0.5, 100% of 20 predictions are right, instead of 50%."


def test_nothing_is_said_where_the_preprocessing_is_right(weights):
    assert tried(weights, mean=0.5, std=0.5) == []


def test_exchanged_colours_are_noticed(weights):
    # Bright is now what has more blue than red: only the order of the colours tells the classes apart.
    signs = torch.zeros(2, 3, 16)
    signs[0, 0], signs[0, 2], signs[1, 0], signs[1, 2] = 1.0, -1.0, -1.0, 1.0
    torch.save({"1.weight": signs.reshape(2, 48)}, weights / "1.pt")
    (message,) = tried(weights, mean=0.5, std=0.5, channels="bgr")
    assert message.startswith("With red and blue exchanged, 100%")
