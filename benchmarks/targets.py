"""What the project wants to reach, and whether a set of measurements does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.methods import EXACT, FITTED, SELF, SKETCHES
from benchmarks.peers import CAPTUM_EXACT, CAPTUM_SELF

FLOOR_RATIOS = {  # most wall time, as a multiple of FLOOR-A
    EXACT: {"W1": 2.0, "W2": 1.5, "W3": 1.5},
    SELF: dict.fromkeys(("W1", "W2", "W3"), 1.2),
    SKETCHES: dict.fromkeys(("W1", "W2", "W3"), 1.0),
    FITTED: dict.fromkeys(("W1", "W2", "W3"), 1.0),
}
CAPTUM_TIMES = {"W1": 2.0, "W2": 2.0, "W3": 1.5}
EXACTNESS = 1e-4


@dataclass(frozen=True)
class Check:
    """One figure beside its limit.

    Attributes:
        what: In words.
        found: The figure.
        limit: What it is compared with.
        least: Whether the limit is the least allowed, not the most.
        note: Processor time, where the figure is wall time.
    """

    what: str
    found: float
    limit: float
    least: bool = False
    note: str = ""

    @property
    def held(self) -> bool:
        """Whether the figure is within its limit; a missing figure is not."""
        return self.found >= self.limit if self.least else self.found <= self.limit

    def line(self) -> str:
        """A row of the table of targets."""
        sign, verdict = "≥" if self.least else "≤", "yes" if self.held else "**no**"
        note = f" ({self.note})" if self.note else ""
        return f"| {self.what} | {_number(self.found)}{note} | {sign} {_number(self.limit)} | {verdict} |"


def checks(results: dict[str, Any]) -> list[Check]:
    """All checks that the measured parts allow."""
    found: list[Check] = []
    for name in ("W1", "W2", "W3", "real"):
        if "rows" in results.get(name, {}):
            found += _workload(name, results[name]["rows"])
    if "kinds" in results.get("sketch", {}):
        found += _sketch(results["sketch"])
    if "sum" in results.get("search", {}):
        found += _search(results["search"])
    return found


def _workload(name: str, rows: dict[str, Any]) -> Iterator[Check]:
    for method, limits in FLOOR_RATIOS.items():
        if name in limits and "wall" in rows.get(method, {}):
            row = rows[method]
            base = rows[row["floor"]]
            note = f"cpu {row['cpu'] / base['cpu']:.2f}"
            yield Check(
                f"{name}: {_plain(method)}, × FLOOR-A", row["wall"] / base["wall"], limits[name], note=note
            )
    for ours, theirs in ((EXACT, CAPTUM_EXACT), (SELF, CAPTUM_SELF)):
        one, two = rows.get(ours, {}), rows.get(theirs, {})
        if name in CAPTUM_TIMES and "wall" in one and "wall" in two:
            note = f"cpu {two['cpu'] / one['cpu']:.2f}"
            what = f"{name}: {_plain(ours)}, times faster than {theirs}"
            yield Check(what, two["wall"] / one["wall"], CAPTUM_TIMES[name], True, note)
            if "memory" in one and "memory" in two:
                what = f"{name}: {_plain(ours)}, peak memory as a share of {theirs}"
                yield Check(what, one["memory"] / max(two["memory"], 1.0), 0.5)
    for method in (EXACT, SELF):
        if "error" in rows.get(method, {}):
            yield Check(
                f"{name}: {_plain(method)}, relative error to float64", rows[method]["error"], EXACTNESS
            )
    if "gpu" in rows.get(EXACT, {}):
        yield Check(f"{name}: relative difference between GPU and CPU", rows[EXACT]["gpu"], EXACTNESS)


def _sketch(found: dict[str, Any]) -> Iterator[Check]:
    yield Check("trained W1: accuracy on other digits", found["accuracy"], 0.95, True)
    for kind, row in found["kinds"].items():
        name = f"trained W1, {kind} maps"
        yield Check(f"{name}: mean Spearman correlation, sketched to exact", row["spearman"], 0.98, True)
        yield Check(f"{name}: queries with the true top-10 in the top-100", row["inside"], 0.99, True)
        yield Check(f"{name}: queries whose re-ranked top-10 is the exact one", row["reranked"], 1.0, True)


def _search(found: dict[str, Any]) -> Iterator[Check]:
    yield Check("search: one query, × summing the same bytes", found["one"] / found["sum"], 1.6)
    yield Check("search: 32 queries, × one", found["many"] / found["one"], 16)
    yield Check("search: 32 queries with a bf16 copy, × one", found["many bf16"] / found["one"], 6)
    if "gpu" in found:
        yield Check("search: one query over a million rows on the GPU, ms", 1000 * found["gpu"]["one"], 10)


def _plain(method: str) -> str:
    return method.replace("*", "")


def _number(value: float) -> str:
    if value != value:
        return "–"
    return f"{value:.1e}" if 0 < abs(value) < 1e-3 else f"{value:.4g}" if value > 0.9 else f"{value:.2f}"
