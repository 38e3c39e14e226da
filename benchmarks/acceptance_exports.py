"""Exports and imports of 100,000 decisions about 100,000 pictures: seconds and processor seconds.

    python -m benchmarks.acceptance_exports [--home build/exports] [--only csv hf]

The audit is made once and kept: small pictures in three class folders, a tiny trained network, nothing
computed, and 100,000 decisions by two people. Each import goes into an empty workspace and must bring back
the same table. An export may take 10 s; what an import takes is only printed.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
from PIL import Image

from tests import tiny
from tracin_viz.audit import Audit, Workspace
from tracin_viz.audit.exporting import EXPORT_FORMATS
from tracin_viz.config import Home
from tracin_viz.relabel.bulk import append_all
from tracin_viz.relabel.events import Event

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = 100_000
LIMIT = 10.0
NAME = "many"
#: Formats that hold the pictures themselves: a copy makes a file for each, a hard link only a name.
PICTURES = ("imagefolder", "images")
_Value = TypeVar("_Value")


def main() -> int:
    """Measure and print; 1 when a limit is missed or a table does not come back."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--home", type=Path, default=ROOT / "build" / "exports")
    parser.add_argument("--only", nargs="*", default=list(EXPORT_FORMATS), choices=EXPORT_FORMATS)
    options = parser.parse_args()
    audit = made(options.home.resolve())
    print(f"{len(audit.decisions()):,} decisions about {audit.splits['train']:,} examples", flush=True)
    table = audit.export_table()
    missed = False
    for format in options.only:
        with tempfile.TemporaryDirectory(dir=options.home) as folder:
            seconds, used, path = timed(lambda: audit.export(format, Path(folder) / "labels"))  # noqa: B023
            held = seconds <= LIMIT
            print(
                f"{'ok  ' if held else 'MISS'} export {format}: {seconds:.1f} s (≤ {LIMIT:g}), {used:.1f} s "
                f"of processor, {size(path) >> 20:,} MiB",
                flush=True,
            )
            if format in PICTURES:
                linked, used, _ = timed(
                    lambda: audit.export(format, Path(folder) / "linked", links="hard")  # noqa: B023
                )
                print(f"     with hard links: {linked:.1f} s, {used:.1f} s of processor", flush=True)
            named = renamed(path, audit, format)
            same = came_back(options.home.resolve(), named, table, Path(folder) / "home")
            missed |= not held or not same
    return int(missed)


def came_back(home: Path, path: Path, table: pd.DataFrame, other: Path) -> bool:
    """Whether an import into an empty workspace makes the same table; prints what it took."""
    shutil.copytree(home / "audits", other / "audits")
    audit = Workspace(Home(other)).open(NAME)
    seconds, used, found = timed(lambda: audit.import_labels(path))
    same = audit.export_table().equals(table) and audit.import_labels(path)["new"] == 0
    print(
        f"{'ok  ' if same else 'MISS'} import of it: {found['new']:,} decisions in {seconds:.1f} s, "
        f"{used:.1f} s of processor; the same table, nothing new the second time: {same}",
        flush=True,
    )
    audit.database.close()
    return bool(same)


def timed(work: Callable[[], _Value]) -> tuple[float, float, _Value]:
    """Seconds, processor seconds and the result."""
    wall, used = time.perf_counter(), time.process_time()
    result = work()
    return time.perf_counter() - wall, time.process_time() - used, result


def size(path: Path) -> int:
    """Bytes of a file, or of all files of a folder."""
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    return sum(each.stat().st_size for each in files)


def renamed(path: Path, audit: Audit, format: str) -> Path:
    """The export under a name whose ending says what it is, as an import needs it."""
    ending = next(each.ending for each in audit.export_formats() if each.name == format)
    return path.rename(path.with_name(f"labels{ending}")) if ending else path


def made(home: Path) -> Audit:
    """The audit with its decisions."""
    space = Workspace(Home(home))
    if not space.has(NAME):
        files = home / "files"
        shutil.rmtree(files, ignore_errors=True)
        write_pictures(files / "data")
        small = tiny.write_images(files / "small")
        space.create(NAME, data=files / "data", model=tiny.train_run(files / "run", small))
    audit = space.open(NAME)
    if not audit.history():
        append_all(audit.events, decided(audit))
    return audit


def write_pictures(folder: Path) -> None:
    """An image folder of ``EXAMPLES`` pictures of 12×12 pixels; 200 different ones, to be made quickly."""
    draw = np.random.default_rng(0)
    for place, kind in enumerate(tiny.CLASSES):
        (folder / "train" / kind).mkdir(parents=True)
        number = EXAMPLES // 3 + (place < EXAMPLES % 3)
        contents = []
        for _ in range(200):
            stream = folder / "one.png"
            Image.fromarray(tiny.picture(kind, draw)).save(stream)
            contents.append(stream.read_bytes())
        for row in range(number):
            (folder / "train" / kind / f"{row:06d}.png").write_bytes(contents[row % 200])
    (folder / "one.png").unlink()


def decided(audit: Audit) -> list[Event]:
    """A decision about every example: kept, relabelled, excluded or for review; every fourth with a note."""
    given = audit.export_table()["given_label"].tolist()
    classes, people = audit.classes, ("ada", "bob")
    events = []
    for row, label in enumerate(given):
        action = ("keep", "relabel", "exclude", "keep", "review")[row % 5]
        new = classes[(classes.index(label) + 1) % len(classes)] if action == "relabel" else None
        note = f"=row {row}, looked at twice" if row % 4 == 0 else ""
        name = f"train:{row}"
        events.append(Event(name, action, people[row % 2], label, new, client_ts=1.7e9 + row, note=note))
    return events


if __name__ == "__main__":
    sys.exit(main())
