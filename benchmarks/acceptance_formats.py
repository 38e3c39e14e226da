"""The whole matrix: every form of data with every form of model that fits, from the files to the scores.

Run by ``make acceptance``. Each cell is created, computed and asked; its scores must equal those of the first
cell of its kind, because examples, weights and rates are the same in every form.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tests.conftest import end_query_process
from tests.matrix.cells import kinds, scores_of
from tracin_viz.errors import TracinVizError


def main() -> int:
    """Print one line per cell that fails and the number of those that hold; 0 where all do."""
    failed, started = 0, time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        for name, kind in kinds(Path(folder)).items():
            first, held = None, 0
            for data in kind.data:
                for model in kind.models:
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
            cells = len(kind.data) * len(kind.models)
            print(f"{name}: {held} of {cells} cells ({len(kind.data)} × {len(kind.models)}) hold", flush=True)
        end_query_process(home)
    print(f"{time.perf_counter() - started:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
