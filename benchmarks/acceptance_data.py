"""Limits of the data readers: 100,000 images and a million rows opened, and hostile bytes for a minute.

Part of ``make acceptance``. Prints one line per figure, with its limit, and ends with status 1 when one is
missed. Each data set is opened in a process of its own, so that its peak memory is that of opening it.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.data import fuzzing  # noqa: E402  # the repository is no package on the path
from tests.models import hostile_weights  # noqa: E402

IMAGES, ROWS = 100_000, 1_000_000
SECONDS, MEBIBYTES = 60.0, 500.0
MISSED: list[str] = []

#: Opens as creating an audit and as the app afterwards do; the peak is what the system counted for this
#: program alone (``ru_maxrss`` would begin with what the process that started it held).
_OPENING = """
import json, re, sys, time
from pathlib import Path
import tracin_viz.audit
from tracin_viz.data.dataset import open_dataset
from tracin_viz.data.preview import preview_data
began = time.perf_counter()
data = open_dataset(Path(sys.argv[1]))
opened = time.perf_counter() - began
del data  # the app holds a data set once
began = time.perf_counter()
data = open_dataset(Path(sys.argv[1]), verify=False)
again = time.perf_counter() - began
for split in data.splits:
    for row in range(0, len(data.splits[split]), max(1, len(data.splits[split]) // 20)):
        data.load(split, row)
began = time.perf_counter()
preview = preview_data(Path(sys.argv[1])) if sys.argv[2] == "preview" else None
previewed = time.perf_counter() - began
peak = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024
splits = {name: len(part) for name, part in data.splits.items()}
print(json.dumps([opened, again, previewed, peak, splits, data.task]))
"""


def report(what: str, figure: float, limit: float, unit: str) -> None:
    """Print a figure beside its limit and remember a miss."""
    held = figure <= limit
    print(f"{'ok  ' if held else 'MISS'} {what}: {figure:.3g} {unit} (≤ {limit:g})", flush=True)
    if not held:
        MISSED.append(what)


def opened(path: Path, what: str, *, count: int, preview: bool = False) -> None:
    """Open ``path`` in a new process and report time and peak memory."""
    command = [sys.executable, "-c", _OPENING, str(path), "preview" if preview else "-"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    first, again, previewed, peak, splits, _ = json.loads(done.stdout)
    if sum(splits.values()) != count:
        raise SystemExit(f"{what}: {splits} instead of {count}")
    report(f"{what}: opened and checked", first, SECONDS, "s")
    report(f"{what}: opened again", again, SECONDS, "s")
    if preview:
        report(f"{what}: previewed, duplicates found", previewed, 2 * SECONDS, "s")
    report(f"{what}: peak memory of the process", peak, MEBIBYTES, "MiB")


def write_images(folder: Path, count: int) -> None:
    """``count`` different small bitmaps in ``class/file``, written without a codec."""
    pixels = np.random.default_rng(0).integers(0, 256, (count, 8 * 8 * 3), dtype=np.uint8)
    header = b"P6 8 8 255\n"
    for kind in range(10):
        (folder / f"class {kind}").mkdir(parents=True)
    for row in range(count):
        (folder / f"class {row % 10}" / f"{row:07d}.ppm").write_bytes(header + pixels[row].tobytes())


def write_tables(folder: Path, count: int) -> dict[str, Path]:
    """The same ``count`` texts of about 60 characters as CSV, JSON Lines, Parquet and Arrow."""
    words = [f"word{number}" for number in range(500)]
    generator = random.Random(0)
    texts = [f"{' '.join(generator.choices(words, k=8))} {row}" for row in range(count)]
    labels = [str(row % 7) for row in range(count)]
    table = pa.table({"text": texts, "label": labels})
    saved = folder / "saved"
    saved.mkdir(parents=True)
    with pa.ipc.new_stream(saved / "data.arrow", table.schema) as writer:
        writer.write_table(table, max_chunksize=1000)
    (saved / "state.json").write_text(json.dumps({"_data_files": [{"filename": "data.arrow"}]}))
    pq.write_table(table, folder / "t.parquet")
    with (folder / "t.csv").open("w") as stream:
        stream.write("text,label\n")
        stream.writelines(f"{text},{label}\n" for text, label in zip(texts, labels, strict=True))
    with (folder / "t.jsonl").open("w") as stream:
        stream.writelines(
            json.dumps({"text": text, "label": label}) + "\n"
            for text, label in zip(texts, labels, strict=True)
        )
    forms = {"CSV": "t.csv", "JSON Lines": "t.jsonl", "Parquet": "t.parquet", "saved data set": "saved"}
    return {name: folder / file for name, file in forms.items()}


def fuzz(seconds: float) -> None:
    """Open damaged files of every kind until the time is over; anything but the package's errors ends it."""
    warnings.simplefilter("ignore")  # torch remarks on damaged pickles before it refuses them
    generator = random.Random(time.time_ns())
    files = {**fuzzing.whole_files(), **hostile_weights.whole_files()}
    outcomes = {"read": 0, "refused": 0}
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        ending = generator.choice(list(files))
        content = fuzzing.edited(files[ending], _changes(generator, len(files[ending])))
        reader = fuzzing.open_hostile if ending in fuzzing.ENDINGS else hostile_weights.open_hostile
        with tempfile.TemporaryDirectory() as folder:
            try:
                outcomes[reader(Path(folder), ending, content)] += 1
            except BaseException:
                kept = Path(tempfile.mkdtemp()) / f"set.{ending}"
                kept.write_bytes(content)
                print(f"the file is {kept}", flush=True)
                raise
    print(f"ok   {sum(outcomes.values()):,} hostile files in {seconds:g} s: {outcomes}", flush=True)


def _changes(generator: random.Random, length: int) -> list[fuzzing.Edit]:
    pieces: list[Callable[[], bytes]] = [
        lambda: generator.randbytes(generator.randrange(9)),
        lambda: generator.choice(
            [b"\xff" * 8, b"\0" * 8, b'"', b"\n", b"../", b"\xff\xff\xff\x7f", b"[" * 50]
        ),
    ]
    return [
        (generator.randrange(length), generator.randrange(40), generator.choice(pieces)())
        for _ in range(generator.randint(1, 6))
    ]


def arguments() -> Any:
    """What the command line asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--fuzz", type=float, default=60.0, help="seconds")
    return parser.parse_args()


def main() -> None:
    """Measure, print, and exit with 1 if a limit was missed."""
    asked = arguments()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if asked.images:
            write_images(folder / "images", asked.images)
            opened(folder / "images", f"{asked.images:,} images by path", count=asked.images, preview=True)
        if asked.rows:
            for name, path in write_tables(folder / "tables", asked.rows).items():
                opened(path, f"{asked.rows:,} rows of {name}", count=asked.rows)
    if asked.fuzz:
        fuzz(asked.fuzz)
    if MISSED:
        raise SystemExit(f"{len(MISSED)} limits missed: {', '.join(MISSED)}")


if __name__ == "__main__":
    main()
