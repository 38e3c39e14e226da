"""Does reviewing help? The digits demo, a simulated annotator with the known truth, and a full retraining.

    python -m benchmarks.acceptance_evidence [--home DIR] [--seeds 5]

Prints test accuracy with the noisy labels and with the decisions (mean over seeds, intervals), the first
order estimate made before any retraining with its sign, and the planted-noise self-test; status 1 when a
limit is missed. `tracin-viz retrain digits --simulate 10 --full` prints the first two in more words.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.acceptance import MISSED, ask, report

#: Share of the training examples, the most suspicious, that the annotator looks at.
REVIEWED = 10


def retrained(home: Path, how: str, seeds: int) -> dict[str, Any]:
    """Retrain with and without the simulated decisions and print what came of it."""
    began = time.monotonic()
    full = ["--full"] if how == "full" else []
    found = ask(home, "retrain", "digits", "--simulate", str(REVIEWED), "--seeds", str(seeds), *full)
    seconds = time.monotonic() - began
    arms = {arm["name"]: arm for arm in found["arms"]}
    changes, gain, over = found["changes"], found["gain"], found["gain_over_examples"]
    print(
        f"     {how}, {seeds} seeds, {changes['relabelled']} labels corrected by looking at the top "
        f"{REVIEWED} % ({seconds:.0f} s with the estimate)"
    )
    for name in ("given", "decided"):
        arm = arms[name]
        print(
            f"     test accuracy, labels {name}: {arm['mean']:.2%} "
            f"[{arm['low']:.2%}, {arm['high']:.2%}], loss {arm['loss']:.3f}"
        )
    print(f"     over held-out examples: {over['mean']:+.2%} [{over['low']:+.2%}, {over['high']:+.2%}]")
    report(
        f"digits, {how}: accuracy gained, lower end of 95 % over {seeds} seeds (mean {gain['mean']:+.2%})",
        100 * gain["low"],
        0.0,
        "points",
        least=True,
    )
    return found


def estimated(found: dict[str, Any]) -> None:
    """Compare the sign of the estimate with what the retraining did to the loss."""
    overall, real = found["estimate"]["overall"], found["loss_gain"]
    unit = "" if found["estimate"]["unit"] == "loss" else " (no unit)"
    print(
        f"     first-order estimate: loss falls by {overall['mean']:+.3g} [{overall['low']:+.3g}, "
        f"{overall['high']:+.3g}]{unit}; retraining: {real['mean']:+.3g} [{real['low']:+.3g}, "
        f"{real['high']:+.3g}]"
    )
    if abs(overall["mean"]) > overall["loss_now"]:
        print("     the size of the estimate is more than the whole loss: only its sign means something")
    right = overall["sign"] == real["sign"] != 0
    report("digits: sign of the estimate is clear and right", float(right), 1, "", least=True)


def tested(home: Path, *arguments: str) -> None:
    """Plant wrong labels and print what is found."""
    found = ask(home, "self-test", "digits", "--noise", "5", *arguments)
    for entry in found["at"]:
        one = entry["self-influence"]
        print(
            f"     self-test ({found['how']}): top {entry['percent']:g} % hold {one['mean']:.1%} "
            f"[{one['low']:.1%}, {one['high']:.1%}] of {found['planted']} planted labels"
        )
    top = found["at"][-1]
    report(
        f"digits, {found['how']}: planted labels found in the top {top['percent']:g} %",
        100 * top["self-influence"]["mean"],
        80,
        "%",
        least=True,
    )


def main() -> int:
    """Run everything."""
    parser = argparse.ArgumentParser(description="Measure whether decisions help.")
    parser.add_argument("--home", type=Path, help="a workspace to use and keep (default: a temporary one)")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--full-self-test", action="store_true", help="also train whole networks on copies")
    options = parser.parse_args()
    home = options.home or Path(tempfile.mkdtemp(prefix="tracin-viz-evidence-"))
    try:
        ask(home, "demo", "digits")
        retrained(home, "last-layer", options.seeds)
        estimated(retrained(home, "full", options.seeds))
        tested(home)
        if options.full_self_test:
            tested(home, "--full", "--seeds", "3")
    finally:
        if options.home is None:
            shutil.rmtree(home, ignore_errors=True)
    print("all limits held" if not MISSED else f"missed: {', '.join(MISSED)}")
    return 1 if MISSED else 0


if __name__ == "__main__":
    sys.exit(main())
