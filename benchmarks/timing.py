"""Wall time, processor time and peak memory."""

from __future__ import annotations

import json
import resource
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
    before = _resident()
    method()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before


def memory_elsewhere(workload: str, method: str) -> float:
    """``memory_here`` of one method in a new process."""
    command = [sys.executable, str(ROOT / "benchmarks" / "run.py"), "--memory", workload, method]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    return float(json.loads(done.stdout.splitlines()[-1]))


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20
