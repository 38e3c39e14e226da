"""Memory of large data sets, in reduced form; the full one is ``benchmarks/acceptance_data.py``."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import tracin_viz.data.formats.detection  # noqa: F401  # its import is not part of what data keep
from tracin_viz.data.dataset import open_dataset


def kept_bytes(path: Path) -> tuple[int, int]:
    """Python and numpy bytes that an opened data set keeps, and its number of examples."""
    tracemalloc.start()
    try:
        data = open_dataset(path, verify=False)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return kept, sum(len(part) for part in data.splits.values())


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_table_keeps_no_python_object_for_each_row(tmp_path, ending):
    count = 40_000
    rows = (f"a text that is as long as a sentence {row}" for row in range(count))
    with (tmp_path / f"t.{ending}").open("w") as stream:
        if ending == "csv":
            stream.write("text,label,split\n" + "".join(f"{row},x{len(row)},train\n" for row in rows))
        else:
            stream.writelines(
                f'{{"text": "{row}", "label": "x{len(row)}", "split": "train"}}\n' for row in rows
            )
    kept, found = kept_bytes(tmp_path / f"t.{ending}")
    assert found == count
    # Three arrays of 8 bytes; a str of such a text alone takes 90.
    assert kept / count < 60


def test_images_by_path_cost_a_few_hundred_bytes_each(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (3000, 12), dtype=np.uint8)
    for row, values in enumerate(pixels):
        target = tmp_path / "train" / "ab"[row % 2] / f"{row}.ppm"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(b"P6 2 2 255\n" + values.tobytes())
    kept, found = kept_bytes(tmp_path)
    assert found == 3000 and kept / 3000 < 700
