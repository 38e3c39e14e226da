"""The measurements as docs/benchmarks.md."""

from __future__ import annotations

import os
import platform
from datetime import datetime
from pathlib import Path
from typing import Any

import torch

from benchmarks import peers
from benchmarks.targets import FLOOR_RATIOS, checks
from benchmarks.workloads import NAMES

HEAD = """# Benchmarks

Written by `make benchmark`; do not edit.

**FLOOR-A** is one plain training epoch (batched forward and backward, parameter gradients included) over
the same examples at every checkpoint, without the optimizer step. Methods run in turn in one process;
figures are medians of the number of runs in the column "runs" (one that takes longer than a minute runs
once). Wall time suffers from whatever else the machine does (see the load of each part); the ratio of
processor times ("cpu") less. Peak memory is that of one call above imports, model and data, each method in
a process of its own. Accuracy, on the first 100 training examples, is against batches of one in float64:
relative error = max |difference| / max |true score| of the worst query; Spearman correlation, mean over
queries; top-10 = mean share of the true ten strongest proponents and opponents that are among the tool's
ten (of the largest ten for self-influence). With so few examples a good top-10 is easy; the part on sketch
quality has more of them.

The other tools run in the fastest setting found for the same result: captum with
`sample_wise_grads_per_batch=True` (it leaves out Embedding, LayerNorm and BatchNorm without saying so,
which shows in its error), captum Fast (last layer only), kronfluence with the identity in place of the
curvature (Linear and Conv2d only), dattri's TracIn without projection, on some of the examples, and once
where the network has millions of parameters (its row has a FLOOR-A of its own; a run over all would take
many minutes). Rows in bold are this project.
"""


def machine() -> str:
    """The computer and how busy it was, in one line."""
    processor = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        names = [line for line in information.read_text().splitlines() if line.startswith("model name")]
        processor = names[0].partition(":")[2].strip() if names else processor
    if torch.cuda.is_available():
        processor = f"{torch.cuda.get_device_name()} · {processor}"
    load, threads = os.getloadavg()[0], torch.get_num_threads()
    return (
        f"{datetime.now():%d %B %Y, %H:%M} · {processor}, {os.cpu_count()} cores, {threads} torch threads · "
        f"Python {platform.python_version()}, torch {torch.__version__} · load at the start {load:.1f}"
    )


def versions() -> str:
    """The compared tools with their versions."""
    return ", ".join(f"{tool} {peers.version(tool)}" for tool in peers.TOOLS)


def document(results: dict[str, Any]) -> str:
    """The whole document, with the parts that have been measured."""
    parts = [HEAD, _targets(results)]
    parts += [_workload(name, results[name]) for name in NAMES if name in results]
    parts += [_sketch(results["sketch"])] if "sketch" in results else []
    parts += [_search(results["search"])] if "search" in results else []
    return "\n".join(parts)


def _targets(results: dict[str, Any]) -> str:
    found = checks(results)
    missed = [check for check in found if not check.held]
    lines = ["## Targets\n", "| what | found | target | reached |", "| --- | ---: | ---: | :---: |"]
    lines += [check.line() for check in found]
    lines.append("\n### Missed\n")
    lines += [
        f"- {check.line().strip('| ').replace(' | ', '; ').replace('; **no**', '')}" for check in missed
    ]
    if not missed:
        lines.append("None of those measured." if found else "Nothing has been measured.")
    left = [part for part in (*NAMES, "sketch", "search") if part not in results or "failed" in results[part]]
    if left:
        lines.append(f"\nNot measured: {', '.join(left)}.")
    return "\n".join(lines) + "\n"


