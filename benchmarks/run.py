"""`make benchmark`: measures the engine against a training epoch and captum; writes docs/benchmarks.md.

python benchmarks/run.py                     everything, about fifteen minutes on two quiet cores
python benchmarks/run.py --only W1 search    some parts; the document keeps the others as last measured
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch

from benchmarks import quality, report, timing
from benchmarks.methods import methods
from benchmarks.workloads import SIZES, build

RESULTS = timing.ROOT / "build" / "benchmarks.json"


def measured(name: str, repeats: int) -> dict[str, Any]:
    """One workload: times, memory, accuracy."""
    work = build(name)
    times = timing.interleaved(methods(work), repeats)
    memory = {method: timing.memory_elsewhere(name, method) for method in times}
    seconds = {method: [found.wall, found.cpu] for method, found in times.items()}
    return {"sizes": SIZES[name], "seconds": seconds, "memory": memory, "error": quality.exactness(name)}


def main() -> None:
    """Reads the command line and measures."""
    parts: dict[str, Callable[[int], dict[str, Any]]] = {
        **{name: lambda repeats, name=name: measured(name, repeats) for name in SIZES},  # type: ignore[misc]
        "sketch": lambda repeats: quality.sketch_quality(),
        "search": lambda repeats: quality.search_speed(repeats=repeats),
    }
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=list(parts), default=list(parts))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, help="threads of torch; one is fairer on a busy machine")
    parser.add_argument("--memory", nargs=2, metavar=("WORKLOAD", "METHOD"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    if arguments.memory:
        workload, method = arguments.memory
        print(json.dumps(timing.memory_here(lambda: methods(build(workload))[method])))
        return
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for part in arguments.only:
        print(f"measuring {part}", flush=True)
        where = f"{report.machine()}, {arguments.repeats} repeats"
        results[part] = {"machine": where, **parts[part](arguments.repeats)}
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(results, indent=1))
        (timing.ROOT / "docs" / "benchmarks.md").write_text(report.document(results), encoding="utf-8")


if __name__ == "__main__":
    main()
