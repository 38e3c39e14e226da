"""The measurements as docs/benchmarks.md."""

from __future__ import annotations

import os
import platform
from datetime import date
from pathlib import Path
from typing import Any

import torch

from benchmarks.methods import CAPTUM_EXACT, CAPTUM_SELF, EXACT, FLOOR_OF, SELF, SKETCHES

TARGETS = {  # most wall time allowed, as a multiple of FLOOR-A
    ("W1", EXACT): 2.0,
    ("W2", EXACT): 1.5,
    ("W3", EXACT): 1.5,
    **{(name, SELF): 1.2 for name in ("W1", "W2", "W3")},
    **{(name, SKETCHES): 1.0 for name in ("W1", "W2", "W3")},
}
WHAT = {"W1": "CNN, 32×32, 0.6 M", "W2": "ResNet-18, 64×64, 11 M", "W3": "BERT-like, 64 tokens, 8.4 M"}
HEAD = """# Benchmarks

Written by `make benchmark`; do not edit.

**FLOOR-A** is one plain training epoch (batched forward and backward, parameter gradients included) over
the same examples at every checkpoint, without the optimizer step. Methods run in turn, the figures are
medians. Wall time suffers from whatever else the machine does (see the load average of each part); the ratio
of processor times less. Memory is the peak above imports, model and data, each method in a process of its
own. captum is measured with `sample_wise_grads_per_batch=True`, its fastest setting with full gradients; it
leaves out Embedding, LayerNorm and BatchNorm without saying so.
"""


def machine() -> str:
    """The computer and how busy it was, in one line."""
    processor = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        names = [line for line in information.read_text().splitlines() if line.startswith("model name")]
        processor = names[0].partition(":")[2].strip() if names else processor
    load, threads = os.getloadavg()[0], torch.get_num_threads()
    return (
        f"{date.today():%d %B %Y} · {processor}, {os.cpu_count()} cores, {threads} torch threads · Python "
        f"{platform.python_version()}, torch {torch.__version__} · load average at the start {load:.1f}"
    )


def document(results: dict[str, Any]) -> str:
    """The whole document, with the parts that have been measured."""
    parts = [HEAD]
    if any(name in results for name in WHAT):
        parts.append("## Time and memory\n")
    parts += [_workload(name, results[name]) for name in WHAT if name in results]
    parts += [_sketch(results["sketch"])] if "sketch" in results else []
    parts += [_search(results["search"])] if "search" in results else []
    return "\n".join(parts)


def _workload(name: str, found: dict[str, Any]) -> str:
    examples, queries, checkpoints, batch = found["sizes"]
    seconds, memory = found["seconds"], found["memory"]
    lines = [
        f"### {name}: {WHAT[name]}\n\n{found['machine']}.\n",
        f"{examples} training examples, {queries} queries, {checkpoints} checkpoints; FLOOR-A in batches of "
        f"{batch}. Exact scores against batches of one in float64: relative error {found['error']:.1e}.\n",
        "| method | wall s | cpu s | wall / FLOOR-A | cpu / FLOOR-A | target | peak MB |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for method, (wall, cpu) in seconds.items():
        base_wall, base_cpu = seconds[FLOOR_OF.get(method, method)]
        target = TARGETS.get((name, method), "–")
        ratios = f"{wall / base_wall:.2f} | {cpu / base_cpu:.2f}"
        lines.append(f"| {method} | {wall:.2f} | {cpu:.2f} | {ratios} | {target} | {memory[method]:.0f} |")
    for theirs, ours in ((CAPTUM_EXACT, EXACT), (CAPTUM_SELF, SELF)):
        if theirs in seconds:
            wall, cpu = (seconds[theirs][i] / seconds[ours][i] for i in (0, 1))
            share = memory[ours] / max(memory[theirs], 1.0)
            lines.append(
                f"\n{ours} takes 1/{wall:.1f} of the wall time of {theirs}, 1/{cpu:.1f} of its cpu time "
                f"and {share:.2f} of its memory."
            )
    return "\n".join(lines) + "\n"


def _sketch(found: dict[str, Any]) -> str:
    return f"""## Sketch quality

{found["machine"]}.

W1 trained on {found["examples"]} real digits (accuracy {found["accuracy"]:.1%} on others),
{found["queries"]} queries, three checkpoints, d = {found["dimension"]} per checkpoint, stored as fp16.

| measure | found | target |
| --- | ---: | ---: |
| mean Spearman correlation with exact scores, per query | {found["spearman"]:.4f} | 0.98 |
| queries with the true top-10 of both signs in the sketch's top-100 | {found["inside"]:.1%} | 99 % |
| queries whose re-ranked top-10 equal the exact ones, in order | {found["reranked"]:.1%} | – |
"""


def _search(found: dict[str, Any]) -> str:
    total, one, many, copied = (found[key] for key in ("sum", "one", "many", "many bf16"))
    return f"""## Search

{found["machine"]}.

200,000 × 2,048 fp16 rows in memory, top and bottom 100. Rows are converted to float32 in pieces that stay in
the cache, so that many queries share one conversion and a bf16 copy brings nothing.

| what | seconds | ratio | target |
| --- | ---: | ---: | ---: |
| summing the same bytes as int64 | {total:.3f} | | |
| one query | {one:.3f} | {one / total:.2f} × the sum | 1.6 |
| 32 queries | {many:.3f} | {many / one:.1f} × one | 16 |
| 32 queries, bf16 copy | {copied:.3f} | {copied / one:.1f} × one | 6 |
"""
