"""Two large audits to measure the pages on: 100,000 pictures with all results, a million rows with a map.

    python -m benchmarks.large_audits [--home build/large] [--only pictures rows]

*Pictures*: 100,000 training and 2,000 test pictures of 32×32 with one given label in twenty wrong, a
convolutional network of about 0.6 M parameters, five checkpoints; created, computed and mapped by the
package like any other audit. *Rows*: 1,000,000 rows of eight numbers and a small network, one checkpoint,
computed by the package; its map is drawn here at random around 40 centres, because UMAP takes hours for them.
Made once (about half an hour for the pictures on two cores) and kept.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from PIL import Image
from torch.nn import functional

from tracin_viz.audit import Workspace
from tracin_viz.config import Home
from tracin_viz.fingerprint import FORMAT
from tracin_viz.record import CheckpointRecorder
from tracin_viz.store import plan as plans
from tracin_viz.store.artifacts import ArtifactStore
from tracin_viz.store.parts import MAP_FILE, write_frame

ROOT = Path(__file__).resolve().parents[1]
PICTURES, TESTS, SIDE = 100_000, 2_000, 32
ROWS, FEATURES = 1_000_000, 8
GROUPS = 10_000
CLASSES = ("disc", "ring", "square", "frame", "cross", "bars", "stairs", "wedge", "dots", "waves")
WRONG = 0.05
BATCH, RATE = 64, 0.05
KEPT = (300, 600, 900, 1200, 1500)
CENTRES = 40

Pixels = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]

_CODE = """import torch
TASK = "tabular"
CLASSES = ["low", "middle", "high"]

def build_model():
    return torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.Tanh(), torch.nn.Linear(16, 3))
"""


def main() -> int:
    """Make what is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--home", type=Path, default=ROOT / "build" / "large")
    parser.add_argument(
        "--only", nargs="*", default=["pictures", "rows"], choices=["pictures", "rows", "groups"]
    )
    options = parser.parse_args()
    workspace = Workspace(Home(options.home.resolve()))
    if "pictures" in options.only:
        pictures(workspace)
    if "rows" in options.only:
        rows(workspace)
    if "groups" in options.only:
        groups(workspace)
    return 0


def pictures(workspace: Workspace) -> None:
    """The audit ``pictures``, whole."""
    folder = workspace.home.root / "files" / "pictures"
    if not workspace.has("pictures"):
        draw = np.random.default_rng(0)
        labels, shown = _drawn(PICTURES, draw)
        given = np.where(
            draw.random(PICTURES) < WRONG, (labels + draw.integers(1, 10, PICTURES)) % 10, labels
        )
        _write_pictures(folder / "data" / "train", shown, given)
        tests, seen = _drawn(TESTS, draw)
        _write_pictures(folder / "data" / "test", seen, tests)
        order = np.lexsort((np.arange(PICTURES), np.array(CLASSES)[given]))  # of the files' paths
        _write_truth(folder / "truth.csv", labels[order], given[order])
        _train(folder / "model", shown, given)
        workspace.create("pictures", data=folder / "data", model=folder / "model", truth=folder / "truth.csv")
    _compute(workspace, "pictures")


def rows(workspace: Workspace) -> None:
    """The audit ``rows``, with a map drawn at random."""
    _with_drawn_map(workspace, "rows", ROWS)


def groups(workspace: Workspace) -> None:
    """The audit ``groups``: 10,000 rows, with a map drawn at random too."""
    _with_drawn_map(workspace, "groups", GROUPS)


def _with_drawn_map(workspace: Workspace, name: str, size: int) -> None:
    _tabular(workspace, name, size)
    job = None
    if not workspace.open(name).ready().scores:
        job = _started(workspace, name, "--sketch", "random", "--sketch-dim", "64")
        while not workspace.open(name).ready().scores:
            if job.poll() not in (None, 0):
                raise SystemExit(f"computing {name} failed")
            time.sleep(1)
    if job is not None:  # the run would go on with a real map, for hours, and look for a cancel only after it
        job.kill()
        job.wait()
    plan = plans.require(workspace.home, name)
    if not workspace.open(name).ready().map:
        _draw_map(ArtifactStore(workspace.home.artifacts), plan.map_key, size)


def _tabular(workspace: Workspace, name: str, size: int) -> None:
    """Register an audit of ``size`` rows of random numbers and a network that never learned."""
    if workspace.has(name):
        return
    folder = workspace.home.root / "files" / name
    (folder / "data").mkdir(parents=True, exist_ok=True)
    (folder / "model").mkdir(exist_ok=True)
    draw = np.random.default_rng(1)
    for split, number in (("train", size), ("test", 1000)):
        values = draw.normal(size=(number, FEATURES)).astype(np.float32)
        level = np.digitize(values[:, 0] + 0.3 * draw.normal(size=number), (-0.5, 0.5))
        table = pd.DataFrame(values, columns=[f"feature {place}" for place in range(FEATURES)])
        table["label"] = np.array(["low", "middle", "high"])[level]
        table.to_parquet(folder / "data" / f"{split}.parquet")
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(FEATURES, 16), torch.nn.Tanh(), torch.nn.Linear(16, 3))
    torch.save(network.state_dict(), folder / "model" / "net-100.pt")
    (folder / "model" / "model.py").write_text(_CODE)
    workspace.create(
        name,
        data=folder / "data",
        model=folder / "model",
        trust_code=True,
        learning_rates=[0.1],
        mapping=None,
    )


