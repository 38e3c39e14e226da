"""Every form of data and every form of model at least once, and the scores never depend on the form.

All cells of a kind hold the same examples, weights and rates: whatever the files, the scores must be those of
the first cell. The first cell of each kind is judged by plain autograd. `make acceptance` runs all cells.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.conftest import end_query_process
from tests.matrix.cells import Kind, kinds, scores_of
from tests.matrix.content import CLASSES, examples
from tests.matrix.model_forms import RATE

#: Cells of `make test`: together they hold every form that no other test takes from files to scores.
CHOSEN = {
    "images": [
        ("image folder", "Trainer"),
        ("tar.gz", "Lightning"),
        ("metadata.jsonl", "Trainer, sharded"),
        ("saved data set", "torchvision"),
        ("parquet of bytes", "state dicts"),
    ],
    "texts": [("csv", "Trainer"), ("saved data set", "timm"), ("jsonl", "fastai")],
    "rows": [("csv", "Lightning"), ("parquet", "state dicts")],
    "numbers": [("csv", "safetensors"), ("parquet", "torchvision")],
}


@pytest.fixture(scope="module")
def every_kind(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Kind]:
    return kinds(tmp_path_factory.mktemp("matrix"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("matrix-home")
    yield folder
    end_query_process(folder)


@pytest.mark.parametrize("name", CHOSEN)
def test_scores_do_not_depend_on_the_form_of_the_files(
    name: str, every_kind: dict[str, Kind], home: Path
) -> None:
    kind = every_kind[name]
    first, *others = (scores_of(home, kind, *cell) for cell in CHOSEN[name])
    assert np.count_nonzero(first) == len(first)
    for found in others:
        np.testing.assert_allclose(found, first, rtol=0, atol=1e-5 * np.abs(first).max())
    expected = _by_autograd(kind, number=name == "numbers")
    np.testing.assert_allclose(first, expected, rtol=0, atol=1e-4 * np.abs(expected).max())


def _by_autograd(kind: Kind, *, number: bool) -> np.ndarray:
    """TracInCP of each training example with ``test:1``, one gradient at a time."""
    wanted = examples()
    train = [example for example in wanted if example.split == "train"]
    query = [example for example in wanted if example.split == "test"][1]
    model = kind.network.model

    def gradient(example: object) -> torch.Tensor:
        outputs = _outputs(kind, example)
        if number:
            length, width, _ = example.row  # type: ignore[attr-defined]
            price = torch.tensor(round(length * 2.0 - width + 0.25, 3))
            loss = (outputs.reshape(()) - price) ** 2
        else:
            label = torch.tensor([CLASSES.index(example.label)])  # type: ignore[attr-defined]
            loss = torch.nn.functional.cross_entropy(outputs, label)
        parts = torch.autograd.grad(loss, list(model.parameters()))
        return torch.cat([part.flatten() for part in parts]).double()

    scores = np.zeros(len(train))
    model.eval()
    for state in kind.network.states:
        model.load_state_dict(state)
        asked = gradient(query)
        scores += [RATE * float(gradient(example) @ asked) for example in train]
    return scores


def _outputs(kind: Kind, example: object) -> torch.Tensor:
    model, inputs = kind.network.model, kind.network.inputs
    if kind.network.code:
        found: torch.Tensor = model(torch.tensor([example.row]))  # type: ignore[attr-defined]
    elif hasattr(inputs, "image_mean"):
        pixels = torch.from_numpy(example.picture).float()[None, None]  # type: ignore[attr-defined]
        found = model((pixels / 255 - 0.5) / 0.5).logits
    else:
        found = model(**inputs([example.text], return_tensors="pt")).logits  # type: ignore[attr-defined]
    return found
