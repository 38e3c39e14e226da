"""What CheckpointRecorder costs per training step: the same loop with and without it, interleaved.

python benchmarks/recorder_overhead.py
"""

from __future__ import annotations

import itertools
import statistics
import tempfile
import time
from pathlib import Path

import torch

from tracin_viz.record import CheckpointRecorder

STEPS, ROUNDS = 300, 7


def network() -> torch.nn.Module:
    """About 0.6 million parameters."""
    torch.manual_seed(0)
    sizes = (256, 768, 512, 10)
    layers = [torch.nn.Linear(wide, out) for wide, out in itertools.pairwise(sizes)]
    return torch.nn.Sequential(layers[0], torch.nn.ReLU(), layers[1], torch.nn.ReLU(), layers[2])


def train(folder: Path | None, save_at: int | str | None = None) -> tuple[float, float, int]:
    """Wall seconds, processor seconds and number of checkpoints of STEPS steps of batch 64."""
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    inputs, labels = torch.randn(64, 256), torch.arange(64) % 10
    recorder = None if folder is None else CheckpointRecorder(folder, model, optimizer, save_at=save_at)
    wall, processor = time.perf_counter(), time.process_time()
    for _ in range(STEPS):
        loss = torch.nn.functional.cross_entropy(model(inputs), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if recorder is not None:
            recorder.step(loss)
    if recorder is not None:
        recorder.close()
    saved = 0 if recorder is None else len(recorder.saved)
    return time.perf_counter() - wall, time.process_time() - processor, saved


def main() -> None:
    """Print one line per way of recording: median time per step and the ratio to no recording."""
    train(None)
    names = ("none", "16, 32, 64 …", "falling", "hook only")
    found: dict[str, list[tuple[float, float, int]]] = {name: [] for name in names}
    for _ in range(ROUNDS):
        found["none"].append(train(None))
        for name, save_at in (("16, 32, 64 …", None), ("falling", "falling"), ("hook only", 10**9)):
            with tempfile.TemporaryDirectory() as folder:
                found[name].append(train(Path(folder) / "run", save_at))
    wall = {name: statistics.median(entry[0] for entry in rows) for name, rows in found.items()}
    processor = {name: statistics.median(entry[1] for entry in rows) for name, rows in found.items()}
    for name, rows in found.items():
        print(
            f"{name:14} {wall[name] / STEPS * 1e3:.3f} ms/step wall ({wall[name] / wall['none']:.3f}), "
            f"{processor[name] / STEPS * 1e3:.3f} ms/step processor "
            f"({processor[name] / processor['none']:.3f}), "
            f"{rows[0][2]} checkpoints"
        )


if __name__ == "__main__":
    main()
