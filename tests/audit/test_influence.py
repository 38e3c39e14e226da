"""What the command line prints is TracInCP, judged by batches of one in float64 without any engine code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from tests.conftest import TinyFiles, run_command
from tracin_viz.config import Home
from tracin_viz.jobs.query_client import QueryClient

TOLERANCE = 1e-4  # relative, DESIGN §3: largest difference over the query's largest true score


def contents(folder: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Images (n, 1, h, w) in float64 and labels of a split folder, sorted by relative path."""
    images, labels = [], []
    for number, kind in enumerate(sorted(path.name for path in folder.iterdir())):
        for path in sorted((folder / kind).iterdir()):
            images.append((np.asarray(Image.open(path), dtype=np.float64) / 255 - 0.5) / 0.5)
            labels.append(number)
    return torch.from_numpy(np.stack(images))[:, None], torch.tensor(labels)


def gradient(model: torch.nn.Module, image: torch.Tensor, label: int, *, score: bool = False) -> torch.Tensor:
    """The whole gradient of one example's loss (or of minus a class's logit), flattened."""
    model.zero_grad()
    logits = model(pixel_values=image[None]).logits
    target = torch.tensor([label])
    loss = -logits[0, label] if score else torch.nn.functional.cross_entropy(logits, target)
    loss.backward()
    return torch.cat([parameter.grad.flatten() for parameter in model.parameters()])  # type: ignore[union-attr]


@pytest.fixture(scope="module")
def brute_force(tiny_files: TinyFiles):
    """Scores (training examples,) of a test row, by the definition of TracInCP."""
    from transformers import ResNetConfig, ResNetForImageClassification

    train, train_labels = contents(tiny_files.data / "train")
    test, test_labels = contents(tiny_files.data / "test")
    models = []
    for step in (4, 8, 12):
        folder = tiny_files.model / f"checkpoint-{step}"
        model = ResNetForImageClassification(ResNetConfig.from_pretrained(folder))
        model.load_state_dict(load_file(folder / "model.safetensors"))
        models.append(model.double().eval())

    def scores(row: int, label: int | None = None, *, score: bool = False) -> np.ndarray:
        total = np.zeros(len(train))
        for model in models:
            wanted = int(test_labels[row]) if label is None else label
            asked = gradient(model, test[row], wanted, score=score)
            for place in range(len(train)):
                found = gradient(model, train[place], int(train_labels[place]))
                total[place] += 0.05 * float(asked @ found)
        return total

    return scores


def assert_lists_are_exact(document, truth):
    scale = np.abs(truth).max()
    falling = [place for place in np.argsort(-truth) if truth[place] > 0]
    rising = [place for place in np.argsort(truth) if truth[place] < 0]
    for name, order in (("proponents", falling), ("opponents", rising)):
        rows = [entry["row"] for entry in document[name]]
        assert rows == order[: len(rows)]
        assert len(rows) == min(10, len(order))
        errors = [abs(entry["score"] - truth[entry["row"]]) / scale for entry in document[name]]
        assert max(errors, default=0) <= TOLERANCE
    error = document["sketch_error"]
    listed = [e["score"] - e["sketch_score"] for name in ("proponents", "opponents") for e in document[name]]
    assert error["pairs"] == document["candidates"]
    assert 0 < np.square(listed).sum() <= error["pairs"] * error["rms"] ** 2 * (1 + 1e-6)
    assert abs(error["bias"]) <= error["relative_rms"] < 0.2


@pytest.mark.parametrize("row", [0, 7, 12])
def test_influence_equals_brute_force_tracincp(tiny_home, brute_force, row):
    found = run_command(
        "influence", "tiny", "--query", f"test:{row}", "--top", "10", "--json", home=tiny_home
    )
    assert found.code == 0, found.err
    assert found.document["exact"] is True
    assert_lists_are_exact(found.document, brute_force(row))


def test_influence_at_another_label_explains_that_loss(tiny_home, brute_force):
    found = run_command("influence", "tiny", "--query", "test:0", "--label", "ring", "--json", home=tiny_home)
    assert found.document["target"] == {"kind": "loss", "class": "ring"}
    assert_lists_are_exact(found.document, brute_force(0, 2))


def test_proponents_of_a_score_raise_it(tiny_home, brute_force):
    found = run_command(
        "influence", "tiny", "--query", "test:0", "--score", "cross", "--json", home=tiny_home
    )
    assert found.document["target"] == {"kind": "score", "class": "cross"}
    assert_lists_are_exact(found.document, brute_force(0, 1, score=True))


def test_an_uploaded_image_without_a_label_explains_the_score_of_the_predicted_class(
    tiny_home, tiny_files, brute_force
):
    path = sorted((tiny_files.data / "test" / "cross").iterdir())[1]
    found = run_command("influence", "tiny", "--image", str(path), "--json", home=tiny_home).document
    predicted = found["query"]["predicted"]
    assert found["target"] == {"kind": "score", "class": predicted}
    assert found["query"]["label"] is None
    truth = brute_force(5 + 1, ["bar", "cross", "ring"].index(predicted), score=True)
    assert_lists_are_exact(found, truth)


def test_a_training_example_is_not_its_own_proponent(tiny_home):
    found = run_command("influence", "tiny", "--query", "train:3", "--json", home=tiny_home).document
    for name in ("proponents", "opponents", "most_similar", "least_similar"):
        assert "train:3" not in [entry["id"] for entry in found[name]]


@pytest.mark.parametrize("ranking", ["cosine", "relatif"])
def test_normalised_rankings_order_the_same_scores_by_their_norms(tiny_home, brute_force, ranking):
    found = run_command(
        "influence", "tiny", "--query", "test:0", "--ranking", ranking, "--json", home=tiny_home
    ).document
    scores = [entry["score"] for entry in found["proponents"]]
    assert scores == sorted(scores, reverse=True)
    truth = brute_force(0)
    for entry in [*found["proponents"], *found["opponents"]]:
        assert np.sign(entry["score"]) == np.sign(truth[entry["row"]])
        if ranking == "cosine":
            assert abs(entry["score"]) <= 1 + 1e-6


def test_the_query_process_ends_when_it_is_told_to(tiny_home):
    assert run_command("influence", "tiny", "--query", "test:1", home=tiny_home).code == 0
    client = QueryClient(Home(tiny_home))
    assert client.is_running()
    client.stop()
    assert not client.is_running()


def test_a_broken_image_is_refused_by_name(tiny_home, tmp_path):
    path = tmp_path / "broken.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")
    found = run_command("influence", "tiny", "--image", str(path), home=tiny_home)
    assert found.code == 1
    assert "uploaded image" in found.err