def _drawn(number: int, draw: np.random.Generator) -> tuple[Labels, Pixels]:
    """(n,) classes and (n, 32, 32, 3) pictures: a shape of random place, size and colour in noise."""
    labels = draw.integers(0, 10, number)
    shown = np.empty((number, SIDE, SIDE, 3), dtype=np.uint8)
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    for first in range(0, number, 5000):
        part = labels[first : first + 5000]
        place = draw.uniform(11, 21, (2, len(part), 1, 1)).astype(np.float32)
        size = draw.uniform(6, 10, (len(part), 1, 1)).astype(np.float32)
        u, v = (x - place[0]) / size, (y - place[1]) / size
        far, wide = np.hypot(u, v), np.maximum(abs(u), abs(v))
        masks = (
            far < 1,
            (far < 1) & (far > 0.6),
            wide < 0.9,
            (wide < 0.9) & (wide > 0.55),
            (wide < 1) & ((abs(u) < 0.25) | (abs(v) < 0.25)),
            (wide < 1) & (np.floor(u * 2.5) % 2 == 0),
            (wide < 1) & (np.floor(u * 2) > np.floor(v * 2)),
            (wide < 1) & (u > v) & (u > -v),
            (wide < 1) & (np.floor(u * 2.5) % 2 == 0) & (np.floor(v * 2.5) % 2 == 0),
            (wide < 1) & (abs(v - 0.4 * np.sin(4 * u)) < 0.25),
        )
        mask = np.choose(part[:, None, None], masks)[..., None]
        shape, ground = (
            draw.uniform(90, 255, (len(part), 1, 1, 3)),
            draw.uniform(0, 140, (len(part), 1, 1, 3)),
        )
        noise = draw.normal(0, 25, (len(part), SIDE, SIDE, 3))
        shown[first : first + 5000] = np.clip(np.where(mask, shape, ground) + noise, 0, 255)
    return labels, shown


def _write_pictures(folder: Path, shown: Pixels, given: Labels) -> None:
    for name in CLASSES:
        (folder / name).mkdir(parents=True, exist_ok=True)
    for row, (pixels, label) in enumerate(zip(shown, given.tolist(), strict=True)):
        Image.fromarray(pixels).save(folder / CLASSES[label] / f"{row:06d}.png", compress_level=1)


def _write_truth(path: Path, labels: Labels, given: Labels) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "true_label"])
        writer.writerows((f"train:{row}", CLASSES[labels[row]]) for row in np.flatnonzero(labels != given))


def _train(folder: Path, shown: Pixels, given: Labels) -> None:
    """A ResNet of transformers with about 0.6 M parameters, five checkpoints."""
    from transformers import ResNetConfig, ResNetForImageClassification

    torch.manual_seed(0)
    config = ResNetConfig(
        num_channels=3,
        embedding_size=32,
        hidden_sizes=[32, 64, 208],
        depths=[1, 1, 1],
        layer_type="basic",
        id2label=dict(enumerate(CLASSES)),
        label2id={name: number for number, name in enumerate(CLASSES)},
    )
    model = ResNetForImageClassification(config)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 0.3
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder.parent / "preprocessor_config.json"
    scaling = {"rescale_factor": 1 / 255, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    steps = {
        "do_resize": True,
        "size": {"height": SIDE, "width": SIDE},
        "do_rescale": True,
        "do_normalize": True,
    }
    settings.write_text(json.dumps({**steps, **scaling}))
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=0.9)
    recorder = CheckpointRecorder(folder, model, optimizer, save_at=KEPT, beside=[settings])
    targets = torch.from_numpy(given)
    order = torch.randperm(len(given), generator=torch.Generator().manual_seed(0))
    for step in range(max(KEPT)):
        chosen = order[step * BATCH : (step + 1) * BATCH]
        images = torch.from_numpy(shown[chosen.numpy()]).permute(0, 3, 1, 2).float() / 127.5 - 1
        loss = functional.cross_entropy(model(images).logits, targets[chosen])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        recorder.step(loss)
    recorder.close()
    print(
        f"parameters {sum(p.numel() for p in model.parameters()):,}, last loss {loss.item():.3f}", flush=True
    )


def _compute(workspace: Workspace, name: str) -> None:
    ready = workspace.open(name).ready()
    if not (ready.scores and ready.map) and _started(workspace, name).wait() != 0:
        raise SystemExit(f"computing {name} failed")


def _started(workspace: Workspace, name: str, *settings: str) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-m",
        "tracin_viz",
        "compute",
        name,
        "--home",
        str(workspace.home.root),
        *settings,
    ]
    return subprocess.Popen(command, cwd=ROOT, env=dict(os.environ))


def _draw_map(store: ArtifactStore, key: str, number: int) -> None:
    draw = np.random.default_rng(2)
    cluster = draw.integers(-1, CENTRES, number)
    centres = draw.uniform(-20, 20, (CENTRES + 1, 2))
    wide = np.where(cluster < 0, 8.0, 0.8)[:, None]
    places = (centres[cluster] + wide * draw.normal(size=(number, 2))).astype(np.float32)
    order = np.argsort(-np.bincount(cluster[cluster >= 0], minlength=CENTRES), kind="stable")
    by_size = np.empty(CENTRES, dtype=np.int64)
    by_size[order] = np.arange(CENTRES)
    numbered = np.where(cluster < 0, -1, by_size[cluster])
    membership = np.where(cluster < 0, 0.0, 1.0)
    table = pd.DataFrame(
        {"x": places[:, 0], "y": places[:, 1], "cluster": numbered, "membership": membership}
    )
    with store.writing(key, {"format": FORMAT, "kind": "map", "note": "drawn at random"}) as folder:
        write_frame(folder / MAP_FILE, table)


if __name__ == "__main__":
    sys.exit(main())
