"""A real data set and a really trained model that exist in about two seconds: shapes of 12×12 pixels.

The files are those of Hugging Face Trainer, written here by hand so that the readers under test are not fed
by the package's own writer.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file

CLASSES = ("bar", "cross", "ring")
SIZE = 12
STEPS = (4, 8, 12)


def picture(kind: str, generator: np.random.Generator) -> np.ndarray:
    """(12, 12) uint8: a shape in noise, shifted a little."""
    canvas = generator.normal(40, 25, (SIZE, SIZE))
    row, column = generator.integers(3, SIZE - 3, size=2)
    if kind == "bar":
        canvas[row, :] += 170
    elif kind == "cross":
        canvas[row, column - 3 : column + 4] += 170
        canvas[row - 3 : row + 4, column] += 170
    else:
        canvas[row - 2 : row + 3, column - 2 : column + 3] += 170
        canvas[row - 1 : row + 2, column - 1 : column + 2] -= 170
    return np.clip(canvas, 0, 255).astype(np.uint8)


def write_images(folder: Path, *, train: int = 16, test: int = 5, classes: tuple[str, ...] = CLASSES) -> Path:
    """An image folder ``split/class/file`` with that many images per class."""
    generator = np.random.default_rng(7)
    for split, count in (("train", train), ("test", test)):
        for kind in classes:
            (folder / split / kind).mkdir(parents=True)
            for number in range(count):
                image = Image.fromarray(picture(kind if kind in CLASSES else "ring", generator))
                image.save(folder / split / kind / f"{number:03d}.png")
    return folder


def train_run(folder: Path, data: Path, *, classes: tuple[str, ...] = CLASSES, rate: float = 0.05) -> Path:
    """Train a two-stage ResNet on the images of ``data`` and leave a run folder with three checkpoints."""
    from transformers import ResNetConfig, ResNetForImageClassification

    torch.manual_seed(3)
    config = ResNetConfig(
        num_channels=1,
        embedding_size=4,
        hidden_sizes=[4, 8],
        depths=[1, 1],
        layer_type="basic",
        num_labels=len(classes),
        id2label=dict(enumerate(classes)),
        label2id={name: number for number, name in enumerate(classes)},
        architectures=["ResNetForImageClassification"],
    )
    model = ResNetForImageClassification(config)
    inputs, targets = _tensors(data, classes)
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    history: list[dict[str, float]] = []
    order = torch.randperm(len(targets), generator=torch.Generator().manual_seed(1))
    batches = list(order.split(-(-len(order) // 4)))
    model.train()
    for step in range(1, max(STEPS) + 1):
        chosen = batches[step % len(batches)]
        loss = torch.nn.functional.cross_entropy(model(inputs[chosen]).logits, targets[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append({"step": step, "epoch": step / 4, "loss": float(loss.detach()), "learning_rate": rate})
        if step in STEPS:
            _save(folder / f"checkpoint-{step}", model, history, step)
    return folder


def _tensors(data: Path, classes: tuple[str, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    images, labels = [], []
    for number, kind in enumerate(classes):
        for path in sorted((data / "train" / kind).iterdir()):
            images.append((np.asarray(Image.open(path), dtype=np.float32) / 255 - 0.5) / 0.5)
            labels.append(number)
    return torch.from_numpy(np.stack(images))[:, None], torch.tensor(labels)


def _save(folder: Path, model: torch.nn.Module, history: list[dict[str, float]], step: int) -> None:
    folder.mkdir(parents=True)
    model.config.save_pretrained(folder)  # type: ignore[operator, union-attr]
    save_file(
        {name: tensor.contiguous().clone() for name, tensor in model.state_dict().items()},
        folder / "model.safetensors",
        metadata={"format": "pt"},
    )
    state = {
        "global_step": step,
        "epoch": step / 4,
        "max_steps": max(STEPS),
        "num_train_epochs": 3,
        "log_history": list(history),
    }
    (folder / "trainer_state.json").write_text(json.dumps(state))
    preprocessing = {
        "image_processor_type": "ViTImageProcessor",
        "do_resize": True,
        "size": {"height": SIZE, "width": SIZE},
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": [0.5],
        "image_std": [0.5],
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessing))
