"""Wall time, processor time, peak memory, and where the time goes."""

from __future__ import annotations

import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

ROOT = Path(__file__).resolve().parents[1]
SHORT = 3.0  # seconds: below, the first run only warms up; above, what warms up is lost in the rest
LONG = 60.0  # seconds: above, the first run is the only one


@dataclass
class Timing:
    """One method's times.

    Attributes:
        walls: Seconds of each repetition.
        cpus: Processor seconds of each repetition, over all threads.
        result: What the last repetition returned.
        failed: Why there are no times.
    """

    walls: list[float] = field(default_factory=list)
    cpus: list[float] = field(default_factory=list)
    result: Any = None
    failed: str = ""

    @property
    def wall(self) -> float:
        """Median."""
        return statistics.median(self.walls)

    @property
    def cpu(self) -> float:
        """Median."""
        return statistics.median(self.cpus)


def interleaved(
    methods: dict[str, Callable[[], Any]],
    repeats: int,
    *,
    once: Collection[str] = (),
    say: Callable[[str], None] = lambda line: None,
) -> dict[str, Timing]:
    """Runs all methods in turn, ``repeats`` times, so that a slow minute of the machine hits all of them.

    A method that raises is left out from then on, with its error; those in ``once`` run once.
    """
    timings = {name: Timing() for name in methods}
    for name, method in methods.items():
        _measure(timings[name], method)
        say(f"  {name}: {timings[name].failed or f'{timings[name].walls[0]:.2f} s'}")
        if not timings[name].failed and timings[name].walls[0] < SHORT and name not in once:
            timings[name].walls, timings[name].cpus = [], []  # kernels chosen, caches warm
    for round_ in range(repeats):
        for name, method in methods.items():
            timing = timings[name]
            alone = name in once or bool(timing.walls and timing.walls[0] > LONG)
            if not timing.failed and len(timing.walls) < (1 if alone else repeats):
                _measure(timing, method)
        say(f"  round {round_ + 1} of {repeats}")
    return timings


def _measure(timing: Timing, method: Callable[[], Any]) -> None:
    timing.result = None
    gc.collect()
    _finish()
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        timing.result = method()
    except Exception as error:  # whatever another tool raises belongs into the table
        timing.failed = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        return
    _finish()
    timing.walls.append(time.perf_counter() - wall)
    timing.cpus.append(time.process_time() - cpu)


def _finish() -> None:
    """Waits for the GPU, whose work is only queued when a call returns."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def memory_here(prepare: Callable[[], Callable[[], Any]]) -> float:
    """Peak memory in MB of one call above what was there before it; needs a process of its own.

    Memory of the GPU where there is one, resident memory of the process otherwise.
    """
    method = prepare()
    gc.collect()
    if torch.cuda.is_available():
        _finish()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        method()
        _finish()
        return (torch.cuda.max_memory_allocated() - before) / 2**20
    # The high-water mark of a process starts at that of its parent, so it is set back to the present first.
    Path("/proc/self/clear_refs").write_text("5")
    resident = _memory("VmRSS")
    method()
    return _memory("VmHWM") - resident


def memory_elsewhere(workload: str, method: str, *options: str) -> float:
    """``memory_here`` of one method in a new process; NaN where it fails there."""
    command = [sys.executable, str(ROOT / "benchmarks" / "run.py"), "--memory", workload, method, *options]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
    return float(json.loads(done.stdout.splitlines()[-1])) if done.returncode == 0 else float("nan")


def _memory(name: str) -> float:
    """A line of /proc/self/status in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))


def where_time_goes(method: Callable[[], Any], most: int = 8) -> list[tuple[str, float]]:
    """Operations with the largest share of a call's own processor time, and the shares."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        method()
    events = sorted(profile.key_averages(), key=lambda event: -event.self_cpu_time_total)
    total = sum(event.self_cpu_time_total for event in events) or 1
    return [(event.key, event.self_cpu_time_total / total) for event in events[:most]]
