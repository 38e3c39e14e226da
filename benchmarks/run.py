"""`make benchmark`: measures the engine against a training epoch and captum; writes docs/benchmarks.md.

python benchmarks/run.py                 everything, about ten minutes on two cores
python benchmarks/run.py --only W1       one workload; the document is printed, not written
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch

from benchmarks import quality, report, timing
from benchmarks.methods import methods
from benchmarks.workloads import SIZES, build


def measured(name: str, repeats: int) -> report.Measured:
    """One workload: times, memory, accuracy."""
    print(f"{name}: timing", flush=True)
    work = build(name)
    times = timing.interleaved(methods(work), repeats)
    print(f"{name}: memory and accuracy", flush=True)
    memory = {method: timing.memory_elsewhere(name, method) for method in times}
    return report.Measured(name, SIZES[name], times, memory, quality.exactness(name))


def main() -> None:
    """Reads the command line and measures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=list(SIZES))
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
    names = [arguments.only] if arguments.only else list(SIZES)
    before = report.machine()
    workloads = [measured(name, arguments.repeats) for name in names]
    if arguments.only:
        print(report.tables(workloads))
        return
    print("sketch quality and search", flush=True)
    text = report.document(before, workloads, quality.sketch_quality(), quality.search_speed())
    (timing.ROOT / "docs" / "benchmarks.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
