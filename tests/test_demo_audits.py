"""The demo audits as users get them: exact influence, recovery of the planted labels, a cached second run.

The judge of influence is a directional derivative: Σ η ⟨∇ℓ(z), ∇ℓ(q)⟩ is, per checkpoint, the derivative
of the loss of z along ∇ℓ(q), which forward-mode differentiation gives for a whole batch at once.
It shares no code and no idea with the engine, and runs in float64.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from tests.conftest import run_command
from tracin_viz.config import Home
from tracin_viz.store import plan as plans
from tracin_viz.store import registry

TOLERANCE = 1e-4


@cache
def digits(folder: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Pixels (n, 1, 28, 28) in 0–1, float64, and labels (n,) of a split folder, in relative path order."""
    paths = sorted(folder.glob("*/*"), key=lambda path: path.relative_to(folder).as_posix())
    images = np.stack([np.asarray(Image.open(path).convert("L"), dtype=np.float64) / 255 for path in paths])
    return torch.from_numpy(images)[:, None], torch.tensor([int(path.parent.name) for path in paths])


def directional_scores(
    home: Path, row: int, dtype: torch.dtype, rows: np.ndarray | None = None
) -> np.ndarray:
    """TracInCP of a test example with the training examples ``rows``, over the checkpoints of the plan."""
    from transformers import AutoConfig, AutoModelForImageClassification

    record = registry.read(Home(home), "digits")
    (inputs, labels), (asked, asked_labels) = (digits(Path(record.data) / name) for name in ("train", "test"))
    inputs, asked = inputs.to(dtype), asked[row : row + 1].to(dtype)
    if rows is not None:
        inputs, labels = inputs[rows], labels[rows]
    total = np.zeros(len(labels))
    for index in plans.require(Home(home), "digits").checkpoints:
        checkpoint = record.checkpoints[index]
        folder = Path(checkpoint.path).parent
        settings = json.loads((folder / "preprocessor_config.json").read_text())
        mean, deviation = settings["image_mean"][0], settings["image_std"][0]
        model = AutoModelForImageClassification.from_config(AutoConfig.from_pretrained(folder))
        model.load_state_dict(load_file(folder / "model.safetensors"))
        model.to(dtype).eval()
        weights = {name: value.detach() for name, value in model.named_parameters()}

        def losses(weights, images, targets, model=model, mean=mean, deviation=deviation):
            pixels = (images - mean) / deviation
            logits = torch.func.functional_call(model, weights, kwargs={"pixel_values": pixels}).logits
            return torch.nn.functional.cross_entropy(logits, targets, reduction="none")

        direction = torch.func.grad(lambda w: losses(w, asked, asked_labels[row : row + 1]).sum())(weights)
        for start in range(0, len(labels), 500):
            part = slice(start, start + 500)
            _, change = torch.func.jvp(
                lambda w, part=part: losses(w, inputs[part], labels[part]), (weights,), (direction,)
            )
            total[part] += checkpoint.learning_rate * change.double().numpy()
    return total


def test_the_demo_has_what_was_promised(demo_home):
    record = registry.read(Home(demo_home), "digits")
    assert record.splits["train"] + record.splits["test"] == 5000
    assert len(record.checkpoints) >= 6
    assert all(checkpoint.learning_rate > 0 for checkpoint in record.checkpoints)
    assert record.notes["test_accuracy"] >= 0.95


# torch's own forward mode still loads TorchScript on first use, which torch 2.13 warns about.
@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
@pytest.mark.parametrize("row", [500, pytest.param(0, marks=pytest.mark.long)])
def test_influence_on_the_demo_equals_tracincp_in_float64(demo_home, row):
    found = run_command(
        "influence", "digits", "--query", f"test:{row}", "--top", "10", "--json", home=demo_home
    )
    assert found.code == 0, found.err
    # In float32 for all of them, and in float64 for those that could be among the ten.
    truth = directional_scores(demo_home, row, torch.float32)
    ranked = np.argsort(truth)
    ends = np.concatenate([ranked[:50], ranked[-50:]])
    truth[ends] = directional_scores(demo_home, row, torch.float64, ends)
    scale = np.abs(truth).max()
    for name, order in (("proponents", np.argsort(-truth)), ("opponents", np.argsort(truth))):
        entries = found.document[name]
        assert [entry["row"] for entry in entries] == order[:10].tolist()
        assert max(abs(entry["score"] - truth[entry["row"]]) for entry in entries) / scale <= TOLERANCE


def test_self_influence_recovers_nine_in_ten_planted_labels_within_a_fifth_of_the_data(demo_home):
    found = run_command("suspects", "digits", "--top", "800", "--json", home=demo_home).document
    planted = found["recovery"]["planted"]
    assert planted == 400
    within = sum(entry["planted"] for entry in found["suspects"])  # 800 = 20 % of 4,000
    assert within / planted >= 0.90
    assert found["recovery"]["at_20"]["self-influence"] == pytest.approx(within / planted, abs=0.005)
    assert {"loss", "aum"} <= set(found["recovery"]["at_20"])


def test_suggestions_name_the_true_class_of_most_planted_labels(demo_home):
    found = run_command("suspects", "digits", "--top", "400", "--json", home=demo_home).document
    truth = {
        line.split(",")[0]: line.strip().split(",")[1]
        for line in (demo_home / "audits" / "digits" / "truth.csv").read_text().splitlines()[1:]
    }
    right = [entry["suggested"] == truth[entry["id"]] for entry in found["suspects"] if entry["planted"]]
    assert len(right) >= 200
    assert np.mean(right) >= 0.9


def test_clusters_of_the_demo_are_mostly_of_one_class_or_full_of_suspects(demo_home):
    found = run_command("clusters", "digits", "--json", home=demo_home).document
    assert len(found["examples"]) == 4000
    assert found["noise"] == sum(example["cluster"] < 0 for example in found["examples"])
    sizes = {cluster["id"]: cluster["size"] for cluster in found["clusters"]}
    for number, size in sizes.items():
        assert size == sum(example["cluster"] == number for example in found["examples"])
    assert len(sizes) >= 8
    assert found["noise"] < 2000


def test_a_finished_demo_is_not_made_again(demo_home):
    before = (demo_home / "audits" / "digits" / "audit.json").read_bytes()
    again = run_command("demo", "digits", "--if-missing", home=demo_home)
    assert again.code == 0
    assert (demo_home / "audits" / "digits" / "audit.json").read_bytes() == before
