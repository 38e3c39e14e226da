"""Wall time, processor time and peak memory."""

from __future__ import annotations

import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Timing:
    """Medians in seconds."""

    wall: float
    cpu: float


def interleaved(methods: dict[str, Callable[[], Any]], repeats: int) -> dict[str, Timing]:
    """Runs all methods in turn, ``repeats`` times, so that a slow minute of the machine hits all of them."""
    walls: dict[str, list[float]] = {name: [] for name in methods}
    cpus: dict[str, list[float]] = {name: [] for name in methods}
    for method in methods.values():
        method()  # kernels chosen, caches warm
    for _ in range(repeats):
        for name, method in methods.items():
            wall, cpu = time.perf_counter(), time.process_time()
            method()
            walls[name].append(time.perf_counter() - wall)
            cpus[name].append(time.process_time() - cpu)
    return {name: Timing(statistics.median(walls[name]), statistics.median(cpus[name])) for name in methods}


def memory_here(prepare: Callable[[], Callable[[], Any]]) -> float:
    """Peak resident memory in MB of one call above what was there before it; needs a process of its own."""
    method = prepare()
    gc.collect()
    # The high-water mark of a process starts at that of its parent, so it is set back to the present first.
    Path("/proc/self/clear_refs").write_text("5")
    before = _memory("VmRSS")
    method()
    return _memory("VmHWM") - before


def memory_elsewhere(workload: str, method: str) -> float:
    """``memory_here`` of one method in a new process."""
    command = [sys.executable, str(ROOT / "benchmarks" / "run.py"), "--memory", workload, method]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    return float(json.loads(done.stdout.splitlines()[-1]))


def _memory(field: str) -> float:
    """A line of /proc/self/status in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(field))
