"""The measurements as docs/benchmarks.md."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import torch

from benchmarks.methods import (
    CAPTUM_EXACT,
    CAPTUM_SELF,
    EXACT,
    FLOOR_OF,
    SELF,
    SKETCHES,
)
from benchmarks.timing import Timing

TARGETS = {  # most wall time allowed, as a multiple of FLOOR-A
    ("W1", EXACT): 2.0,
    ("W2", EXACT): 1.5,
    ("W3", EXACT): 1.5,
    **{(name, SELF): 1.2 for name in ("W1", "W2", "W3")},
    **{(name, SKETCHES): 1.0 for name in ("W1", "W2", "W3")},
}
WHAT = {"W1": "CNN, 32×32, 0.6 M", "W2": "ResNet-18, 64×64, 11 M", "W3": "BERT-like, 64 tokens, 8.4 M"}


@dataclass(frozen=True)
class Measured:
    """One workload.

    Attributes:
        name: "W1" …
        sizes: Training examples, queries, checkpoints, batch size of FLOOR-A.
        times: By method.
        memory: Peak MB above the imports and data, by method.
        error: Relative error of exact scores against float64.
    """

    name: str
    sizes: tuple[int, int, int, int]
    times: dict[str, Timing]
    memory: dict[str, float]
    error: float


def machine() -> str:
    """The computer and how busy it was, in one paragraph."""
    processor = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        names = [line for line in information.read_text().splitlines() if line.startswith("model name")]
        processor = names[0].partition(":")[2].strip() if names else processor
    load, threads = os.getloadavg()[0], torch.get_num_threads()
    return (
        f"{date.today():%d %B %Y} · {processor}, {os.cpu_count()} cores, {threads} threads · "
        f"Python {platform.python_version()}, torch {torch.__version__} · load average at the start "
        f"{load:.1f}"
    )


def tables(workloads: list[Measured]) -> str:
    """One table per workload."""
    return "\n\n".join(_table(each) for each in workloads)


def _table(each: Measured) -> str:
    examples, queries, checkpoints, batch = each.sizes
    lines = [
        f"### {each.name}: {WHAT[each.name]}",
        "",
        f"{examples} training examples, {queries} queries, {checkpoints} checkpoints; FLOOR-A in batches of "
        f"{batch}. Exact scores against batches of one in float64: relative error {each.error:.1e}.",
        "",
        "| method | wall s | cpu s | wall / FLOOR-A | cpu / FLOOR-A | target | peak MB |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for method, found in each.times.items():
        row = f"| {method} | {found.wall:.2f} | {found.cpu:.2f} |"
        if method in FLOOR_OF:
            base = each.times[FLOOR_OF[method]]
            target = TARGETS.get((each.name, method))
            row += f" {found.wall / base.wall:.2f} | {found.cpu / base.cpu:.2f} | {target or '–'} |"
        else:
            row += " 1 | 1 | – |"
        lines.append(f"{row} {each.memory[method]:.0f} |")
    for theirs, ours in ((CAPTUM_EXACT, EXACT), (CAPTUM_SELF, SELF)):
        if theirs in each.times:
            speed = each.times[theirs].wall / each.times[ours].wall
            memory = each.memory[ours] / max(each.memory[theirs], 1.0)
            lines += ["", f"{ours}: {speed:.1f} × as fast as {theirs}, in {memory:.2f} of its memory."]
    return "\n".join(lines)


def document(where: str, workloads: list[Measured], sketch: dict[str, Any], search: dict[str, float]) -> str:
    """The whole document."""
    return f"""# Benchmarks

Written by `make benchmark`; do not edit. {where}.

**FLOOR-A** is one plain training epoch (batched forward and backward, parameter gradients included) over
the same examples at every checkpoint, without the optimizer step. Methods run in turn, the figures are
medians. Wall time suffers from whatever else the machine does; the ratio of processor times less. Memory is
the peak above imports, model and data, each method in a process of its own. captum is measured with
`sample_wise_grads_per_batch=True`, its fastest setting with full gradients; it leaves out Embedding,
LayerNorm and BatchNorm without saying so.

## Time and memory

{tables(workloads)}

## Sketch quality

W1 trained on {sketch["examples"]} real digits (accuracy {sketch["accuracy"]:.1%} on others),
{sketch["queries"]} queries, three checkpoints, d = {sketch["dimension"]} per checkpoint, stored as fp16.

| measure | found | target |
| --- | ---: | ---: |
| mean Spearman correlation with exact scores, per query | {sketch["spearman"]:.4f} | 0.98 |
| queries with the true top-10 of both signs in the sketch's top-100 | {sketch["inside"]:.1%} | 99 % |
| queries whose re-ranked top-10 equal the exact ones, in order | {sketch["reranked"]:.1%} | – |

## Search

200,000 × 2,048 fp16 rows in memory, top and bottom 100.

| what | seconds | ratio | target |
| --- | ---: | ---: | ---: |
| summing the same bytes as int64 | {search["sum"]:.3f} | | |
| one query | {search["one"]:.3f} | {search["one"] / search["sum"]:.2f} × the sum | 1.6 |
| 32 queries | {search["many"]:.3f} | {search["many"] / search["one"]:.1f} × one | 16 |
| 32 queries, bf16 copy | {search["many bf16"]:.3f} | {search["many bf16"] / search["one"]:.1f} × one | 6 |
"""