def _workload(name: str, found: dict[str, Any]) -> str:
    if "failed" in found:
        return f"## {name}: {NAMES[name]}\n\nNot measured: {found['failed']}\n"
    examples, queries, checkpoints, batch = found["sizes"]
    note = f" {found['note']}." if found.get("note") else ""
    lines = [
        f"## {name}: {NAMES[name]}\n\n{found['machine']}. {found['versions']}.\n",
        f"{examples} training examples, {queries} queries, {checkpoints} checkpoints; FLOOR-A and others "
        f"in batches of {batch}.{note}\n",
        "| method | wall s | runs | wall / FLOOR-A | cpu / FLOOR-A | target | peak MB | error | Spearman "
        "| top-10 |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [_row(name, method, row, found["rows"]) for method, row in found["rows"].items()]
    failed = {method: row["failed"] for method, row in found["rows"].items() if "failed" in row}
    lines += [""] + [f"- {method}: {why.replace('|', '/')}" for method, why in failed.items()]
    for method, shares in found.get("profile", {}).items():
        listed = ", ".join(f"`{operation}` {share:.0%}" for operation, share in shares)
        lines.append(f"\nWhere the time of {method} goes (share of its processor time): {listed}.")
    return "\n".join(lines) + "\n"


def _row(name: str, method: str, row: dict[str, Any], rows: dict[str, Any]) -> str:
    if "failed" in row:
        return f"| {method} | failed, see below | | | | | | | | |"
    base = rows[row["floor"]]
    memory = f"{row['memory']:.0f}" if row.get("memory", float("nan")) >= 0 else "–"
    cells = [
        method,
        f"{row['wall']:.2f}",
        str(row["runs"]),
        f"{row['wall'] / base['wall']:.2f}",
        f"{row['cpu'] / base['cpu']:.2f}",
        str(FLOOR_RATIOS.get(method, {}).get(name, "")),
        memory,
        *_accuracy(row),
    ]
    return f"| {' | '.join(cells)} |"


def _accuracy(row: dict[str, Any]) -> list[str]:
    if "error" not in row:
        return ["", "", ""]
    error = f"{row['error']:.1e}" if row["error"] < 1e-3 else f"{row['error']:.3f}"
    return [error, f"{row['spearman']:.3f}", f"{row['top']:.2f}"]


def _sketch(found: dict[str, Any]) -> str:
    if "failed" in found:
        return f"## Sketch quality\n\nNot measured: {found['failed']}\n"
    losses = ", ".join(f"{loss:.2f}" for loss in found["losses"])
    rows = [
        ("mean Spearman correlation with exact scores, per query", "spearman", ".4f", "0.98"),
        ("the same for the worst query", "worst spearman", ".4f", "–"),
        ("mean relative error of a query", "error", ".3f", "–"),
        ("queries with the true top-10 of both signs in the sketch's top-100", "inside", ".1%", "99 %"),
        ("queries whose re-ranked top-10 equal the exact ones, in order", "reranked", ".1%", "100 %"),
    ]
    kinds = found["kinds"]
    lines = [
        f"## Sketch quality\n\n{found['machine']}.\n",
        f"W1 trained on {found['examples']} real digits with small shifts, {found['accuracy']:.1%} right on "
        "1,000 others; three checkpoints, two where the loss falls most and the finished network (training "
        f"losses {losses}); {found['queries']} queries; d = {found['dimension']} per checkpoint, stored as "
        "fp16 unit rows.\n",
        f"| measure | {' | '.join(f'{kind} maps' for kind in kinds)} | target |",
        f"| --- | {'---: | ' * len(kinds)}---: |",
    ]
    for words, key, form, target in rows:
        lines.append(
            f"| {words} | {' | '.join(format(row[key], form) for row in kinds.values())} | {target} |"
        )
    return "\n".join(lines) + "\n"


def _search(found: dict[str, Any]) -> str:
    if "failed" in found:
        return f"## Search\n\nNot measured: {found['failed']}\n"
    total, one, many, copied = (found[key] for key in ("sum", "one", "many", "many bf16"))
    text = f"""## Search

{found["machine"]}.

{found["count"]:,} × {found["dimension"]:,} fp16 rows in memory, top and bottom 100. Rows are converted to
float32 in pieces that stay in the cache, so that many queries share one conversion.

| what | seconds | ratio | target |
| --- | ---: | ---: | ---: |
| summing the same bytes as int64 | {total:.3f} | | |
| one query | {one:.3f} | {one / total:.2f} × the sum | 1.6 |
| 32 queries | {many:.3f} | {many / one:.1f} × one | 16 |
| 32 queries, bf16 copy | {copied:.3f} | {copied / one:.1f} × one | 6 |
"""
    if "gpu" in found:
        gpu = found["gpu"]
        text += (
            f"| one query on the GPU over {gpu['count']:,} rows; {gpu['shared']:.0%} of its top 100 are the "
            f"CPU's | {gpu['one']:.4f} | | 0.01 |\n"
        )
    return text
