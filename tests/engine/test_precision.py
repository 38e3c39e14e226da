"""Float64 sums have one home, so that devices without float64 keep them on the CPU."""

from __future__ import annotations

import re
from pathlib import Path

import torch

import tracin_viz.engine
from tracin_viz.engine.precision import accumulating, double, zeros

FOLDER = Path(tracin_viz.engine.__file__).parent
#: Wherever a tensor of the device may become float64 outside the one place that knows about Metal.
MAKES_FLOAT64 = re.compile(r"\.double\(\)|dtype=torch\.(float64|double)\b|\.to\(torch\.(float64|double)\)")
ALLOWED = {"precision.py"}


def test_results_of_metal_are_summed_on_the_cpu_and_others_where_they_are():
    assert accumulating(torch.device("mps")) == torch.device("cpu")
    for place in ("cpu", "cuda:1"):
        assert accumulating(torch.device(place)) == torch.device(place)
    assert zeros(2, 3, device=torch.device("mps")).dtype == torch.float64
    assert zeros(2, 3, device=torch.device("mps")).device.type == "cpu"
    assert double(torch.ones(2)).dtype == torch.float64


def test_nothing_in_the_engine_makes_float64_anywhere_else():
    found = [
        f"{file.relative_to(FOLDER)}:{number}"
        for file in sorted(FOLDER.rglob("*.py"))
        if file.name not in ALLOWED
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if MAKES_FLOAT64.search(line)
    ]
    assert found == []
