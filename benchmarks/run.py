"""`make benchmark`: measures the engine against a training epoch and other tools; writes docs/benchmarks.md.

python benchmarks/run.py                       everything, about 25 minutes on two quiet cores
python benchmarks/run.py --only W1 search      some parts; the document keeps the others as last measured
python benchmarks/run.py --only W1 --tools captum    fewer tools
python benchmarks/run.py --report              the document again, from what was measured
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch

from benchmarks import judge, quality, report, searching, timing
from benchmarks.digits import trained_digits
from benchmarks.methods import EXACT, Method, engine_of, methods
from benchmarks.peers import TOOLS
from benchmarks.targets import FLOOR_RATIOS
from benchmarks.workloads import SIZES, TINY, Workload, build

PARTS = ("W1", "W2", "W3", "sketch", "search", "real")  # what matters most comes first
JUDGED = 100  # training examples, at most, whose true scores are computed: float64 is slow
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def say(line: str) -> None:
    """Progress."""
    print(line, flush=True)


def measured(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """One workload: times, accuracy and memory of all methods."""
    sizes = (TINY if options.tiny else SIZES)[name]
    work = build(name, sizes, device=DEVICE)
    rows: dict[str, dict[str, Any]] = {}
    found = methods(work, options.tools)
    say("  true scores in float64")
    count = min(JUDGED, sizes.examples)
    truth = judge.truth_of(name, work.first(count, sizes.queries), sizes, options.folder)
    timings = timing.interleaved(
        {method: each.run for method, each in found.items()},
        options.repeats,
        once=[method for method, each in found.items() if each.once],
        say=say,
    )
    for method, each in found.items():
        times = timings[method]
        if times.failed:
            rows[method] = {"failed": times.failed}
            continue
        rows[method] = {"wall": times.wall, "cpu": times.cpu, "runs": len(times.walls), "floor": each.floor}
        if each.scores is not None:
            scores = each.scores(times.result)
            true = truth.influence if scores.ndim == 2 else truth.itself
            if each.part:
                true = true[: each.part[1], : each.part[0]]
            rows[method] |= judge.accuracy(scores[..., : true.shape[-1]], true)
    if DEVICE == "cuda":
        rows[EXACT] |= _against_the_cpu(work)
    _add_memory(name, rows, options)
    profile = {method: timing.where_time_goes(found[method].run) for method in _missed(name, rows)}
    return {
        "sizes": sizes,
        "note": work.note,
        "rows": rows,
        "profile": profile,
        "versions": report.versions(),
    }


def _against_the_cpu(work: Workload) -> dict[str, float]:
    there = engine_of(work).influence(work.train, work.queries)
    here = engine_of(work.on("cpu")).influence(work.train, work.queries)
    work.on(DEVICE)
    return {"gpu": judge.accuracy(there, here)["error"]}


def _missed(name: str, rows: dict[str, dict[str, Any]]) -> list[str]:
    """Our methods above their limit: the document shows where their time goes."""
    limits = {method: each[name] for method, each in FLOOR_RATIOS.items() if name in each}
    return [
        method
        for method, limit in limits.items()
        if "wall" in rows.get(method, {})
        and rows[method]["wall"] > limit * rows[rows[method]["floor"]]["wall"]
    ]


def _add_memory(name: str, rows: dict[str, dict[str, Any]], options: argparse.Namespace) -> None:
    """Peak memory of each method in a process of its own, two processes at a time."""
    if options.no_memory:
        return
    say("  peak memory, one process each")
    chosen = [method for method in rows if "failed" not in rows[method]]
    flags = ["--tiny"] if options.tiny else []
    with ThreadPoolExecutor(1 if DEVICE == "cuda" else 2) as pool:
        memory = pool.map(lambda method: timing.memory_elsewhere(name, method, *flags), chosen)
        for method, peak in zip(chosen, memory, strict=True):
            rows[method]["memory"] = peak


def searched(options: argparse.Namespace) -> dict[str, Any]:
    """The search part; with a GPU also there."""
    found = searching.search_speed(2000 if options.tiny else 200_000, repeats=max(options.repeats, 1))
    if DEVICE == "cuda":
        found["gpu"] = searching.gpu_search(4000 if options.tiny else 1_000_000)
    return found


def sketched(options: argparse.Namespace) -> dict[str, Any]:
    """The part on sketch quality."""
    if not options.tiny:
        return quality.sketch_quality(trained_digits(device=DEVICE))
    return quality.sketch_quality(trained_digits(200, 4, kept=(1, 2)))


def measure(part: str, options: argparse.Namespace) -> dict[str, Any]:
    """One part; what cannot be measured says why."""
    head = {"machine": f"{report.machine()}, {options.repeats} repeats"}
    try:
        if part == "sketch":
            return head | sketched(options)
        return head | (searched(options) if part == "search" else measured(part, options))
    except Exception as error:  # the other parts still count
        return head | {"failed": " ".join(f"{type(error).__name__}: {error}".split())}


def write_report(folder: Path, document: Path) -> None:
    """The document from every part that has been measured."""
    files = {part: folder / f"{part}.json" for part in PARTS}
    results = {part: json.loads(file.read_text()) for part, file in files.items() if file.exists()}
    document.write_text(report.document(results), encoding="utf-8")


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="parts to measure")
    parser.add_argument(
        "--tools", nargs="*", choices=list(TOOLS), default=list(TOOLS), help="tools to compare with"
    )
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2, help="threads of torch")
    parser.add_argument(
        "--no-memory", action="store_true", help="leave peak memory out: it takes a third of the time"
    )
    parser.add_argument("--report", action="store_true", help="only write the document again")
    parser.add_argument("--tiny", action="store_true", help="a few examples, to see that everything runs")
    parser.add_argument(
        "--folder", type=Path, default=timing.ROOT / "build" / "benchmarks", help="measurements"
    )
    parser.add_argument("--document", type=Path, default=timing.ROOT / "docs" / "benchmarks.md")
    parser.add_argument("--memory", nargs=2, metavar=("WORKLOAD", "METHOD"), help=argparse.SUPPRESS)
    return parser.parse_args(given)


def main(options: argparse.Namespace) -> None:
    """Measure what was asked for; each part is kept as soon as it is done."""
    torch.set_num_threads(options.threads)
    if options.memory:
        name, method = options.memory
        sizes = (TINY if options.tiny else SIZES)[name]
        print(json.dumps(timing.memory_here(lambda: _method(name, method, sizes).run)))
        return
    options.folder.mkdir(parents=True, exist_ok=True)
    for part in [] if options.report else options.only:
        say(f"measuring {part}")
        began = time.monotonic()
        found = measure(part, options)
        (options.folder / f"{part}.json").write_text(json.dumps(found, indent=1))
        write_report(options.folder, options.document)
        say(f"  {found.get('failed', 'done')} ({time.monotonic() - began:.0f} s)")
    write_report(options.folder, options.document)


def _method(name: str, method: str, sizes: Any) -> Method:
    return methods(build(name, sizes, device=DEVICE))[method]


if __name__ == "__main__":
    main(arguments())
