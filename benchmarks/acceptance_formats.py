"""The whole matrix: every form of data with every form of model that fits, from the files to the scores.

Run by ``make acceptance``. Each cell is created, computed and asked; its scores must equal those of the first
cell of its kind, because examples, weights and rates are the same in every form. A part of it:

    python -m benchmarks.acceptance_formats --kinds images --data zip tar.gz --models Trainer Lightning
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tests.conftest import end_query_process
from tests.matrix.cells import kinds, scores_of
from tracin_viz.errors import TracinVizError


def arguments() -> argparse.Namespace:
    """Which part of the matrix the command line asks for; everything by default."""
    parser = argparse.ArgumentParser(description="Every form of data with every form of model that fits.")
    parser.add_argument("--kinds", nargs="*", help="such as images or 'several labels'")
    parser.add_argument("--data", nargs="*", help="forms of data, such as zip or csv")
    parser.add_argument("--models", nargs="*", help="forms of model, such as Trainer")
    return parser.parse_args()


def main() -> int:
    """Print one line per cell that fails and the number of those that hold; 0 where all do."""
    asked, failed, started = arguments(), 0, time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        for name, kind in kinds(Path(folder)).items():
            if asked.kinds is not None and name not in asked.kinds:
                continue
            first, held = None, 0
            forms = [form for form in kind.data if asked.data is None or form in asked.data]
            models = [form for form in kind.models if asked.models is None or form in asked.models]
            for data in forms:
                for model in models:
                    try:
                        found = scores_of(home, kind, data, model)
                    except TracinVizError as error:
                        print(f"{name}: {data} with {model}: {error}")
                        failed += 1
                        continue
                    first = found if first is None else first
                    equal = np.allclose(found, first, rtol=0, atol=1e-5 * np.abs(first).max())
                    held += equal
                    if not equal:
                        failed += 1
                        print(f"{name}: {data} with {model}: the scores differ from the first cell's")
            cells = len(forms) * len(models)
            size = "" if first is None else f"; the scores add up to {np.abs(first).sum():.6g}"
            print(f"{name}: {held} of {cells} cells ({len(forms)} × {len(models)}) hold{size}", flush=True)
        end_query_process(home)
    print(f"{time.perf_counter() - started:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
