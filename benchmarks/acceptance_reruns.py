"""Processor time that a rerun of each page costs the server, beyond what an empty page costs.

    python -m benchmarks.acceptance_reruns [--home build/large] [--audit pictures] [--repeat 7]

Streamlit's own test harness runs the pages in this process, with the large audit and everything warm; the
median of the processor time of a rerun, less that of a page with a title only. Part of ``make acceptance``.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from streamlit.testing.v1 import AppTest

from tracin_viz.config import HOME_VARIABLE
from tracin_viz.ui.navigation import PAGES

ROOT = Path(__file__).resolve().parents[1]
LIMIT = 0.1


def rerun_seconds(app: AppTest, repeat: int) -> float:
    """Median of the processor time of ``repeat`` reruns, after two that warm up."""
    times = []
    for _ in range(repeat + 2):
        begun = time.process_time()
        app.run()
        times.append(time.process_time() - begun)
    if app.exception:
        raise SystemExit(f"the page failed: {app.exception[0].value}")
    return statistics.median(times[2:])


def main() -> int:
    """Measure and print; 1 when a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--home", type=Path, default=ROOT / "build" / "large")
    parser.add_argument("--audit", default="pictures")
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--only", nargs="*", default=list(PAGES))
    options = parser.parse_args()
    home = options.home.resolve()
    make = [sys.executable, "-m", "benchmarks.large_audits", "--home", str(home), "--only", options.audit]
    subprocess.run(make, check=True, cwd=ROOT)
    os.environ[HOME_VARIABLE] = str(home)

    def empty() -> None:
        import streamlit

        streamlit.title("Nothing")

    nothing = rerun_seconds(AppTest.from_function(empty), options.repeat)
    print(f"an empty page: {1000 * nothing:.0f} ms", flush=True)
    missed = False
    for name in options.only:
        app = AppTest.from_file(str(ROOT / "pages" / "navigation.py"), default_timeout=180)
        app.query_params["audit"] = options.audit
        app.switch_page(str(PAGES[name][0]))
        seconds = rerun_seconds(app, options.repeat) - nothing
        missed |= seconds > LIMIT
        held = "ok  " if seconds <= LIMIT else "MISS"
        print(f"{held} {name}: {1000 * seconds:.0f} ms per rerun (≤ {1000 * LIMIT:.0f})", flush=True)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
